//! The passing of time: adverts turn into packets, and packets reach scans or do not.
//!
//! Nothing here runs by itself. Whoever looks at the air first lets it catch up with the clock; packets that nobody
//! listens for are skipped by arithmetic, however many they are.

use super::options::Timing;
use super::state::{Arriving, State};
use super::trace::TraceKind;
use super::{AdvertId, Arrival, LossReason, ScanId};
use crate::Sighting;

/// How many sightings wait for a program that does not take them.
const QUEUE: usize = 1024;

/// How many milliseconds back packets are still worked out. It bounds the work after a jump of the clock.
const CATCH_UP: u64 = 3_600_000;

impl State {
    /// Lets everything happen that is due until the given time in milliseconds. Time does not run backwards.
    pub(crate) fn advance(&mut self, now: u64) {
        let now = now.max(self.now);
        if self.is_listening() {
            if now.saturating_sub(self.now) > CATCH_UP {
                self.skip_packets(now.saturating_sub(CATCH_UP));
            }
            while let Some((due, advert)) = self.earliest_packet().filter(|(due, _)| *due <= now) {
                self.send(advert, due);
            }
        } else {
            self.skip_packets(now);
        }
        self.now = now;
        self.supervise(now);
    }

    /// When the next packet is sent that somebody might hear.
    pub(crate) fn next_packet(&self) -> Option<u64> {
        self.earliest_packet().map(|(due, _)| due).filter(|_| self.is_listening())
    }

    /// When a packet is sent. Each is a little late by itself, and the delays do not add up, so any packet's time
    /// is known without the ones before it.
    fn packet_due(&self, advert: AdvertId, started: u64, packet: u64) -> u64 {
        let late = self.dice.packet_time(advert.key(), packet, Timing::ADVERT_DELAY);
        started.saturating_add(packet.saturating_mul(self.timing.interval)).saturating_add(late)
    }

    /// Makes the given packet the next one of an advert.
    pub(crate) fn plan(&mut self, id: AdvertId, packet: u64) {
        let Some(started) = self.adverts.get(&id).map(|advert| advert.started) else { return };
        let due = self.packet_due(id, started, packet);
        if let Some(advert) = self.adverts.get_mut(&id) {
            self.schedule.remove(&(advert.due, id));
            self.schedule.insert((due, id));
            advert.packet = packet;
            advert.due = due;
        }
    }

    /// Throws the dice for the old adverts that a starting scan is handed.
    pub(crate) fn recall(&mut self, scan: ScanId) {
        for (advert, old) in self.ended_memories(scan) {
            if let Some(delay) = self.dice.memory(advert.key(), scan.key(), &self.timing) {
                self.arrive(scan, self.now.saturating_add(delay), old);
            }
        }
    }

    fn is_listening(&self) -> bool {
        self.scans.values().any(|scan| scan.failed.is_none())
    }

    fn earliest_packet(&self) -> Option<(u64, AdvertId)> {
        self.schedule.first().copied()
    }

    fn skip_packets(&mut self, now: u64) {
        while let Some((_, id)) = self.earliest_packet().filter(|(due, _)| *due <= now) {
            let Some(started) = self.adverts.get(&id).map(|advert| advert.started) else { return };
            let mut packet = now.saturating_sub(started) / self.timing.interval;
            if self.packet_due(id, started, packet) <= now {
                packet = packet.saturating_add(1);
            }
            self.plan(id, packet);
        }
    }

    /// Sends the next packet of an advert to every scan in range, and plans the one after it.
    fn send(&mut self, advert: AdvertId, at: u64) {
        let Some(packet) = self.adverts.get(&advert).map(|advert| advert.packet) else { return };
        let listening = self.scans.iter().filter(|(_, scan)| scan.failed.is_none());
        let in_range = listening.map(|(id, _)| *id).filter(|scan| self.reaches(advert, *scan));
        let in_range: Vec<ScanId> = in_range.collect();
        for scan in in_range {
            self.deliver(advert, packet, scan, at);
        }
        self.plan(advert, packet.saturating_add(1));
    }

    fn deliver(&mut self, advert: AdvertId, packet: u64, scan: ScanId, at: u64) {
        let Some(sighting) = self.adverts.get(&advert).map(|advert| advert.sighting.clone()) else { return };
        let fate = self.dice.fate(advert.key(), packet, scan.key(), &self.timing);
        if fate.arrival.is_none() {
            self.lose(advert, scan, at, LossReason::Radio);
        }
        for (delay, arrival) in [(fate.arrival, Arrival::Direct), (fate.copy, Arrival::Duplicate)] {
            let Some(delay) = delay else { continue };
            let arriving = Arriving { advert, sighting: sighting.clone(), arrival };
            self.arrive_or_lose(scan, at, delay, arriving);
        }
        if let Some((pick, delay)) = fate.stale {
            let mut memories = self.ended_memories(scan);
            let count = u64::try_from(memories.len()).unwrap_or(u64::MAX);
            let picked = pick.checked_rem(count).and_then(|index| usize::try_from(index).ok());
            if let Some(index) = picked {
                let (_, old) = memories.swap_remove(index);
                self.arrive(scan, at.saturating_add(delay), old);
            }
        }
    }

    fn arrive_or_lose(&mut self, scan: ScanId, at: u64, delay: u64, arriving: Arriving) {
        let advert = arriving.advert;
        if !self.arrive(scan, at.saturating_add(delay), arriving) {
            self.lose(advert, scan, at, LossReason::QueueFull);
        }
    }

    /// Puts something on its way to a scan, unless too much is waiting there already.
    fn arrive(&mut self, scan: ScanId, due: u64, arriving: Arriving) -> bool {
        let Some(listening) = self.scans.get_mut(&scan).filter(|scan| scan.queue.len() < QUEUE) else {
            return false;
        };
        listening.queue.insert((due, listening.arrivals), arriving);
        listening.arrivals = listening.arrivals.saturating_add(1);
        true
    }

    fn lose(&mut self, advert: AdvertId, scan: ScanId, at: u64, reason: LossReason) {
        let from = self.name(advert.device);
        self.record_at(at, scan.device, TraceKind::Lost { scan, advert, from, reason });
    }

    /// What the device of a scan remembers of adverts that are no longer on the air.
    fn ended_memories(&self, scan: ScanId) -> Vec<(AdvertId, Arriving)> {
        let Some(device) = self.devices.get(&scan.device) else { return Vec::new() };
        let ended = device.memory.iter().filter(|(advert, _)| !self.adverts.contains_key(advert));
        let arriving = |advert: AdvertId, sighting: &Sighting| Arriving {
            advert,
            sighting: sighting.clone(),
            arrival: Arrival::Stale,
        };
        ended.map(|(advert, sighting)| (*advert, arriving(*advert, sighting))).collect()
    }
}
