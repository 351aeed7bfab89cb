//! What happened in the simulated air, for timelines and tests.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::coop::consume_budget;

use super::shared::Shared;
use super::{Adapter, RangeGroup};
use crate::{DeviceAddress, ServiceUuid};

/// One advertising session of a device: from the start of an advert to its withdrawal.
///
/// Devices and their sessions are numbered from zero in the order in which they appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AdvertId {
    pub(crate) device: u32,
    pub(crate) number: u32,
}

/// One scan of a device. Numbered like [`AdvertId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScanId {
    pub(crate) device: u32,
    pub(crate) number: u32,
}

/// One connection between two devices. Connections are numbered from zero in the order in which they come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId {
    pub(crate) number: u64,
}

impl AdvertId {
    /// A number that no other advert of the air has.
    pub(crate) fn key(self) -> u64 {
        (u64::from(self.device) << 32) | u64::from(self.number)
    }
}

impl ScanId {
    /// A number that no other scan of the air has.
    pub(crate) fn key(self) -> u64 {
        (u64::from(self.device) << 32) | u64::from(self.number)
    }
}

/// Something that happened in an [`Air`](super::Air).
///
/// The `Display` form is one line for a person. Neither form contains service data.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceEvent {
    /// When, in whole milliseconds since the air was made. Events come in order of time.
    pub at: Duration,
    /// The name of the device it happened to.
    pub device: Arc<str>,
    /// What happened.
    pub kind: TraceKind,
}

/// What happened to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceKind {
    /// The device began to send an advert.
    AdvertStarted {
        /// The new session.
        advert: AdvertId,
        /// The UUID it is sent under.
        uuid: ServiceUuid,
        /// Length of the service data in bytes.
        length: usize,
        /// The address of this session.
        address: DeviceAddress,
    },
    /// The advert was withdrawn, or its adapter failed.
    AdvertEnded {
        /// The session.
        advert: AdvertId,
    },
    /// The device began to listen.
    ScanStarted {
        /// The new scan.
        scan: ScanId,
    },
    /// The scan was dropped.
    ScanEnded {
        /// The scan.
        scan: ScanId,
    },
    /// A scan of the device handed an advert to the program.
    Heard {
        /// The scan.
        scan: ScanId,
        /// The session that the advert belongs to.
        advert: AdvertId,
        /// The name of the device that sent it.
        from: Arc<str>,
        /// How it came to be heard.
        arrival: Arrival,
    },
    /// A packet in range did not reach a scan of the device.
    Lost {
        /// The scan.
        scan: ScanId,
        /// The session that the packet belongs to.
        advert: AdvertId,
        /// The name of the device that sent it.
        from: Arc<str>,
        /// Why.
        reason: LossReason,
    },
    /// Other devices can connect to the device.
    ListeningStarted {
        /// At this PSM.
        psm: u16,
    },
    /// They cannot any more.
    ListeningEnded {
        /// At this PSM.
        psm: u16,
    },
    /// The device connected to another one.
    Connected {
        /// The connection.
        link: ConnectionId,
        /// The name of the other device.
        to: Arc<str>,
        /// The PSM.
        psm: u16,
    },
    /// The other device turned a connection down.
    ConnectRefused {
        /// The PSM.
        psm: u16,
    },
    /// The program at the device let go of a connection that was open.
    Disconnected {
        /// The connection.
        link: ConnectionId,
    },
    /// The adapter refused to start a scan or an advert, or to be connected to.
    Refused {
        /// What it was asked for.
        action: Action,
    },
    /// The adapter of the device changed its state.
    AdapterChanged {
        /// The new state.
        adapter: Adapter,
    },
    /// The device is in other range groups.
    Moved {
        /// The new groups.
        groups: Vec<RangeGroup>,
    },
}

/// How an advert came to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arrival {
    /// As the packet it was sent in.
    Direct,
    /// As the second copy of a packet.
    Duplicate,
    /// From memory, after it was withdrawn.
    Stale,
}

impl Arrival {
    /// What a line about a sighting ends with.
    fn words(self) -> &'static str {
        match self {
            Self::Direct => "",
            Self::Duplicate => " again",
            Self::Stale => " from memory",
        }
    }
}

/// Why a packet was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LossReason {
    /// The radio missed it.
    Radio,
    /// The program did not take its sightings, and the scan holds no more of them.
    QueueFull,
}

/// What a program asks a radio for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// To start a scan.
    Scan,
    /// To start an advert.
    Advertise,
    /// To be connected to.
    Listen,
    /// To connect to another device.
    Connect,
}

impl fmt::Display for TraceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = &self.device;
        write!(f, "{:>8} ms  ", self.at.as_millis())?;
        match &self.kind {
            TraceKind::AdvertStarted { advert, uuid, length, address } => {
                let number = advert.number;
                write!(f, "{device} starts advert {number}: {length} bytes under {uuid:?} from {address}")
            }
            TraceKind::AdvertEnded { advert } => write!(f, "{device} ends advert {}", advert.number),
            TraceKind::ScanStarted { scan } => write!(f, "{device} starts scan {}", scan.number),
            TraceKind::ScanEnded { scan } => write!(f, "{device} ends scan {}", scan.number),
            TraceKind::Heard { advert, from, arrival, .. } => {
                write!(f, "{device} hears advert {} of {from}{}", advert.number, arrival.words())
            }
            TraceKind::Lost { advert, from, reason, .. } => {
                let why = match reason {
                    LossReason::Radio => "misses",
                    LossReason::QueueFull => "has no room for",
                };
                write!(f, "{device} {why} a packet of advert {} of {from}", advert.number)
            }
            TraceKind::ListeningStarted { psm } => write!(f, "{device} listens on PSM {psm:#x}"),
            TraceKind::ListeningEnded { psm } => write!(f, "{device} stops listening on PSM {psm:#x}"),
            TraceKind::Connected { link, to, psm } => {
                write!(f, "{device} has connection {} to {to} on PSM {psm:#x}", link.number)
            }
            TraceKind::ConnectRefused { psm } => write!(f, "{device} is turned down on PSM {psm:#x}"),
            TraceKind::Disconnected { link } => write!(f, "{device} ends connection {}", link.number),
            TraceKind::Refused { action: Action::Scan } => write!(f, "{device} is refused a scan"),
            TraceKind::Refused { action: Action::Advertise } => write!(f, "{device} is refused an advert"),
            TraceKind::Refused { action: Action::Listen } => write!(f, "{device} may not be connected to"),
            TraceKind::Refused { action: Action::Connect } => write!(f, "{device} may not connect"),
            TraceKind::AdapterChanged { adapter } => write!(f, "{device} has its adapter {adapter:?}"),
            TraceKind::Moved { groups } => {
                let names: Vec<&str> = groups.iter().map(RangeGroup::name).collect();
                write!(f, "{device} moves to [{}]", names.join(", "))
            }
        }
    }
}

/// The newest events of an air.
#[derive(Debug, Default)]
pub(crate) struct TraceLog {
    events: VecDeque<TraceEvent>,
    /// How many events came before the oldest one kept.
    forgotten: u64,
}

impl TraceLog {
    /// How many events are kept.
    pub(crate) const KEPT: usize = 16_384;

    pub(crate) fn push(&mut self, event: TraceEvent) {
        if self.events.len() >= Self::KEPT {
            self.events.pop_front();
            self.forgotten = self.forgotten.saturating_add(1);
        }
        self.events.push_back(event);
    }

    pub(crate) fn to_vec(&self) -> Vec<TraceEvent> {
        self.events.iter().cloned().collect()
    }

    /// How many events there have been in all.
    pub(crate) fn recorded(&self) -> u64 {
        self.forgotten.saturating_add(u64::try_from(self.events.len()).unwrap_or(u64::MAX))
    }

    /// The first event that is kept, at or after a position, and the position after it.
    fn at_or_after(&self, position: u64) -> Option<(TraceEvent, u64)> {
        let position = position.max(self.forgotten);
        let index = usize::try_from(position.checked_sub(self.forgotten)?).ok()?;
        Some((self.events.get(index)?.clone(), position.saturating_add(1)))
    }
}

/// The events of an [`Air`](super::Air) as they happen.
///
/// The air keeps the newest 16,384 events. A reader that is further behind continues with the oldest one kept.
pub struct TraceStream {
    shared: Arc<Shared>,
    position: u64,
    changes: watch::Receiver<()>,
    records: watch::Receiver<()>,
}

impl TraceStream {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let position = shared.with(|state| state.trace.recorded());
        let (changes, records) = (shared.watch_changes(), shared.watch_records());
        Self { shared, position, changes, records }
    }

    /// Waits for the next event.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    pub async fn next(&mut self) -> TraceEvent {
        loop {
            consume_budget().await;
            self.changes.mark_unchanged();
            self.records.mark_unchanged();
            let position = self.position;
            let (found, due) =
                self.shared.with(|state| (state.trace.at_or_after(position), state.next_packet()));
            if let Some((event, position)) = found {
                self.position = position;
                return event;
            }
            let (changes, records) = (&mut self.changes, &mut self.records);
            tokio::select! {
                biased;
                _ = records.changed() => {}
                () = self.shared.pause(due, changes) => {}
            }
        }
    }
}

impl fmt::Debug for TraceStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceStream").field("position", &self.position).finish_non_exhaustive()
    }
}
