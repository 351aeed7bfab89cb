//! The HTTP/1.1 side of an upgrade: from the bytes of a request head to a typed request or a typed refusal, and
//! the bytes of both answers (CTAP 2.2 section 11.5.1, RFC 6455 section 4.2, RFC 9112).
//!
//! Checks run in this order, so that a stranger learns about the path first: well-formed head (400, 431), path
//! (404), method (405), upgrade and subprotocol (400).

use hybridge_proto::{
    ids::RoutingId,
    service::{ROUTING_ID_HEADER, SUBPROTOCOL, ServicePath},
};
use thiserror::Error;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The most header lines in a request.
const MAX_HEADERS: usize = 64;
/// Bytes in a decoded `Sec-WebSocket-Key`.
const KEY_LENGTH: usize = 16;

/// A request that asks for a websocket with the right subprotocol at one of the service's paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What the peer asks for.
    pub path: ServicePath,
    /// The value of `Sec-WebSocket-Accept` that answers the peer's key.
    accept: String,
}

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
    /// 503: the service holds as many tunnels as it may, or is stopping.
    #[error("The service has no room for another tunnel. Try again in a minute.")]
    Unavailable,
}

impl Refusal {
    /// The HTTP status code.
    pub const fn status(self) -> u16 {
        self.status_line().0
    }

    const fn status_line(self) -> (u16, &'static str) {
        match self {
            Self::Malformed | Self::NotAnUpgrade | Self::Subprotocol => (400, "Bad Request"),
            Self::UnknownPath | Self::NoSuchTunnel | Self::OtherNode | Self::OtherGeneration => {
                (404, "Not Found")
            }
            Self::Method => (405, "Method Not Allowed"),
            Self::TooSlow => (408, "Request Timeout"),
            Self::TunnelInUse => (409, "Conflict"),
            Self::UnknownContact => (410, "Gone"),
            Self::HeadTooLarge => (431, "Request Header Fields Too Large"),
            Self::Unavailable => (503, "Service Unavailable"),
        }
    }

    const fn extra_header(self) -> &'static str {
        match self {
            Self::Method => "Allow: GET\r\n",
            Self::NotAnUpgrade => "Sec-WebSocket-Version: 13\r\n",
            Self::Unavailable => "Retry-After: 60\r\n",
            _ => "",
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

impl Request {
    /// The response head that accepts the request. `/cable/new` is answered with the tunnel's routing ID.
    pub fn to_response(&self, routing: Option<RoutingId>) -> Vec<u8> {
        let routing = routing.map(|id| format!("{ROUTING_ID_HEADER}: {}\r\n", id.to_hex()));
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n{routing}\r\n",
            accept = self.accept,
            routing = routing.unwrap_or_default(),
        )
        .into_bytes()
    }
}

/// Where a request head ends: the length in bytes up to and including its blank line.
///
/// `searched` bytes were searched before in vain; a caller that reads in pieces passes what it had then.
pub fn head_end(bytes: &[u8], searched: usize) -> Option<usize> {
    // The blank line may have started in the part that was searched.
    let from = searched.saturating_sub(3);
    let fresh = bytes.get(from..)?;
    let at = |pattern: &[u8]| {
        let start = fresh.windows(pattern.len()).position(|window| window == pattern)?;
        Some(from.saturating_add(start).saturating_add(pattern.len()))
    };
    match (at(b"\n\r\n"), at(b"\n\n")) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Reads one complete request head, blank line included.
///
/// # Errors
/// The [`Refusal`] to answer with. Never panics, whatever the bytes.
pub fn parse_request(head: &[u8]) -> Result<Request, Refusal> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut lines);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Ok(_) | Err(_) => return Err(Refusal::Malformed),
    }
    let headers = Headers(parsed.headers);
    let (Some(method), Some(target), Some(1)) = (parsed.method, parsed.path, parsed.version) else {
        return Err(Refusal::Malformed);
    };
    // A body behind the head would be taken for websocket frames.
    let has_body = headers.all("Transfer-Encoding").next().is_some()
        || headers.all("Content-Length").any(|length| length != b"0");
    if has_body || headers.one("Host").is_none() {
        return Err(Refusal::Malformed);
    }
    let path = ServicePath::parse(target).map_err(|_| Refusal::UnknownPath)?;
    if method != "GET" {
        return Err(Refusal::Method);
    }
    let accept = headers.upgrade().ok_or(Refusal::NotAnUpgrade)?;
    if !headers.tokens("Sec-WebSocket-Protocol").any(|offered| offered == SUBPROTOCOL.as_bytes()) {
        return Err(Refusal::Subprotocol);
    }
    Ok(Request { path, accept })
}

/// The header lines of a request.
struct Headers<'a>(&'a [httparse::Header<'a>]);

impl Headers<'_> {
    /// Every value of a header, in order.
    fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.0
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.trim_ascii())
    }

    /// The value of a header that stands exactly once.
    fn one(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// The members of a header that is a comma-separated list, over all of its lines.
    fn tokens(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.all(name).flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
    }

    /// The `Sec-WebSocket-Accept` value, if the headers ask for a websocket as RFC 6455 section 4.2.1 wants it.
    fn upgrade(&self) -> Option<String> {
        let asks = self.tokens("Connection").any(|token| token.eq_ignore_ascii_case(b"upgrade"))
            && self.tokens("Upgrade").any(|token| token.eq_ignore_ascii_case(b"websocket"))
            && self.one("Sec-WebSocket-Version") == Some(b"13");
        let key = self.one("Sec-WebSocket-Key").filter(|_| asks)?;
        let decoded = data_encoding::BASE64.decode(key).ok()?;
        (decoded.len() == KEY_LENGTH).then(|| derive_accept_key(key))
    }
}

#[cfg(test)]
mod tests;
