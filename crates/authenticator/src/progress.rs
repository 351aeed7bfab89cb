//! What a session tells while it goes on.

use hybridge_proto::authenticator::AuthenticatorError;

/// What happens, for a person to see. New kinds may come; ignore those you do not know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The tunnel is being opened.
    Connecting,
    /// The tunnel cannot be opened. A computer that can connect over Bluetooth is served all the same.
    TunnelUnavailable {
        /// What the protocol saw.
        error: AuthenticatorError,
        /// What the dialer saw, a bad certificate for example, with its causes in one line; nothing if the time ran out
        /// first.
        reason: Option<String>,
    },
    /// The advert is on the air; the tunnel is open, unless it is unavailable.
    Advertising,
    /// Whoever knows the code (or the link) and has heard the advert has joined. That it is the client that made the
    /// code, and not somebody who photographed it, shows with the first request. Told twice when the client lost its
    /// Bluetooth connection and came back through the tunnel.
    ClientConnected,
    /// A request came in and is with the service.
    Request(Operation),
    /// The service answered.
    Replied {
        /// The CTAP status; 0 is success.
        status: u8,
    },
}

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// authenticatorMakeCredential: make a passkey.
    MakeCredential,
    /// authenticatorGetAssertion: sign in with a passkey.
    GetAssertion,
    /// authenticatorGetInfo: say once more what this authenticator can do.
    GetInfo,
    /// Another command.
    Other(u8),
}

impl Operation {
    pub(crate) fn of(request: &[u8]) -> Self {
        match request.first().copied().unwrap_or_default() {
            0x01 => Self::MakeCredential,
            0x02 => Self::GetAssertion,
            0x04 => Self::GetInfo,
            other => Self::Other(other),
        }
    }
}
