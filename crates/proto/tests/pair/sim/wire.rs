//! Data channels: which end is joined to which, and the tunnel service that joins them.

use std::collections::BTreeMap;

use hybridge_proto::{
    channel::{ChannelId, DialFailure},
    ids::{RoutingId, TunnelId},
    packets::{Framing, TERMINATOR},
};

/// One machine's end of a channel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum End {
    Laptop(ChannelId),
    /// The run of a phone's machine, and its channel.
    Phone(usize, ChannelId),
}

/// What a driver tells its machine about a channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Report {
    Opened { routing: Option<RoutingId>, signal: bool },
    Failed(DialFailure),
    Message(Vec<u8>),
    Closed,
}

/// A message without what marks its end over BLE, which has to be there.
pub(crate) fn unwrapped(framing: Framing, bytes: &[u8]) -> Vec<u8> {
    let message = match framing {
        Framing::Length => {
            let (length, message) = bytes.split_first_chunk().expect("a length");
            let length = usize::try_from(u32::from_be_bytes(*length));
            Some(message).filter(|message| length == Ok(message.len()))
        }
        _ => bytes.strip_suffix(&TERMINATOR),
    };
    message.unwrap_or_else(|| panic!("{} bytes, and not {framing:?}", bytes.len())).to_vec()
}

/// How far a channel is, seen from one end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    Dialing,
    Open,
    /// Closed by its machine, or reported as closed or failed.
    Gone,
}

struct State {
    stage: Stage,
    peer: Option<End>,
    /// Whether it carries packets.
    over_ble: bool,
    /// Reports that came before the one that it is open.
    early: Vec<Report>,
    /// Messages that wait for a peer.
    unsent: Vec<Vec<u8>>,
    /// How many messages the machine has sent.
    sent: usize,
}

/// A service, by its number, and one of its tunnels.
pub(crate) type Tunnel = (usize, TunnelId);

#[derive(Default)]
pub(crate) struct Wire {
    ends: BTreeMap<End, State>,
    /// Tunnels with one end, at each of the services.
    waiting: BTreeMap<Tunnel, (End, RoutingId)>,
}

impl Wire {
    /// A machine starts dialing, or accepts a connection.
    pub(crate) fn add(&mut self, end: End, stage: Stage) {
        let state =
            State { stage, peer: None, over_ble: false, early: Vec::new(), unsent: Vec::new(), sent: 0 };
        assert!(self.ends.insert(end, state).is_none(), "{end:?} is a name that was used before");
    }

    fn state(&mut self, end: End) -> &mut State {
        self.ends.get_mut(&end).expect("machines only speak of channels they have")
    }

    pub(crate) fn stage(&self, end: End) -> Option<Stage> {
        self.ends.get(&end).map(|state| state.stage)
    }

    pub(crate) fn peer(&self, end: End) -> Option<End> {
        self.ends.get(&end).and_then(|state| state.peer)
    }

    pub(crate) fn set_stage(&mut self, end: End, stage: Stage) {
        self.state(end).stage = stage;
    }

    /// The ends of a machine that are not gone.
    pub(crate) fn alive(&self, belongs: impl Fn(&End) -> bool) -> usize {
        self.ends.iter().filter(|(end, state)| belongs(end) && state.stage != Stage::Gone).count()
    }

    /// Opens a tunnel for somebody to join. 409 if it is waiting already.
    pub(crate) fn open_tunnel(
        &mut self,
        end: End,
        tunnel: Tunnel,
        routing: RoutingId,
    ) -> Result<(), DialFailure> {
        if self.waiting.contains_key(&tunnel) {
            return Err(DialFailure::Refused(409));
        }
        self.waiting.insert(tunnel, (end, routing));
        Ok(())
    }

    /// Joins a tunnel that somebody has opened: each only once, and only from the other side. 404 otherwise.
    pub(crate) fn join_tunnel(
        &mut self,
        end: End,
        tunnel: &Tunnel,
        routing: RoutingId,
    ) -> Result<End, DialFailure> {
        let is_laptop = |end| matches!(end, End::Laptop(_));
        match self.waiting.get(tunnel).copied() {
            Some((other, expected)) if expected == routing && is_laptop(other) != is_laptop(end) => {
                self.waiting.remove(tunnel);
                self.join(end, other);
                Ok(other)
            }
            _ => Err(DialFailure::Refused(404)),
        }
    }

    /// Joins both ends of a BLE channel.
    pub(crate) fn join_over_ble(&mut self, one: End, other: End) {
        self.join(one, other);
        self.state(one).over_ble = true;
        self.state(other).over_ble = true;
    }

    pub(crate) fn is_over_ble(&self, end: End) -> bool {
        self.ends.get(&end).is_some_and(|state| state.over_ble)
    }

    pub(crate) fn join(&mut self, one: End, other: End) {
        self.state(one).peer = Some(other);
        self.state(other).peer = Some(one);
    }

    /// The number of a machine's next message on a channel, from 0.
    pub(crate) fn number(&mut self, end: End) -> usize {
        let state = self.state(end);
        state.sent += 1;
        state.sent - 1
    }

    /// What an end said before it had a peer.
    pub(crate) fn take_unsent(&mut self, end: End) -> Vec<Vec<u8>> {
        core::mem::take(&mut self.state(end).unsent)
    }

    pub(crate) fn keep_unsent(&mut self, end: End, message: Vec<u8>) {
        self.state(end).unsent.push(message);
    }

    /// What was reported about an end before it was reported open.
    pub(crate) fn take_early(&mut self, end: End) -> Vec<Report> {
        core::mem::take(&mut self.state(end).early)
    }

    pub(crate) fn keep_early(&mut self, end: End, report: Report) {
        self.state(end).early.push(report);
    }

    /// Takes an end out of the tunnel service. Gives the peer that now has nobody to talk to.
    pub(crate) fn forget(&mut self, end: End) -> Option<End> {
        self.waiting.retain(|_, (waiting, _)| *waiting != end);
        let peer = self.state(end).peer.take()?;
        self.state(peer).peer = None;
        Some(peer)
    }
}
