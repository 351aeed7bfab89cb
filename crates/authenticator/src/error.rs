//! What can go wrong for the program that is the phone.

use hybridge_ble::RadioError;
use hybridge_proto::{
    authenticator::{AuthenticatorError, ReplyError, StartError},
    qr::QrError,
};
use hybridge_tunnel::DialError;
use thiserror::Error;

/// Why a session failed. `Display` says what failed and what to try.
#[derive(Debug, Error)]
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
    Radio(#[from] RadioError),
    /// The tunnel service could not be reached or refused.
    #[error("the tunnel service cannot be used: {error}")]
    Tunnel {
        /// What the protocol saw.
        error: AuthenticatorError,
        /// What the dialer saw; nothing if the time ran out first.
        source: Option<DialError>,
    },
    /// The tunnel service hung up before the client came, or the client did not come in time.
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
    #[error("the operating system gave no random numbers; restart this device")]
    Randomness,
}

impl Error {
    /// Puts the protocol's verdict into the caller's words. `dial` is what the dialer said last.
    pub(crate) fn from_verdict(verdict: AuthenticatorError, dial: Option<DialError>) -> Self {
        match verdict {
            AuthenticatorError::Dial(_) | AuthenticatorError::DialTimeout => {
                Self::Tunnel { error: verdict, source: dial }
            }
            AuthenticatorError::TunnelLost | AuthenticatorError::NobodyCame => Self::NobodyCame(verdict),
            AuthenticatorError::Handshake(_) => Self::Handshake(verdict),
            AuthenticatorError::ClientLeft | AuthenticatorError::ClientSilent => Self::ClientLeft,
            _ => Self::Protocol(verdict),
        }
    }
}
