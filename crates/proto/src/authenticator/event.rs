//! What an authenticator machine tells and asks.

use core::fmt;

use thiserror::Error;

use crate::{
    channel::{ChannelId, CloseCode, DialFailure},
    frame::FrameError,
    handshake::HandshakeError,
    message::{MessageError, MessageKind},
    secret::length,
    service::ServiceRequest,
};

/// What the driver must do, in this order.
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Open a websocket and report with `handle_tunnel_opened` or `handle_dial_failed`.
    Dial {
        /// The name of the channel from now on.
        channel: ChannelId,
        /// What to ask of which tunnel service.
        request: ServiceRequest,
    },
    /// Listen for BLE L2CAP connections and report with `handle_l2cap_listening` or `handle_l2cap_unavailable`.
    ListenL2cap,
    /// Advertise this service data under 0xFFF9 until told otherwise.
    Advertise {
        /// 20 bytes, and a suffix if the BLE channel is offered.
        service_data: Vec<u8>,
        /// Whether clients connect to the advertising device.
        connectable: bool,
    },
    /// Stop advertising, and listening for L2CAP connections, as far as either has begun.
    StopAdvertising,
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

/// What happened, for a caller or a person to know.
#[non_exhaustive]
pub enum Event {
    /// The tunnel cannot be used, for this reason. A client can still come over BLE.
    TunnelUnavailable(AuthenticatorError),
    /// The tunnel is open, unless it is unavailable, and the advert is on the air.
    Advertising,
    /// A client passed the handshake, so it has the code (or link) and heard the advert. It comes twice when the
    /// client falls back from BLE to the tunnel.
    ClientConnected,
    /// A CTAP request, command byte and CBOR: answer it with `reply`.
    CtapRequest(Vec<u8>),
    /// A JSON request for digital credentials: answer it with `reply`.
    JsonRequest(Vec<u8>),
    /// The session is over as it should be. No more events follow.
    Finished,
    /// The session has failed. No more events follow.
    Failed(AuthenticatorError),
}

/// Messages and service data are shown by their length only.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dial { channel, request } => {
                f.debug_struct("Dial").field("channel", channel).field("request", request).finish()
            }
            Self::ListenL2cap => f.write_str("ListenL2cap"),
            Self::Advertise { service_data, connectable } => f
                .debug_struct("Advertise")
                .field("service_data", &length(service_data))
                .field("connectable", connectable)
                .finish(),
            Self::StopAdvertising => f.write_str("StopAdvertising"),
            Self::Send { channel, message } => {
                f.debug_struct("Send").field("channel", channel).field("message", &length(message)).finish()
            }
            Self::Close { channel, code } => {
                f.debug_struct("Close").field("channel", channel).field("code", code).finish()
            }
        }
    }
}

/// Requests are shown by their length only.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TunnelUnavailable(error) => f.debug_tuple("TunnelUnavailable").field(error).finish(),
            Self::Advertising => f.write_str("Advertising"),
            Self::ClientConnected => f.write_str("ClientConnected"),
            Self::CtapRequest(request) => f.debug_tuple("CtapRequest").field(&length(request)).finish(),
            Self::JsonRequest(request) => f.debug_tuple("JsonRequest").field(&length(request)).finish(),
            Self::Finished => f.write_str("Finished"),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

/// Why a session failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthenticatorError {
    /// The tunnel could not be opened.
    #[error(transparent)]
    Dial(#[from] DialFailure),
    /// The tunnel was not open in time.
    #[error("connecting to the tunnel service took too long; check the network connection")]
    DialTimeout,
    /// The tunnel closed before a client came.
    #[error("the tunnel service hung up before the computer came; scan a new code")]
    TunnelLost,
    /// No client came in time.
    #[error("the computer did not answer; keep the phone near it and scan a new code")]
    NobodyCame,
    /// What came was not the client that made the code and heard the advert.
    #[error("{0}; scan a new code")]
    Handshake(#[from] HandshakeError),
    /// The client connected and then asked for nothing.
    #[error("the computer connected and then asked for nothing")]
    ClientSilent,
    /// The client left before it asked for anything, or with a request unanswered.
    #[error("the computer hung up")]
    ClientLeft,
    /// A frame failed to open or could not be sealed.
    #[error("the connection to the computer was tampered with or broke the protocol: {0}")]
    Frame(#[from] FrameError),
    /// A message is malformed.
    #[error("the computer broke the protocol: {0}")]
    Message(#[from] MessageError),
    /// A request before the reply to the last one, or of a kind that was not offered.
    #[error("the computer broke the protocol: an unexpected {0:?} message")]
    Unexpected(MessageKind),
}

/// Why a reply was not sent. The session is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// No request is waiting for a reply, for example because the client has left.
    #[error("no request is waiting for this reply")]
    NoRequest,
    /// The reply has no bytes.
    #[error("an empty reply")]
    Empty,
    /// The reply does not fit into a frame.
    #[error("the reply is too large for one frame: {0}")]
    TooLarge(FrameError),
}
