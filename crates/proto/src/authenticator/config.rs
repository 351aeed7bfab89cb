//! What a caller chooses about an authenticator machine, and what it starts from.

use core::{fmt, time::Duration};
use std::sync::Arc;

use thiserror::Error;

use crate::{
    domain::DomainId,
    ids::{RoutingId, TunnelId},
    keys::{LinkSecret, PrivateKey},
    link::{ClientPayload, LinkingInfo},
    message::PostHandshake,
};

/// Options of an [`super::AuthenticatorMachine`].
#[derive(Debug)]
#[non_exhaustive]
pub struct AuthenticatorConfig {
    /// This authenticator's tunnel service.
    pub domain: DomainId,
    /// What this authenticator says of itself: its getInfo and its features.
    pub description: PostHandshake,
    /// Linking information for a client that can use it. The caller has asked the person.
    pub linking: Option<LinkOffer>,
    /// Whether the driver can listen for BLE L2CAP connections (CTAP 2.3).
    pub l2cap: bool,
    /// How long things may take.
    pub timing: AuthenticatorTiming,
}

impl AuthenticatorConfig {
    /// An authenticator for passkeys over the websocket tunnel, without linking. `get_info` is the canonical CBOR
    /// of its getInfo reply without the status byte.
    pub fn new(domain: DomainId, get_info: impl Into<Vec<u8>>) -> Self {
        Self {
            domain,
            description: PostHandshake::ctap(get_info),
            linking: None,
            l2cap: false,
            timing: AuthenticatorTiming::default(),
        }
    }
}

/// How long an authenticator waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthenticatorTiming {
    /// How long opening the tunnel may take, each of two tries, and how long it may take until the driver listens for
    /// L2CAP connections. Default 10 s.
    pub connect: Duration,
    /// How long to advertise for a client to come. Default 120 s.
    pub advertise: Duration,
    /// How long a connected client may take to send its next request. Default 120 s.
    pub idle: Duration,
}

impl Default for AuthenticatorTiming {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            advertise: Duration::from_secs(120),
            idle: Duration::from_secs(120),
        }
    }
}

/// What an authenticator gives to a client that is to remember it.
#[derive(Debug)]
pub struct LinkOffer {
    /// The identity key that signs it, whose public key stands in `info`.
    pub identity: Arc<PrivateKey>,
    /// The linking information.
    pub info: LinkingInfo,
}

/// A call from a client that remembers this authenticator, as its tunnel service hands it over.
#[non_exhaustive]
pub struct IncomingCall {
    /// Where the client waits.
    pub tunnel: TunnelId,
    /// On which machine of the tunnel service.
    pub routing: RoutingId,
    /// What the client said.
    pub payload: ClientPayload,
    /// The secret of the link that the payload names.
    pub secret: LinkSecret,
    /// This authenticator's identity key.
    pub identity: Arc<PrivateKey>,
}

impl IncomingCall {
    /// Puts the parts together.
    pub const fn new(
        tunnel: TunnelId,
        routing: RoutingId,
        payload: ClientPayload,
        secret: LinkSecret,
        identity: Arc<PrivateKey>,
    ) -> Self {
        Self { tunnel, routing, payload, secret, identity }
    }
}

impl fmt::Debug for IncomingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingCall").field("payload", &self.payload).finish_non_exhaustive()
    }
}

/// Why an authenticator cannot answer a code or call at all. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The client does not know this authenticator's assigned tunnel service.
    #[error(
        "the computer does not know the tunnel service {0}; it needs an update, or this phone another service"
    )]
    UnknownToClient(DomainId),
    /// No host belongs to this authenticator's tunnel service.
    #[error("the tunnel service {0} has no host; choose an assigned or a hashed one")]
    Unassigned(DomainId),
    /// The code allows none of the data channels that this authenticator has.
    #[error("the computer and this phone have no data channel in common")]
    NoCommonChannel,
}
