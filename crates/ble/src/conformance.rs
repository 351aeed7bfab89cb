//! What every backend promises, as checks that run over any pair of radios.
//!
//! A backend implements [`Rig`]: a scanner, an advertiser in its range, and how long things may take there. Then
//! [`run`] carries out every [`Check`]. The same checks run over the simulated air on a virtual clock, and over real
//! adapters in real time. They put up with lost packets, repeated sightings and other people's adverts, and none of
//! them waits longer than the rig says.
//!
//! ```
//! use std::time::Duration;
//! use hybridge_ble::conformance::{self, Bounds, Rig};
//! use hybridge_ble::sim::{Air, SimDevice};
//!
//! struct Pair(SimDevice, SimDevice);
//!
//! impl Rig for Pair {
//!     type Scanner = SimDevice;
//!     type Advertiser = SimDevice;
//!
//!     fn scanner(&self) -> &SimDevice {
//!         &self.0
//!     }
//!     fn advertiser(&self) -> &SimDevice {
//!         &self.1
//!     }
//!     fn max_data(&self) -> usize {
//!         24
//!     }
//!     fn bounds(&self) -> Bounds {
//!         let second = Duration::from_secs(1);
//!         Bounds { hear: second, withdraw: second, quiet: second }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let air = Air::new(1);
//! let pair = Pair(air.device("laptop"), air.device("phone"));
//! for outcome in conformance::run(&pair).await {
//!     assert!(outcome.result.is_ok(), "{outcome}");
//! }
//! # }
//! ```

mod checks;
pub mod l2cap;
mod listen;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use thiserror::Error;

use crate::{Advertiser, RadioError, Scanner};

/// Two radios in range of each other, and what is known about them.
pub trait Rig: Send + Sync {
    /// The radio that listens.
    type Scanner: Scanner;
    /// The radio that sends. It may be the same adapter only if that adapter hears itself.
    type Advertiser: Advertiser;

    /// The radio that listens.
    fn scanner(&self) -> &Self::Scanner;

    /// The radio that sends.
    fn advertiser(&self) -> &Self::Advertiser;

    /// The most service data in bytes that the advertiser takes: from 20, which every authenticator sends, to 252,
    /// which is all that one field can hold. Other values are moved to the nearer end.
    fn max_data(&self) -> usize;

    /// How long things may take.
    fn bounds(&self) -> Bounds;

    /// How many scans run, as the system sees it, or `None` on a system that does not know.
    ///
    /// # Errors
    /// [`RadioError`] when a system that knows does not say, which breaks the promise that is being checked.
    fn running_scans(&self) -> impl Future<Output = Result<Option<usize>, RadioError>> + Send {
        async { Ok(None) }
    }

    /// How many adverts are on the air, as the system sees it, or `None` on a system that does not know.
    ///
    /// # Errors
    /// As [`running_scans`](Self::running_scans).
    fn live_adverts(&self) -> impl Future<Output = Result<Option<usize>, RadioError>> + Send {
        async { Ok(None) }
    }

    /// Six bytes that tell the adverts of this rig from those of other rigs. Every advert of the checks begins with
    /// two bytes that count and these six. On a real air they are drawn at random once for each rig.
    fn mark(&self) -> [u8; 6] {
        *b"hybrid"
    }
}

/// How long things may take on a rig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The longest time until a radio has started, and until an advert on the air is heard.
    pub hear: Duration,
    /// The longest time from dropping a handle until its advert is off the air or its scan has ended.
    pub withdraw: Duration,
    /// How long to listen before silence is believed.
    pub quiet: Duration,
}

/// One promise of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// An advert under 0xFFF9 is heard, with its data and UUID.
    HeardUnderFido,
    /// An advert under 0xFDE2 is heard, with its data and UUID.
    HeardUnderGoogle,
    /// A connectable advert is heard.
    HeardConnectable,
    /// Data of 20 bytes, of the largest size and in between arrives unchanged, zeros at its end included.
    DataUntouched,
    /// Two adverts of one radio are heard by one scan.
    TwoAdverts,
    /// Withdrawing one of two adverts leaves the other on the air.
    OneOfTwoWithdrawn,
    /// A withdrawn advert is not heard any more, soon after its handle is dropped.
    Withdrawn,
    /// An advert that was on the air first is heard by a scan that starts later.
    ScanAfterAdvert,
    /// An advert that one scan has heard is heard by the next scan too.
    ScanAgain,
    /// Two scans at once hear the same advert, and dropping one leaves the other running.
    TwoScans,
    /// Dropping a scan ends it, and many scans can be started and dropped one after another.
    ScanDropStops,
    /// Dropping the future of [`Scan::next`](crate::Scan::next) loses no sighting.
    NextIsCancelSafe,
    /// Too much data is refused with [`RadioError::AdvertTooLarge`], and nothing is sent.
    OversizeRefused,
}

impl Check {
    /// Every check.
    pub const ALL: [Self; 13] = [
        Self::HeardUnderFido,
        Self::HeardUnderGoogle,
        Self::HeardConnectable,
        Self::DataUntouched,
        Self::TwoAdverts,
        Self::OneOfTwoWithdrawn,
        Self::Withdrawn,
        Self::ScanAfterAdvert,
        Self::ScanAgain,
        Self::TwoScans,
        Self::ScanDropStops,
        Self::NextIsCancelSafe,
        Self::OversizeRefused,
    ];

    /// Carries out this check.
    ///
    /// # Errors
    /// [`Problem`] when the backend breaks the promise.
    ///
    /// # Cancel safety
    /// Dropping the future drops every scan and advert of the check.
    pub async fn run(self, rig: &impl Rig) -> Result<(), Problem> {
        checks::run(self, rig).await
    }
}

/// Carries out every check, one after another.
///
/// # Cancel safety
/// Dropping the future drops every scan and advert of the check that was running.
pub async fn run(rig: &impl Rig) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for check in Check::ALL {
        outcomes.push(Outcome { check, result: check.run(rig).await });
    }
    outcomes
}

/// What came of a check. `Display` is one line for a person.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The check.
    pub check: Check,
    /// Whether the backend keeps the promise.
    pub result: Result<(), Problem>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(()) => write!(f, "{:?}: kept", self.check),
            Err(problem) => write!(f, "{:?}: broken: {problem}", self.check),
        }
    }
}

/// How a backend breaks a promise.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// A radio failed where it should not.
    #[error("the radio failed to {action}")]
    Radio {
        /// What it was asked for.
        action: &'static str,
        /// Its error.
        #[source]
        source: RadioError,
    },
    /// A radio did not start in time.
    #[error("the radio did not {action} within {bound:?}")]
    Stuck {
        /// What it was asked for.
        action: &'static str,
        /// The rig's bound.
        bound: Duration,
    },
    /// An advert on the air was not heard in time.
    #[error("{missing} of the adverts on the air not heard within {bound:?}")]
    NotHeard {
        /// How many adverts were not heard.
        missing: usize,
        /// The rig's bound.
        bound: Duration,
    },
    /// An advert was heard with other data than was sent, or under another UUID.
    #[error("heard {heard} bytes that nobody sent in this form")]
    Changed {
        /// Length of what was heard in bytes.
        heard: usize,
    },
    /// An advert was heard that should not be on the air.
    #[error("heard an advert that should not be on the air")]
    StillHeard,
    /// A scan or an advert continues after its handle was dropped, or another was ended with it.
    #[error("{count} running {bound:?} after a handle was dropped, not {expected}")]
    WrongCount {
        /// How many the system reports.
        count: usize,
        /// How many handles are left.
        expected: usize,
        /// The rig's bound.
        bound: Duration,
    },
    /// Too much data was accepted.
    #[error("{length} bytes were accepted, {} more than fit", length.saturating_sub(*max))]
    OversizeAccepted {
        /// Length of the data or packet in bytes.
        length: usize,
        /// What the rig says fits.
        max: usize,
    },
    /// The PSMs of two listeners are the same, or not dynamic ones.
    #[error("two listeners have the PSMs {0:x?}")]
    Psms([u16; 2]),
    /// A packet arrived in another form than it was sent in, or none was sent.
    #[error("a packet of {sent} bytes arrived as one of {received} bytes, or with other contents")]
    PacketChanged {
        /// Its length in bytes when it was sent.
        sent: usize,
        /// Its length in bytes when it arrived.
        received: usize,
    },
    /// A connection came about or lasted that should not.
    #[error("a connection is open that should not be")]
    StillConnected,
    /// A connection ended, or did not come about, with another error than the one for it.
    #[error("a connection ended with the wrong error")]
    WrongEnd(#[source] RadioError),
    /// Too much data was refused with another error than the one for it, or with wrong sizes in it.
    #[error("too much data was refused with the wrong error")]
    WrongRefusal(#[source] RadioError),
}
