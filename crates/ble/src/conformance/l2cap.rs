//! What every backend promises about connections, as checks that run over any pair of radios.
//!
//! A backend that can connect implements [`Rig`] beside the one for adverts, since a device is found by its advert.
//! Then [`run`] carries out every [`Check`]. They leave the size of packets to the backend: each check uses what the
//! other side takes.

mod checks;
mod meeting;

use std::fmt;
use std::time::Duration;

use super::Problem;
use crate::l2cap::{L2capConnector, L2capListener};

/// Two radios in range of each other that can be connected: [`scanner`](super::Rig::scanner) and
/// [`connector`](Self::connector) are one of them, [`advertiser`](super::Rig::advertiser) and
/// [`listener`](Self::listener) the other.
pub trait Rig: super::Rig {
    /// The radio that connects.
    type Connector: L2capConnector;
    /// The radio that is connected to.
    type Listener: L2capListener;

    /// The radio that connects.
    fn connector(&self) -> &Self::Connector;

    /// The radio that is connected to.
    fn listener(&self) -> &Self::Listener;

    /// The longest time until a connection is open or refused, until a packet has arrived, and until one side knows
    /// that the other one has left.
    fn patience(&self) -> Duration;
}

/// One promise of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// PSMs are in Bluetooth's dynamic range, and no two that are listened on at once are the same.
    PsmsAreDynamic,
    /// Packets of every size up to the largest arrive unchanged and in the portions in which they were sent, both ways.
    PacketsUntouched,
    /// A packet above the largest size is refused with [`RadioError::PacketTooLarge`](crate::RadioError), and the
    /// connection is good afterwards.
    OversizeRefused,
    /// Many packets both ways at once arrive in order, however slowly they are read.
    ManyPackets,
    /// Two connections at once do not mix.
    TwoConnections,
    /// Dropping one end ends the other, with [`RadioError::Disconnected`](crate::RadioError) from sending and receiving.
    DropDisconnects,
    /// Connecting to a PSM that nobody listens on, or not any more, gives
    /// [`RadioError::Unreachable`](crate::RadioError).
    NobodyListens,
    /// A connection that was accepted lasts when its device stops listening and advertising.
    ListeningIsNotTheConnection,
    /// Dropping the futures of accepting and receiving loses nothing.
    WaitingIsCancelSafe,
    /// Dropping the future of connecting, at any time, leaves the radio able to connect.
    ConnectIsCancelSafe,
}

impl Check {
    /// Every check.
    pub const ALL: [Self; 10] = [
        Self::PsmsAreDynamic,
        Self::PacketsUntouched,
        Self::OversizeRefused,
        Self::ManyPackets,
        Self::TwoConnections,
        Self::DropDisconnects,
        Self::NobodyListens,
        Self::ListeningIsNotTheConnection,
        Self::WaitingIsCancelSafe,
        Self::ConnectIsCancelSafe,
    ];

    /// Carries out this check.
    ///
    /// # Errors
    /// [`Problem`] when the backend breaks the promise.
    ///
    /// # Cancel safety
    /// Dropping the future drops every connection, scan and advert of the check.
    pub async fn run(self, rig: &impl Rig) -> Result<(), Problem> {
        checks::run(self, rig).await
    }
}

/// Carries out every check, one after another.
///
/// # Cancel safety
/// Dropping the future drops every connection, scan and advert of the check that was running.
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
