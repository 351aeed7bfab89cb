//! What both machines and their drivers say about data channels.

use core::fmt;

use thiserror::Error;

use crate::{advert::Psm, service::ServiceRequest};

/// Names one data channel of a machine. A redial gets a new one, so late reports of an old one are harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub(crate) u64);

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "channel {}", self.0)
    }
}

/// What a driver knows about where service data came from, handed back when the device is to be connected to.
/// The number has no meaning for the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SightingId(pub u64);

/// Where a data channel is to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// A websocket request to a tunnel service.
    Tunnel(ServiceRequest),
    /// A BLE L2CAP channel to the device that sent the advert.
    L2cap {
        /// The device's port.
        psm: Psm,
        /// Which sighting it was.
        sighting: SightingId,
    },
}

/// A websocket close code (RFC 6455 section 7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1000: done.
    pub const NORMAL: Self = Self(1000);
    /// 1001: going away.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
}

/// Why a channel could not be opened, as far as the protocol needs to know. Drivers keep the details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum DialFailure {
    /// HTTP status 410: on a contact request, the phone has forgotten this client for good.
    #[error("the tunnel service says that this phone is gone for good")]
    Gone,
    /// Another HTTP status than 101.
    #[error("the tunnel service refused with HTTP status {0}")]
    Refused(u16),
    /// The host could not be reached, or not in time, or not securely.
    #[error("the tunnel service could not be reached; check the network connection")]
    Unreachable,
    /// The answer is not that of a tunnel service.
    #[error("the host answered, but not as a tunnel service")]
    NotATunnelService,
    /// The BLE channel could not be opened.
    #[error("the phone could not be reached over Bluetooth")]
    L2cap,
}

impl DialFailure {
    /// Whether another try may help.
    pub const fn is_transient(self) -> bool {
        match self {
            Self::Refused(status) => status >= 500,
            Self::Unreachable => true,
            Self::Gone | Self::NotATunnelService | Self::L2cap => false,
        }
    }
}
