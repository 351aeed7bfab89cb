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

/// The number in a websocket's close frame (RFC 6455 section 7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the work is done.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the sender goes away; from a tunnel service, the peer vanished.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the receiver broke the protocol.
    pub const PROTOCOL: Self = Self(1002);
    /// 1003: the receiver sent a kind of message that is not accepted.
    pub const UNSUPPORTED: Self = Self(1003);
    /// 1005: the close frame holds no code. Sent, it makes an empty close frame.
    pub const NO_STATUS: Self = Self(1005);
    /// 1008: the receiver broke a rule; from a tunnel service, time or quota is used up.
    pub const POLICY: Self = Self(1008);
    /// 1009: the receiver sent a message that is too large.
    pub const TOO_LARGE: Self = Self(1009);

    /// A code that may stand in a close frame: 1000 to 1003, 1007 to 1014 or 3000 to 4999; else none.
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// The code in a close frame that came in, whatever it is.
    pub const fn received(code: u16) -> Self {
        Self(code)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_that_may_be_sent_are_made() {
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 3000, 4999] {
            assert_eq!(CloseCode::new(code).map(CloseCode::get), Some(code));
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535] {
            assert_eq!(CloseCode::new(code), None);
        }
        assert_eq!(CloseCode::GOING_AWAY.to_string(), "1001");
    }
}
