//! What can go wrong for a caller, grouped by who can do something about it.

use hybridge_ble::RadioError;
use hybridge_proto::{
    channel::DialFailure,
    client::{AttemptError, ClientError, RequestError},
    domain::{DomainId, UnassignedDomain},
    json::EnvelopeError,
};
use hybridge_tunnel::DialError;
use thiserror::Error;

use crate::status::Status;

/// Why a session or request failed. `Display` says what failed and what to try.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// This computer's radio: there is none, it is off, or it may not be used.
    #[error("Bluetooth cannot be used, so no phone can prove to be near: {0}")]
    Radio(#[from] RadioError),
    /// Nobody scanned the code in time.
    #[error("no phone answered; scan the code with the phone's camera and keep it near, with Bluetooth on")]
    NobodyScanned,
    /// The remembered phones that were called did not come.
    #[error("the called phone did not answer; unlock it, bring it near, or scan a code with it")]
    NoAnswer,
    /// The remembered phone has forgotten this computer. Its link is of no further use.
    #[error("the phone has forgotten this computer; forget it here too, and scan a code with it")]
    LinkGone,
    /// A phone answered, through a tunnel service without a known host.
    #[error("the phone uses tunnel service {0}, which this program does not know; a newer version may")]
    UnknownTunnelService(DomainId),
    /// The phone's tunnel service could not be reached, refused, or broke the protocol.
    #[error("the phone's tunnel service cannot be used: {error}")]
    Tunnel {
        /// What the protocol saw.
        error: AttemptError,
        /// What the dialer saw; nothing if the time ran out first.
        source: Option<DialError>,
    },
    /// A phone was near and failed to prove that it has seen this code, or gave up in the middle.
    #[error("the phone could not prove that it has seen this code: {0}")]
    Handshake(#[source] AttemptError),
    /// The person or the phone said no.
    #[error("the phone refused: {0}")]
    Refused(Status),
    /// The phone left before it was connected, or without answering the request.
    #[error("the phone hung up before it answered; try again")]
    PhoneLeft,
    /// The phone did not answer in time.
    #[error("the phone did not answer in time; unlock it and try again")]
    TimedOut,
    /// The phone cannot do what was asked for.
    #[error("this phone cannot do what was asked for; use another one")]
    Unsupported,
    /// The phone, or somebody in between, broke the protocol.
    #[error(transparent)]
    Protocol(ClientError),
    /// The phone's reply is not what CTAP says.
    #[error("the phone's reply is malformed; update the phone or use another one: {0}")]
    MalformedReply(#[from] ReplyProblem),
    /// The caller's request was not sent.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A remembered phone's tunnel service has no known host.
    #[error("the remembered phone's {0}")]
    Link(#[from] UnassignedDomain),
    /// The session was ended from this side: the runtime that carried it has stopped.
    #[error("the sign-in was cancelled")]
    Cancelled,
    /// The operating system has no random numbers.
    #[error("the operating system gave no random numbers; restart this computer")]
    Randomness,
    /// The session was started outside a tokio runtime, so nothing can run it.
    #[error("a session needs a tokio runtime; start it within one")]
    NoRuntime,
}

/// What is wrong with a reply.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReplyProblem {
    /// It has no status byte.
    #[error("it is empty")]
    Empty,
    /// Its CBOR is not what the command's reply holds.
    #[error("its contents do not fit the request")]
    Contents,
    /// The phone did not describe itself.
    #[error("there is no description of the phone")]
    NoGetInfo,
    /// Its JSON is not what a digital credential reply holds.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

impl Error {
    /// Puts the protocol's verdict into the caller's words. `dial` is what the dialer said last.
    pub(crate) fn from_verdict(verdict: ClientError, dial: Option<DialError>) -> Self {
        match verdict {
            ClientError::NobodyScanned => Self::NobodyScanned,
            ClientError::UnknownTunnelService(domain) => Self::UnknownTunnelService(domain),
            ClientError::Attempt(error) => Self::from_attempt(error, dial),
            ClientError::PhoneLeft | ClientError::Silent => Self::PhoneLeft,
            ClientError::ReplyTimeout => Self::TimedOut,
            ClientError::Unsupported => Self::Unsupported,
            other => Self::Protocol(other),
        }
    }

    fn from_attempt(error: AttemptError, dial: Option<DialError>) -> Self {
        match error {
            AttemptError::Dial(DialFailure::Gone) => Self::LinkGone,
            AttemptError::CallTimeout => Self::NoAnswer,
            AttemptError::Dial(_) | AttemptError::DialTimeout | AttemptError::Signal => {
                Self::Tunnel { error, source: dial }
            }
            _ => Self::Handshake(error),
        }
    }
}
