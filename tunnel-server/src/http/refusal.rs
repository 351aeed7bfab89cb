//! What a request is refused with.

use std::borrow::Cow;

use thiserror::Error;

use crate::{
    access::Denied,
    metrics::Limit,
    node::NotHere,
    rendezvous::{NoSuchTunnel, OpenError, TooFast, TooManyConnections},
};

/// Why a request does not become a websocket. The text is what the peer gets as body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// 400: the head is not one complete HTTP/1.1 request without a body.
    #[error("This is not a well-formed HTTP/1.1 request without a body.")]
    Malformed,
    /// 431: the head is longer than allowed or has too many headers.
    #[error("The request head is too large.")]
    HeadTooLarge,
    /// 408: the head did not arrive in time.
    #[error("The request head did not arrive in time.")]
    TooSlow,
    /// 404: the path is not one of a tunnel service's.
    #[error("This is a tunnel service for passkeys. It has nothing at this path.")]
    UnknownPath,
    /// 405: another method than GET.
    #[error("Only GET is answered here.")]
    Method,
    /// 400: no valid websocket upgrade of version 13.
    #[error("This path wants a websocket upgrade of version 13.")]
    NotAnUpgrade,
    /// 400: the subprotocol is not offered.
    #[error("The websocket subprotocol fido.cable is missing.")]
    Subprotocol,
    /// 409: the tunnel ID is in use.
    #[error("A tunnel with this ID exists already.")]
    TunnelInUse,
    /// 404: no tunnel with these IDs waits to be joined.
    #[error("No tunnel with these IDs waits to be joined.")]
    NoSuchTunnel,
    /// 404: the routing ID names another machine of the service.
    #[error("This tunnel is at another machine of the service. Its proxy has to route by the routing ID.")]
    OtherNode,
    /// 404: the routing ID is from an earlier start of this machine.
    #[error("This tunnel is gone, because its machine has restarted.")]
    OtherGeneration,
    /// 410: the service remembers no phone under this contact ID.
    #[error("This service remembers no phone under this contact ID.")]
    UnknownContact,
    /// 403: the value of `Origin` is not one that the service lets in.
    #[error("Requests from this web origin are not let in here.")]
    Origin,
    /// 401: opening a tunnel takes a token, and there is none.
    #[error("Opening a tunnel here takes a token, sent as Authorization: Bearer.")]
    TokenMissing,
    /// 401: the token is not valid.
    #[error("The token is not valid here.")]
    TokenInvalid,
    /// 401: the token was valid once.
    #[error("The token has expired.")]
    TokenExpired,
    /// 401: the token expires later than the service lets a token expire.
    #[error("The token expires too far in the future.")]
    TokenTooLong,
    /// 429: the source has as many connections as it may.
    #[error("Your address has too many connections. Close some and try again.")]
    TooManyConnections,
    /// 429: the source has opened as many tunnels as it may.
    #[error("Your address has too many tunnels. Close some and try again.")]
    TooManyTunnels,
    /// 429: the source asks more often than it may.
    #[error("Your address sends too many requests. Try again later.")]
    TooFast {
        /// After how many seconds one more request is due.
        retry_after: u64,
    },
    /// 503: the service holds as many tunnels as it may.
    #[error("The service has no room for another tunnel. Try again in a minute.")]
    Unavailable,
    /// 503: as many tunnels wait to be joined as may.
    #[error("The service has no room for another tunnel that waits. Try again in a minute.")]
    TooManyPending,
    /// 503: the service is about to stop, or stopping.
    #[error("The service is about to restart and opens no tunnels. Try again in a minute.")]
    Draining,
}

impl Refusal {
    /// The HTTP status code.
    pub const fn status(self) -> u16 {
        self.status_line().0
    }

    /// What the refusal is called where refusals are counted.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::HeadTooLarge => "head_too_large",
            Self::TooSlow => "too_slow",
            Self::UnknownPath => "unknown_path",
            Self::Method => "method",
            Self::NotAnUpgrade => "not_an_upgrade",
            Self::Subprotocol => "subprotocol",
            Self::TunnelInUse => "tunnel_in_use",
            Self::NoSuchTunnel => "no_such_tunnel",
            Self::OtherNode => "other_node",
            Self::OtherGeneration => "other_generation",
            Self::UnknownContact => "unknown_contact",
            Self::Origin => "origin",
            Self::TokenMissing => "token_missing",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::TokenTooLong => "token_too_long",
            Self::TooManyConnections => "too_many_connections",
            Self::TooManyTunnels => "too_many_tunnels",
            Self::TooFast { .. } => "too_fast",
            Self::Unavailable => "full",
            Self::TooManyPending => "full_of_pending",
            Self::Draining => "draining",
        }
    }

    /// The limit that stood in the way of a request for `what`.
    pub(crate) fn limit(self, what: &str) -> Option<Limit> {
        Some(Limit(match self {
            Self::HeadTooLarge => "max_head",
            Self::TooSlow => "handshake_timeout",
            Self::TooManyConnections => "max_connections_per_source",
            Self::TooManyTunnels => "max_tunnels_per_source",
            Self::TooFast { .. } if what == "new" => "new_rate",
            Self::TooFast { .. } => "connect_rate",
            Self::Unavailable => "max_tunnels",
            Self::TooManyPending => "max_pending_tunnels",
            _ => return None,
        }))
    }

    const fn status_line(self) -> (u16, &'static str) {
        match self {
            Self::Malformed | Self::NotAnUpgrade | Self::Subprotocol => (400, "Bad Request"),
            Self::TokenMissing | Self::TokenInvalid | Self::TokenExpired | Self::TokenTooLong => {
                (401, "Unauthorized")
            }
            Self::Origin => (403, "Forbidden"),
            Self::UnknownPath | Self::NoSuchTunnel | Self::OtherNode | Self::OtherGeneration => {
                (404, "Not Found")
            }
            Self::Method => (405, "Method Not Allowed"),
            Self::TooSlow => (408, "Request Timeout"),
            Self::TunnelInUse => (409, "Conflict"),
            Self::UnknownContact => (410, "Gone"),
            Self::TooManyConnections | Self::TooManyTunnels | Self::TooFast { .. } => {
                (429, "Too Many Requests")
            }
            Self::HeadTooLarge => (431, "Request Header Fields Too Large"),
            Self::Unavailable | Self::TooManyPending | Self::Draining => (503, "Service Unavailable"),
        }
    }

    fn extra_header(self) -> Cow<'static, str> {
        match self {
            Self::Method => "Allow: GET\r\n".into(),
            Self::NotAnUpgrade => "Sec-WebSocket-Version: 13\r\n".into(),
            Self::TokenMissing => "WWW-Authenticate: Bearer realm=\"tunnel service\"\r\n".into(),
            Self::TokenInvalid | Self::TokenExpired | Self::TokenTooLong => {
                "WWW-Authenticate: Bearer realm=\"tunnel service\", error=\"invalid_token\"\r\n".into()
            }
            Self::TooFast { retry_after } => format!("Retry-After: {retry_after}\r\n").into(),
            Self::TooManyConnections
            | Self::TooManyTunnels
            | Self::Unavailable
            | Self::TooManyPending
            | Self::Draining => "Retry-After: 60\r\n".into(),
            _ => "".into(),
        }
    }

    /// The whole response: head and one sentence of plain text. The connection is to be closed after it.
    pub fn to_response(self) -> Vec<u8> {
        let (status, phrase) = self.status_line();
        let extra = self.extra_header();
        let body = format!("{self}\n");
        format!(
            "HTTP/1.1 {status} {phrase}\r\n{extra}Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{body}",
            length = body.len(),
        )
        .into_bytes()
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing => Self::TokenMissing,
            Denied::Invalid => Self::TokenInvalid,
            Denied::Expired => Self::TokenExpired,
            Denied::TooLong => Self::TokenTooLong,
        }
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse => Self::TunnelInUse,
            OpenError::Full => Self::Unavailable,
            OpenError::FullOfPending => Self::TooManyPending,
            OpenError::SourceFull => Self::TooManyTunnels,
            OpenError::Draining => Self::Draining,
        }
    }
}

impl From<NotHere> for Refusal {
    fn from(not_here: NotHere) -> Self {
        match not_here {
            NotHere::OtherNode => Self::OtherNode,
            NotHere::OtherGeneration => Self::OtherGeneration,
        }
    }
}

impl From<NoSuchTunnel> for Refusal {
    fn from(_: NoSuchTunnel) -> Self {
        Self::NoSuchTunnel
    }
}

impl From<TooManyConnections> for Refusal {
    fn from(_: TooManyConnections) -> Self {
        Self::TooManyConnections
    }
}

impl From<TooFast> for Refusal {
    fn from(error: TooFast) -> Self {
        // Rounded up: who comes back at the full second is not too early.
        Self::TooFast { retry_after: error.retry_after.as_secs().saturating_add(1) }
    }
}
