//! The devices of an air, their adverts and their scans.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::dice::Dice;
use super::links::{Link, Listener};
use super::options::Timing;
use super::trace::{TraceEvent, TraceKind, TraceLog};
use super::{Action, Adapter, AdvertId, AirOptions, Arrival, ConnectionId, RangeGroup, ScanId};
use crate::{Advertisement, DeviceAddress, PayloadLimit, RadioError, Sighting};

/// Everything there is in an air, as of the time `now`.
pub(crate) struct State {
    pub(crate) dice: Dice,
    pub(crate) timing: Timing,
    pub(crate) payload: PayloadLimit,
    pub(crate) mtu: usize,
    /// The time in milliseconds up to which everything has happened.
    pub(crate) now: u64,
    pub(crate) devices: BTreeMap<u32, Device>,
    pub(crate) adverts: BTreeMap<AdvertId, OnAir>,
    /// When each advert sends its next packet.
    pub(crate) schedule: BTreeSet<(u64, AdvertId)>,
    pub(crate) scans: BTreeMap<ScanId, Listening>,
    /// By device and PSM.
    pub(crate) listeners: BTreeMap<(u32, u16), Listener>,
    pub(crate) links: BTreeMap<ConnectionId, Link>,
    pub(crate) next_link: u64,
    pub(crate) trace: TraceLog,
}

/// One device.
pub(crate) struct Device {
    pub(crate) name: Arc<str>,
    groups: BTreeSet<RangeGroup>,
    adapter: Adapter,
    adverts: u32,
    scans: u32,
    /// What its scans reported lately, newest last, as systems keep it.
    pub(crate) memory: VecDeque<(AdvertId, Sighting)>,
}

/// One advert on the air.
pub(crate) struct OnAir {
    pub(crate) sighting: Sighting,
    pub(crate) connectable: bool,
    pub(crate) started: u64,
    /// Number and time of the packet that comes next.
    pub(crate) packet: u64,
    pub(crate) due: u64,
}

/// One scan.
pub(crate) struct Listening {
    /// What arrives, by time and order.
    pub(crate) queue: BTreeMap<(u64, u64), Arriving>,
    pub(crate) arrivals: u64,
    /// The state of the adapter that ended the scan.
    pub(crate) failed: Option<Adapter>,
}

/// One advert on its way to a scan.
pub(crate) struct Arriving {
    pub(crate) advert: AdvertId,
    pub(crate) sighting: Sighting,
    pub(crate) arrival: Arrival,
}

/// What a scan has to tell now.
pub(crate) enum Next {
    Heard(Sighting),
    /// Nothing before this time in milliseconds, or at all as things are.
    Wait(Option<u64>),
}

impl State {
    /// How many adverts a device remembers.
    const MEMORY: usize = 16;

    pub(crate) fn new(seed: u64, options: &AirOptions) -> Self {
        Self {
            dice: Dice::new(seed),
            timing: Timing::from(options),
            payload: options.payload,
            mtu: options.mtu.clamp(23, 65_535),
            now: 0,
            devices: BTreeMap::new(),
            adverts: BTreeMap::new(),
            schedule: BTreeSet::new(),
            scans: BTreeMap::new(),
            listeners: BTreeMap::new(),
            links: BTreeMap::new(),
            next_link: 0,
            trace: TraceLog::default(),
        }
    }

    pub(crate) fn add_device(&mut self, name: Arc<str>, groups: BTreeSet<RangeGroup>) -> u32 {
        let id = self.devices.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
        let device =
            Device { name, groups, adapter: Adapter::Working, adverts: 0, scans: 0, memory: VecDeque::new() };
        self.devices.insert(id, device);
        id
    }

    pub(crate) fn start_advert(
        &mut self,
        device: u32,
        advert: Advertisement,
        address: Option<DeviceAddress>,
    ) -> Result<AdvertId, RadioError> {
        let checked = self.payload.check(&advert).and_then(|()| self.ask(device, Action::Advertise));
        let Some(owner) = self.devices.get_mut(&device).filter(|_| checked.is_ok()) else {
            self.record(device, TraceKind::Refused { action: Action::Advertise });
            return Err(checked.err().unwrap_or(RadioError::NoAdapter));
        };
        let id = AdvertId { device, number: owner.adverts };
        owner.adverts = owner.adverts.wrapping_add(1);
        let address = address.unwrap_or_else(|| self.dice.address(id.key(), advert.connectable));
        let (uuid, length, connectable) = (advert.uuid, advert.data.len(), advert.connectable);
        let sighting = Sighting::new(uuid, advert.data, address);
        self.adverts.insert(id, OnAir { sighting, connectable, started: self.now, packet: 0, due: self.now });
        self.plan(id, 0);
        self.record(device, TraceKind::AdvertStarted { advert: id, uuid, length, address });
        Ok(id)
    }

    pub(crate) fn end_advert(&mut self, advert: AdvertId) {
        if let Some(ended) = self.adverts.remove(&advert) {
            self.schedule.remove(&(ended.due, advert));
            self.record(advert.device, TraceKind::AdvertEnded { advert });
        }
    }

    pub(crate) fn start_scan(&mut self, device: u32) -> Result<ScanId, RadioError> {
        let asked = self.ask(device, Action::Scan);
        let Some(owner) = self.devices.get_mut(&device).filter(|_| asked.is_ok()) else {
            self.record(device, TraceKind::Refused { action: Action::Scan });
            return Err(asked.err().unwrap_or(RadioError::NoAdapter));
        };
        let id = ScanId { device, number: owner.scans };
        owner.scans = owner.scans.wrapping_add(1);
        self.scans.insert(id, Listening { queue: BTreeMap::new(), arrivals: 0, failed: None });
        self.record(device, TraceKind::ScanStarted { scan: id });
        self.recall(id);
        Ok(id)
    }

    pub(crate) fn end_scan(&mut self, scan: ScanId) {
        if self.scans.remove(&scan).is_some() {
            self.record(scan.device, TraceKind::ScanEnded { scan });
        }
    }

    /// Hands over what is due, or says when to ask again.
    pub(crate) fn poll_scan(&mut self, scan: ScanId) -> Result<Next, RadioError> {
        let Some(listening) = self.scans.get_mut(&scan) else { return Err(RadioError::NoAdapter) };
        if let Some(failed) = listening.failed {
            failed.check(Action::Scan)?;
        }
        let first = listening.queue.first_key_value().map(|(&(due, _), _)| due);
        if first.is_none_or(|due| due > self.now) {
            return Ok(Next::Wait(first.into_iter().chain(self.next_packet()).min()));
        }
        let Some((_, arriving)) = listening.queue.pop_first() else { return Ok(Next::Wait(None)) };
        Ok(Next::Heard(self.hand_over(scan, arriving)))
    }

    pub(crate) fn set_adapter(&mut self, device: u32, adapter: Adapter) {
        let Some(owner) = self.devices.get_mut(&device) else { return };
        owner.adapter = adapter;
        self.record(device, TraceKind::AdapterChanged { adapter });
        if adapter.check(Action::Scan).is_err() {
            let scans = self.scans.iter_mut().filter(|(id, _)| id.device == device);
            for (_, scan) in scans.filter(|(_, scan)| scan.failed.is_none()) {
                scan.failed = Some(adapter);
            }
        }
        if adapter.check(Action::Advertise).is_err() {
            let ended: Vec<AdvertId> =
                self.adverts.keys().copied().filter(|id| id.device == device).collect();
            ended.into_iter().for_each(|advert| self.end_advert(advert));
        }
        self.end_links(device, adapter);
    }

    pub(crate) fn move_to(&mut self, device: u32, groups: BTreeSet<RangeGroup>) {
        let listed = groups.iter().cloned().collect();
        if let Some(owner) = self.devices.get_mut(&device) {
            owner.groups = groups;
            self.record(device, TraceKind::Moved { groups: listed });
            self.check_ranges();
        }
    }

    /// Whether packets of the advert come into range of the scan. Nobody hears their own adverts.
    pub(crate) fn reaches(&self, advert: AdvertId, scan: ScanId) -> bool {
        self.in_range(advert.device, scan.device)
    }

    /// Whether two devices hear each other. None hears itself.
    pub(crate) fn in_range(&self, one: u32, other: u32) -> bool {
        let pair = (self.devices.get(&one), self.devices.get(&other));
        let (Some(first), Some(second)) = pair else { return false };
        one != other && !first.groups.is_disjoint(&second.groups)
    }

    pub(crate) fn name(&self, device: u32) -> Arc<str> {
        self.devices.get(&device).map_or_else(|| Arc::from(""), |device| Arc::clone(&device.name))
    }

    pub(crate) fn record(&mut self, device: u32, kind: TraceKind) {
        self.record_at(self.now, device, kind);
    }

    pub(crate) fn record_at(&mut self, at: u64, device: u32, kind: TraceKind) {
        let device = self.name(device);
        self.trace.push(TraceEvent { at: Duration::from_millis(at), device, kind });
    }

    fn hand_over(&mut self, scan: ScanId, arriving: Arriving) -> Sighting {
        let Arriving { advert, sighting, arrival } = arriving;
        let from = self.name(advert.device);
        self.record(scan.device, TraceKind::Heard { scan, advert, from, arrival });
        if let Some(device) = self.devices.get_mut(&scan.device) {
            device.memory.retain(|(known, _)| *known != advert);
            if device.memory.len() >= Self::MEMORY {
                device.memory.pop_front();
            }
            device.memory.push_back((advert, sighting.clone()));
        }
        sighting
    }

    pub(crate) fn ask(&self, device: u32, action: Action) -> Result<(), RadioError> {
        self.devices.get(&device).map_or(Err(RadioError::NoAdapter), |device| device.adapter.check(action))
    }
}
