//! What can go wrong for the program that is the phone.

use std::sync::Arc;

use hybridge_ble::RadioError;
use hybridge_proto::{
    authenticator::{AuthenticatorError, ReplyError, StartError},
    channel::DialFailure,
    qr::QrError,
};
use hybridge_tunnel::DialError;
use thiserror::Error;

/// Why a session failed. `Display` says what failed and what to try.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum Error {
    /// What was scanned is not a usable code.
    #[error(transparent)]
    Code(#[from] QrError),
    /// This authenticator and the client cannot meet.
    #[error(transparent)]
    Start(#[from] StartError),
    /// This device's radio: there is none, it is off, or it may not be used.
    #[error("Bluetooth cannot be used, so the computer cannot tell that this phone is near: {0}")]
    Radio(#[source] Arc<RadioError>),
    /// The tunnel service could not be reached or refused.
    #[error("the tunnel service cannot be used: {failure}")]
    Tunnel {
        /// What the protocol saw.
        failure: DialFailure,
        /// What the dialer saw.
        #[source]
        source: Option<Arc<DialError>>,
    },
    /// The tunnel closed or timed out before the client came, or nobody came at all.
    #[error(transparent)]
    NobodyCame(AuthenticatorError),
    /// What came was not the client that made the code and heard the advert.
    #[error(transparent)]
    Handshake(AuthenticatorError),
    /// The client left before it asked for anything, or with a request unanswered.
    #[error("the computer hung up; scan a new code if that was not expected")]
    ClientLeft,
    /// The client, or somebody in between, broke the protocol.
    #[error(transparent)]
    Protocol(AuthenticatorError),
    /// The service's reply could not be sent.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// The operating system has no random numbers.
    #[error("the operating system gave no random numbers")]
    Randomness,
}

impl Error {
    /// Puts the protocol's verdict into the caller's words. `dial` is what the dialer said last.
    pub(crate) fn from_verdict(verdict: AuthenticatorError, dial: Option<Arc<DialError>>) -> Self {
        match verdict {
            AuthenticatorError::Dial(failure) => Self::Tunnel { failure, source: dial },
            AuthenticatorError::DialTimeout
            | AuthenticatorError::TunnelLost
            | AuthenticatorError::NobodyCame => Self::NobodyCame(verdict),
            AuthenticatorError::Handshake(_) => Self::Handshake(verdict),
            AuthenticatorError::ClientLeft | AuthenticatorError::ClientSilent => Self::ClientLeft,
            _ => Self::Protocol(verdict),
        }
    }
}

impl From<RadioError> for Error {
    fn from(error: RadioError) -> Self {
        Self::Radio(Arc::new(error))
    }
}
