//! What a caller chooses about a client machine.

use core::time::Duration;

use crate::{
    domain::{DomainId, UnassignedDomain},
    ids::{ContactId, LinkId},
    keys::{LinkSecret, PublicKey},
    link::LinkingInfo,
    message::Features,
    packets::Framing,
    qr::Hint,
    service::{ServicePath, ServiceRequest},
};

/// Options of a [`super::ClientMachine`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// What the client is going to ask for; the phone shows a fitting screen.
    pub hint: Hint,
    /// What the phone must be able to do, all of it.
    pub required: Features,
    /// Unix seconds at the `now` given to the constructor, for key 3 of the code; `None` leaves the key out.
    pub unix_time: Option<u64>,
    /// Whether the caller can store linking information. `false` makes the machine ignore it.
    pub accept_linking: bool,
    /// Whether to offer the BLE data channel (CTAP 2.3). Old phones refuse a code that does.
    pub l2cap: bool,
    /// How messages end on that channel, as this side sends them. What the phone sends may have either form. Default:
    /// [`Framing::CrLf`].
    pub l2cap_framing: Framing,
    /// How long things may take.
    pub timing: ClientTiming,
}

impl ClientConfig {
    /// Passkeys over the websocket tunnel, without linking.
    pub fn new(hint: Hint) -> Self {
        Self {
            hint,
            required: Features::default(),
            unix_time: None,
            accept_linking: false,
            l2cap: false,
            l2cap_framing: Framing::default(),
            timing: ClientTiming::default(),
        }
    }
}

/// How long a client waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientTiming {
    /// How long a code is shown before a fresh one takes its place. Default 120 s.
    pub code_lifetime: Duration,
    /// How long a code that is no longer shown can still be answered. Default 60 s.
    pub code_grace: Duration,
    /// How long to look for a phone in all. Default 5 minutes.
    pub search: Duration,
    /// How long opening a channel may take, each of two tries. Default 10 s.
    pub connect: Duration,
    /// How long a called phone may take to join and advertise; its owner may have to find it. Default 120 s.
    pub call: Duration,
    /// How long the phone may take to answer the handshake. Default 15 s.
    pub handshake: Duration,
    /// How long the phone may take to describe itself after the handshake. Default 15 s.
    pub post_handshake: Duration,
    /// How long to wait for linking information after the end, if it is accepted. Default 3 minutes.
    pub linger: Duration,
}

impl Default for ClientTiming {
    fn default() -> Self {
        Self {
            code_lifetime: Duration::from_secs(120),
            code_grace: Duration::from_secs(60),
            search: Duration::from_secs(300),
            connect: Duration::from_secs(10),
            call: Duration::from_secs(120),
            handshake: Duration::from_secs(15),
            post_handshake: Duration::from_secs(15),
            linger: Duration::from_secs(180),
        }
    }
}

/// A remembered phone: linking information and the tunnel service of the session it came from.
#[derive(Debug)]
#[non_exhaustive]
pub struct Link {
    /// The phone's tunnel service.
    pub domain: DomainId,
    /// What the phone gave.
    pub info: LinkingInfo,
}

impl Link {
    /// Puts both together.
    pub const fn new(domain: DomainId, info: LinkingInfo) -> Self {
        Self { domain, info }
    }

    pub(super) fn contact_request(&self) -> Result<ServiceRequest, UnassignedDomain> {
        let contact: &ContactId = &self.info.contact;
        ServiceRequest::new(self.domain, ServicePath::Contact { contact: contact.clone() })
    }

    pub(super) const fn id(&self) -> LinkId {
        self.info.link
    }

    pub(super) const fn secret(&self) -> &LinkSecret {
        &self.info.secret
    }

    pub(super) const fn identity(&self) -> &PublicKey {
        &self.info.identity
    }
}
