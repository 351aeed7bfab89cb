//! Connections between devices: who listens, who is connected, and what is on its way.
//!
//! A connection is reliable: where the radio misses a packet, it sends it again, which takes time. Devices that are out
//! of each other's range, or of which one has lost its adapter, lose the connection once nothing was heard for the
//! supervision timeout.

use std::collections::VecDeque;

use super::state::State;
use super::trace::TraceKind;
use super::{Action, Adapter, AdvertId, ConnectionId};
use crate::{DeviceAddress, RadioError};

/// The PSMs that a device gives out (Bluetooth Core Specification, volume 3, part A, section 4.22).
const DYNAMIC_PSMS: std::ops::RangeInclusive<u16> = 0x80..=0xFF;
/// How many connections wait to be accepted.
const BACKLOG: usize = 4;
/// How many packets a device takes before its program has read the first of them.
const CREDITS: usize = 8;
/// How many milliseconds a connection lasts without contact.
pub(crate) const SUPERVISION: u64 = 4_000;
/// How many milliseconds a missed packet takes longer.
const CONNECTION_INTERVAL: u64 = 30;
/// How often a packet is sent at most; then it gets through, and the connection does not hang for ever.
const REPETITIONS: u64 = 64;

/// A PSM that a device listens on.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    waiting: VecDeque<ConnectionId>,
    /// The state of the adapter that ended it.
    failed: Option<Adapter>,
}

/// A connection, seen from both of its ends.
pub(crate) struct Link {
    ends: [LinkEnd; 2],
    /// Since when its devices are out of range of each other, in milliseconds.
    apart: Option<u64>,
}

/// Which end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Connector,
    Listener,
}

struct LinkEnd {
    device: u32,
    /// Whether its program still holds it.
    held: bool,
    /// What is on its way to here: when it arrives, in milliseconds.
    incoming: VecDeque<(u64, Vec<u8>)>,
    received: u64,
    /// When and how it ends.
    end: Option<(u64, Ending)>,
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    /// The peer has gone, or is out of range.
    Peer,
    Adapter(Adapter),
}

/// What somebody who waits is told.
pub(crate) enum Answer<T> {
    Ready(T),
    /// Nothing before this time in milliseconds, or at all as things are.
    Wait(Option<u64>),
}

impl Side {
    fn index(self) -> usize {
        match self {
            Self::Connector => 0,
            Self::Listener => 1,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Connector => Self::Listener,
            Self::Listener => Self::Connector,
        }
    }
}

impl Link {
    fn end(&self, side: Side) -> Option<&LinkEnd> {
        self.ends.get(side.index())
    }

    fn end_mut(&mut self, side: Side) -> Option<&mut LinkEnd> {
        self.ends.get_mut(side.index())
    }
}

impl LinkEnd {
    fn new(device: u32) -> Self {
        Self { device, held: true, incoming: VecDeque::new(), received: 0, end: None }
    }

    /// Ends it at this time, unless it has ended before. What arrives later does not arrive at all.
    fn finish(&mut self, at: u64, ending: Ending) {
        if self.end.is_none_or(|(end, _)| at < end) {
            self.end = Some((at, ending));
            self.incoming.retain(|(due, _)| *due <= at);
        }
    }

    fn over(&self, now: u64) -> Result<(), RadioError> {
        match self.end {
            Some((at, Ending::Peer)) if at <= now => Err(RadioError::Disconnected),
            Some((at, Ending::Adapter(adapter))) if at <= now => adapter.check(Action::Connect),
            _ => Ok(()),
        }
    }
}

impl State {
    pub(crate) fn listen(&mut self, device: u32) -> Result<u16, RadioError> {
        let free = DYNAMIC_PSMS.into_iter().find(|psm| !self.listeners.contains_key(&(device, *psm)));
        let asked = self.ask(device, Action::Listen);
        let Some(psm) = free.filter(|_| asked.is_ok()) else {
            self.record(device, TraceKind::Refused { action: Action::Listen });
            return Err(asked.err().unwrap_or(RadioError::Unsupported { action: "listen on more PSMs" }));
        };
        self.listeners.insert((device, psm), Listener::default());
        self.record(device, TraceKind::ListeningStarted { psm });
        Ok(psm)
    }

    pub(crate) fn end_listening(&mut self, device: u32, psm: u16) {
        let Some(listener) = self.listeners.remove(&(device, psm)) else { return };
        self.record(device, TraceKind::ListeningEnded { psm });
        for link in listener.waiting {
            self.drop_end(link, Side::Listener);
        }
    }

    /// The next connection to a PSM.
    pub(crate) fn accept(&mut self, device: u32, psm: u16) -> Result<Answer<ConnectionId>, RadioError> {
        let Some(listener) = self.listeners.get_mut(&(device, psm)) else {
            return Err(RadioError::NoAdapter);
        };
        if let Some(failed) = listener.failed {
            failed.check(Action::Listen)?;
        }
        Ok(listener.waiting.pop_front().map_or(Answer::Wait(None), Answer::Ready))
    }

    /// The connectable advert under an address that a device hears now, and when its next packet comes.
    pub(crate) fn reachable(&self, device: u32, address: DeviceAddress) -> Option<(AdvertId, u64)> {
        let adverts =
            self.adverts.iter().filter(|(_, advert)| advert.connectable && advert.sighting.device == address);
        let mut in_range = adverts.filter(|(id, _)| self.in_range(id.device, device));
        in_range.next().map(|(id, advert)| (*id, advert.due))
    }

    /// Connects to the device that sends this advert, whose packet has just come.
    pub(crate) fn connect(
        &mut self,
        device: u32,
        advert: AdvertId,
        psm: u16,
    ) -> Result<ConnectionId, RadioError> {
        self.ask(device, Action::Connect)?;
        let peer = advert.device;
        let listener = self.listeners.get_mut(&(peer, psm)).filter(|listener| listener.failed.is_none());
        let Some(listener) = listener.filter(|listener| listener.waiting.len() < BACKLOG) else {
            self.record(device, TraceKind::ConnectRefused { psm });
            return Err(RadioError::Unreachable);
        };
        let id = ConnectionId { number: self.next_link };
        self.next_link = self.next_link.wrapping_add(1);
        listener.waiting.push_back(id);
        self.links.insert(id, Link { ends: [LinkEnd::new(device), LinkEnd::new(peer)], apart: None });
        let to = self.name(peer);
        self.record(device, TraceKind::Connected { link: id, to, psm });
        Ok(id)
    }

    /// Takes a packet for the other end, when there is room.
    pub(crate) fn send_packet(
        &mut self,
        id: ConnectionId,
        side: Side,
        packet: &[u8],
    ) -> Result<Answer<()>, RadioError> {
        let (now, timing, dice) = (self.now, self.timing, self.dice);
        let Some(link) = self.links.get_mut(&id) else { return Err(RadioError::Disconnected) };
        let apart = link.apart;
        let Some(own) = link.end(side) else { return Err(RadioError::Disconnected) };
        own.over(now)?;
        let wake = own.end.map(|(at, _)| at).or(apart.map(|since| since.saturating_add(SUPERVISION)));
        let Some(peer) = link.end_mut(side.other()) else { return Err(RadioError::Disconnected) };
        if peer.incoming.len() >= CREDITS {
            return Ok(Answer::Wait(wake));
        }
        let number = peer.received.saturating_add(u64::try_from(peer.incoming.len()).unwrap_or(u64::MAX));
        let (missed, delay) = dice.packet(id.number, side.index(), number, &timing, REPETITIONS);
        let due = now.saturating_add(delay).saturating_add(missed.saturating_mul(CONNECTION_INTERVAL));
        // Nothing overtakes on a connection, and nothing gets through while its devices are apart.
        let due = due.max(peer.incoming.back().map_or(0, |(last, _)| *last));
        let due = due.max(apart.map_or(0, |since| since.saturating_add(1)));
        if peer.end.is_none_or(|(end, _)| due <= end) {
            peer.incoming.push_back((due, packet.to_vec()));
        }
        Ok(Answer::Ready(()))
    }

    /// Hands over the next packet that has arrived at an end.
    pub(crate) fn receive_packet(
        &mut self,
        id: ConnectionId,
        side: Side,
    ) -> Result<Answer<Vec<u8>>, RadioError> {
        let now = self.now;
        let Some(link) = self.links.get_mut(&id) else { return Err(RadioError::Disconnected) };
        let apart = link.apart;
        let Some(own) = link.end_mut(side) else { return Err(RadioError::Disconnected) };
        let due = own.incoming.front().map(|(due, _)| *due);
        if due.is_some_and(|due| due <= apart.unwrap_or(now)) {
            own.received = own.received.saturating_add(1);
            return Ok(own
                .incoming
                .pop_front()
                .map_or(Answer::Wait(None), |(_, packet)| Answer::Ready(packet)));
        }
        own.over(now)?;
        let broken = apart.map(|since| since.saturating_add(SUPERVISION));
        let arrival = due.filter(|_| apart.is_none());
        let end = own.end.map(|(at, _)| at);
        Ok(Answer::Wait([broken, arrival, end].into_iter().flatten().min()))
    }

    /// The program at one end lets go of a connection.
    pub(crate) fn drop_end(&mut self, id: ConnectionId, side: Side) {
        let (now, delay) = (self.now, self.timing.delay_of_news());
        let Some(link) = self.links.get_mut(&id) else { return };
        let Some(own) = link.end_mut(side) else { return };
        let (device, was_over) = (own.device, own.over(now).is_err());
        own.held = false;
        if let Some(peer) = link.end_mut(side.other()) {
            // After what was sent before.
            let last = peer.incoming.back().map_or(0, |(due, _)| *due);
            peer.finish(now.saturating_add(delay).max(last), Ending::Peer);
        }
        if link.ends.iter().all(|end| !end.held) {
            self.links.remove(&id);
        }
        if !was_over {
            self.record(device, TraceKind::Disconnected { link: id });
        }
    }

    /// Ends what was connected over an adapter that has just failed.
    pub(crate) fn end_links(&mut self, device: u32, adapter: Adapter) {
        let now = self.now;
        for ((owner, _), listener) in &mut self.listeners {
            if *owner == device && adapter.check(Action::Listen).is_err() {
                listener.failed.get_or_insert(adapter);
            }
        }
        if adapter.check(Action::Connect).is_ok() {
            return;
        }
        for link in self.links.values_mut().filter(|link| link.ends.iter().any(|end| end.device == device)) {
            for end in &mut link.ends {
                if end.device == device {
                    end.finish(now, Ending::Adapter(adapter));
                } else {
                    end.finish(now.saturating_add(SUPERVISION), Ending::Peer);
                }
            }
        }
    }

    /// Looks which connections are out of range, after a device has moved.
    pub(crate) fn check_ranges(&mut self) {
        let now = self.now;
        let mut links = std::mem::take(&mut self.links);
        for link in links.values_mut() {
            let [one, other] = &link.ends;
            let apart = !self.in_range(one.device, other.device);
            link.apart = if apart { link.apart.or(Some(now)) } else { None };
        }
        self.links = links;
    }

    /// Ends the connections that were out of range for too long.
    pub(crate) fn supervise(&mut self, now: u64) {
        for link in self.links.values_mut() {
            let Some(apart) = link.apart.filter(|since| since.saturating_add(SUPERVISION) <= now) else {
                continue;
            };
            for end in &mut link.ends {
                end.incoming.retain(|(due, _)| *due <= apart);
                end.finish(apart.saturating_add(SUPERVISION), Ending::Peer);
            }
        }
    }

    /// How many connections a device has, as its system sees it.
    pub(crate) fn open_links(&self, device: u32) -> usize {
        let of_mine = |end: &LinkEnd| end.device == device && end.held && end.over(self.now).is_ok();
        self.links.values().flat_map(|link| &link.ends).filter(|end| of_mine(end)).count()
    }
}
