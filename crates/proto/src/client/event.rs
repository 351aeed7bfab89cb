//! What a client machine tells and asks.

use core::fmt;
use std::time::Instant;

use thiserror::Error;

use super::Link;
use crate::{
    channel::{ChannelId, CloseCode, DialFailure, Route},
    domain::DomainId,
    frame::FrameError,
    handshake::HandshakeError,
    link::LinkError,
    message::{Features, MessageError, MessageKind, PostHandshakeError},
    qr::QrUri,
    secret::length,
};

/// What the driver must do, in this order.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Start listening for service data, before any code is shown.
    StartScan,
    /// Stop listening.
    StopScan,
    /// Open a channel and report with `handle_channel_opened` or `handle_dial_failed`.
    Dial {
        /// The name of the channel from now on.
        channel: ChannelId,
        /// Where it leads.
        route: Route,
    },
    /// Send one message.
    Send {
        /// An open channel.
        channel: ChannelId,
        /// The bytes of one websocket message; or, on an L2CAP channel, of one message and what marks its end
        /// ([`Framing`](crate::packets::Framing)), to be cut into packets and sent as they are.
        message: Vec<u8>,
    },
    /// Close a channel after everything sent on it, or give up opening it. No report is due.
    Close {
        /// The channel.
        channel: ChannelId,
        /// What to tell the peer.
        code: CloseCode,
    },
}

/// Names one call of a remembered phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub(crate) u64);

/// How the phone of a session was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FoundBy {
    /// It scanned a code.
    Code,
    /// It was called.
    Call(CallId),
}

/// What happened, for a caller or a person to know.
#[non_exhaustive]
pub enum Event {
    /// Show this code, in place of an earlier one if there is one.
    ShowQr {
        /// The text for the picture.
        uri: QrUri,
        /// When a fresh one will take its place.
        until: Instant,
    },
    /// Take the code off the screen: a phone has it.
    HideQr,
    /// An advert matched, so a phone is near. A channel to it is being opened.
    PhoneNearby {
        /// How it was found.
        found_by: FoundBy,
    },
    /// A phone advertised with a tunnel service that has no known host. The search goes on.
    UnknownTunnelService(DomainId),
    /// The tunnel service says that a called phone has joined. Only good for a display.
    PhoneJoined(CallId),
    /// A channel is open and the handshake has begun.
    Handshaking {
        /// How the phone was found.
        found_by: FoundBy,
    },
    /// One phone was not reached or failed the handshake. The search goes on.
    AttemptFailed {
        /// How the phone was found.
        found_by: FoundBy,
        /// Which channel it was.
        channel: ChannelId,
        /// What went wrong.
        error: AttemptError,
    },
    /// The remembered phone is gone for good: delete the link.
    LinkGone(CallId),
    /// A phone is connected and has described itself; requests can be sent.
    Connected {
        /// How it was found.
        found_by: FoundBy,
        /// The CBOR of its getInfo reply, untouched; absent if it takes digital credentials only.
        get_info: Option<Vec<u8>>,
        /// What it can do.
        features: Features,
    },
    /// The reply to the CTAP request: status byte and CBOR, untouched.
    CtapReply(Vec<u8>),
    /// The reply to the JSON request.
    JsonReply(Vec<u8>),
    /// The phone wants to be remembered and has proved to be the one of this session.
    Linked(Box<Link>),
    /// The phone sent linking information that does not hold. Nothing else changes.
    LinkRefused(LinkError),
    /// The session is over as it should be. No more events follow.
    Finished,
    /// The session has failed. No more events follow.
    Failed(ClientError),
}

/// Messages are shown by their length only.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartScan => f.write_str("StartScan"),
            Self::StopScan => f.write_str("StopScan"),
            Self::Dial { channel, route } => {
                f.debug_struct("Dial").field("channel", channel).field("route", route).finish()
            }
            Self::Send { channel, message } => {
                f.debug_struct("Send").field("channel", channel).field("message", &length(message)).finish()
            }
            Self::Close { channel, code } => {
                f.debug_struct("Close").field("channel", channel).field("code", code).finish()
            }
        }
    }
}

/// Replies and descriptions are shown by their length only.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShowQr { uri, until } => {
                f.debug_struct("ShowQr").field("uri", uri).field("until", until).finish()
            }
            Self::HideQr => f.write_str("HideQr"),
            Self::PhoneNearby { found_by } => f.debug_tuple("PhoneNearby").field(found_by).finish(),
            Self::UnknownTunnelService(domain) => {
                f.debug_tuple("UnknownTunnelService").field(domain).finish()
            }
            Self::PhoneJoined(call) => f.debug_tuple("PhoneJoined").field(call).finish(),
            Self::Handshaking { found_by } => f.debug_tuple("Handshaking").field(found_by).finish(),
            Self::AttemptFailed { channel, error, .. } => {
                f.debug_struct("AttemptFailed").field("channel", channel).field("error", error).finish()
            }
            Self::LinkGone(call) => f.debug_tuple("LinkGone").field(call).finish(),
            Self::Connected { found_by, get_info, features } => f
                .debug_struct("Connected")
                .field("found_by", found_by)
                .field("get_info", &get_info.as_deref().map(length))
                .field("features", features)
                .finish(),
            Self::CtapReply(reply) => f.debug_tuple("CtapReply").field(&length(reply)).finish(),
            Self::JsonReply(reply) => f.debug_tuple("JsonReply").field(&length(reply)).finish(),
            Self::Linked(link) => f.debug_tuple("Linked").field(link).finish(),
            Self::LinkRefused(error) => f.debug_tuple("LinkRefused").field(error).finish(),
            Self::Finished => f.write_str("Finished"),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

/// Why one phone was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AttemptError {
    /// The channel could not be opened.
    #[error(transparent)]
    Dial(#[from] DialFailure),
    /// The channel was not open in time.
    #[error("connecting took too long; check the network connection")]
    DialTimeout,
    /// The channel closed during the handshake.
    #[error("the phone or its tunnel service hung up during the handshake; scan the new code")]
    ChannelLost,
    /// The handshake failed.
    #[error("{0}; scan the new code with the phone that is to sign in")]
    Handshake(#[from] HandshakeError),
    /// The phone did not answer the handshake in time.
    #[error("the phone did not answer in time; scan the new code")]
    HandshakeTimeout,
    /// A called phone did not join and advertise in time.
    #[error("the called phone did not answer; unlock it, bring it near, or scan the code")]
    CallTimeout,
    /// The tunnel service sent something else than the agreed signal.
    #[error("the tunnel service broke the protocol")]
    Signal,
}

/// Why a session failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answered the code.
    #[error("no phone answered; scan the code with the phone's camera and keep it near, with Bluetooth on")]
    NobodyScanned,
    /// A phone answered, but through a tunnel service that has no known host.
    #[error("the phone uses a tunnel service this program does not know ({0}); a newer version may")]
    UnknownTunnelService(DomainId),
    /// A phone answered and was not reached.
    #[error(transparent)]
    Attempt(#[from] AttemptError),
    /// The phone passed the handshake and did not describe itself in time.
    #[error("the phone connected and then said nothing; try again")]
    Silent,
    /// The phone's description is malformed.
    #[error(transparent)]
    PostHandshake(#[from] PostHandshakeError),
    /// The phone cannot do what is required.
    #[error("this phone cannot do what was asked for; use another one")]
    Unsupported,
    /// A frame failed to open or could not be sealed.
    #[error("the connection to the phone was tampered with or broke the protocol: {0}")]
    Frame(#[from] FrameError),
    /// A message is malformed.
    #[error("the phone broke the protocol: {0}")]
    Message(#[from] MessageError),
    /// The phone sent a reply that nobody asked for, or of another kind than was asked for.
    #[error("the phone broke the protocol: a {0:?} message that was not asked for")]
    Unsolicited(MessageKind),
    /// The phone left before it was connected, or with a request outstanding.
    #[error("the phone hung up before it answered; try again")]
    PhoneLeft,
    /// The reply did not come in the time the caller gave.
    #[error("the phone did not answer the request in time; unlock it and try again")]
    ReplyTimeout,
}

/// Why a request was not sent. The session is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There is no connected phone, or not any more.
    #[error("no phone is connected")]
    NotConnected,
    /// The reply to an earlier request is still to come.
    #[error("the phone is still busy with an earlier request; wait for its reply")]
    Busy,
    /// The phone does not take this kind of request.
    #[error("this phone does not take this kind of request")]
    Unsupported,
    /// The request has no bytes.
    #[error("an empty request")]
    Empty,
    /// The request does not fit into a frame.
    #[error("the request is too large for one frame: {0}")]
    TooLarge(FrameError),
}
