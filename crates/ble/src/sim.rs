//! A simulated air: many devices and no radio.
//!
//! An [`Air`] is made from a seed. It hands out [`SimDevice`]s, each of them a [`Scanner`](crate::Scanner) and an
//! [`Advertiser`](crate::Advertiser), and able to [connect](crate::l2cap) and be connected to. [`AirOptions`] say how bad the air is; [`RangeGroup`]s say who hears whom;
//! [`Adapter`] says what is wrong with one device.
//!
//! # How it works
//!
//! An advert is sent as a row of packets, one per interval, until its handle is dropped. Each packet meets its
//! fate for each scan in range: lost, late, doubled, or accompanied by an old advert from the device's memory.
//!
//! Nothing runs in the background. The state is a plain value that knows up to which time everything has happened.
//! Whoever touches the air, or waits for it in [`Scan::next`](crate::Scan::next) or [`TraceStream::next`], first
//! lets it catch up with the clock. When the last handle is gone, so is the air. An air that nobody touches for
//! more than an hour skips the packets before the last hour.
//!
//! Time is tokio's: real in a demonstration, virtual under `tokio::time::pause`. The air counts it in whole
//! milliseconds from its own beginning, so that the fraction of a millisecond at which a clock was paused leaves no
//! mark.
//!
//! Chance comes from the seed, the device, the number of its session and the number of the packet, and from nothing
//! else. The same seed and the same calls at the same times give the same [trace](Air::trace); and a device that is
//! added later, or a scan that is polled more often, changes nothing for the others.
//!
//! Waiting needs a tokio runtime whose time driver is enabled, as everything that sleeps does.

mod device;
mod dice;
mod links;
mod options;
mod packets;
mod shared;
mod socket;
mod state;
mod trace;

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use shared::Shared;
use state::State;

pub use device::{Adapter, RangeGroup, SimAdvert, SimDevice, SimScan};
pub use options::{AirOptions, NotAProbability, Probability};
pub use socket::{SimListening, SimSocket};
pub use trace::{
    Action, AdvertId, Arrival, ConnectionId, LossReason, ScanId, TraceEvent, TraceKind, TraceStream,
};

/// A simulated air. Clones are the same air.
#[derive(Clone)]
pub struct Air {
    shared: Arc<Shared>,
}

impl Air {
    /// An ideal air, in which every packet arrives at once.
    pub fn new(seed: u64) -> Self {
        Self::with_options(seed, &AirOptions::default())
    }

    /// An air of the given quality.
    pub fn with_options(seed: u64, options: &AirOptions) -> Self {
        Self { shared: Arc::new(Shared::new(State::new(seed, options))) }
    }

    /// Adds a device that hears, and is heard by, all others added this way.
    pub fn device(&self, name: impl Into<Arc<str>>) -> SimDevice {
        self.device_in(name, [RangeGroup::default()])
    }

    /// Adds a device in the given range groups.
    pub fn device_in<G: Into<RangeGroup>>(
        &self,
        name: impl Into<Arc<str>>,
        groups: impl IntoIterator<Item = G>,
    ) -> SimDevice {
        let name = name.into();
        let groups = groups.into_iter().map(Into::into).collect();
        let id = self.shared.with(|state| state.add_device(Arc::clone(&name), groups));
        SimDevice::new(Arc::clone(&self.shared), id, name)
    }

    /// What happened until now, oldest first: the newest 16,384 events.
    pub fn trace(&self) -> Vec<TraceEvent> {
        self.shared.with(|state| state.trace.to_vec())
    }

    /// Reads what happens from now on as it happens.
    pub fn subscribe(&self) -> TraceStream {
        TraceStream::new(Arc::clone(&self.shared))
    }

    /// The beginning of the air, from which its trace counts.
    pub fn started(&self) -> Instant {
        self.shared.started
    }
}

impl fmt::Debug for Air {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Air").finish_non_exhaustive()
    }
}
