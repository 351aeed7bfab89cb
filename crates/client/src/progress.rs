//! What a session tells while it goes on.

use std::time::Instant;

use hybridge_proto::{
    client::{AttemptError, CallId, Event, FoundBy, Link},
    domain::DomainId,
    link::LinkError,
    qr::QrUri,
};

/// What happens, for a person to see. New kinds may come; ignore those you do not know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress {
    /// The radio listens.
    Scanning,
    /// Show this code as a QR picture, in place of an earlier one.
    ShowQr {
        /// The text of the picture. A secret: draw it, do not log it.
        code: QrUri,
        /// When a fresh one will take its place.
        until: Instant,
    },
    /// Take the code off the screen.
    HideQr,
    /// A phone has proved to be near.
    PhoneNearby(FoundBy),
    /// The tunnel to the phone is being opened.
    Connecting(FoundBy),
    /// The tunnel is open, both sides prove who they are.
    Handshaking(FoundBy),
    /// A called phone has joined, says its tunnel service.
    PhoneJoined(CallId),
    /// The phone is connected: requests can be sent.
    Connected(FoundBy),
    /// A request is with the phone; its owner has to approve.
    WaitingForPhone,
    /// A phone uses a tunnel service without a known host. The search goes on.
    UnknownTunnelService(DomainId),
    /// One phone was not reached or failed its proof. The search goes on.
    AttemptFailed {
        /// How it was found.
        found_by: FoundBy,
        /// What went wrong.
        error: AttemptError,
    },
    /// A remembered phone is gone for good: delete its link.
    LinkGone(CallId),
    /// Remember this phone: store the link, in place of an earlier one with the same identity key.
    Linked(Box<Link>),
    /// The phone sent linking information that does not hold.
    LinkRefused(LinkError),
}

impl Progress {
    /// What to call it in a log.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Scanning => "scanning",
            Self::ShowQr { .. } => "show QR code",
            Self::HideQr => "hide QR code",
            Self::PhoneNearby(_) => "phone nearby",
            Self::Connecting(_) => "connecting",
            Self::Handshaking(_) => "handshaking",
            Self::PhoneJoined(_) => "phone joined",
            Self::Connected(_) => "connected",
            Self::WaitingForPhone => "waiting for phone",
            Self::UnknownTunnelService(_) => "unknown tunnel service",
            Self::AttemptFailed { .. } => "attempt failed",
            Self::LinkGone(_) => "link gone",
            Self::Linked(_) => "linked",
            Self::LinkRefused(_) => "link refused",
        }
    }
}

/// A machine's event as progress, if it is that.
pub(crate) fn from_event(event: Event) -> Result<Progress, Event> {
    Ok(match event {
        Event::ShowQr { uri, until } => Progress::ShowQr { code: uri, until },
        Event::HideQr => Progress::HideQr,
        Event::PhoneNearby { found_by } => Progress::PhoneNearby(found_by),
        Event::UnknownTunnelService(domain) => Progress::UnknownTunnelService(domain),
        Event::PhoneJoined(call) => Progress::PhoneJoined(call),
        Event::Handshaking { found_by } => Progress::Handshaking(found_by),
        Event::AttemptFailed { found_by, error, .. } => Progress::AttemptFailed { found_by, error },
        Event::LinkGone(call) => Progress::LinkGone(call),
        Event::Linked(link) => Progress::Linked(link),
        Event::LinkRefused(error) => Progress::LinkRefused(error),
        other => return Err(other),
    })
}
