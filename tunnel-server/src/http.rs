//! The HTTP/1.1 side of an upgrade: from the bytes of a request head to a typed request or a typed refusal, and
//! the bytes of both answers (CTAP 2.2 section 11.5.1, RFC 6455 section 4.2, RFC 9112).
//!
//! Checks run in this order, so that a stranger learns about the path first: well-formed head (400, 431), path
//! (404), method (405), upgrade and subprotocol (400), and then what depends on the service: how much the source has
//! (429), origin (403), rate (429), token (401), and whether the tunnel can be had (404, 409, 429, 503).

mod refusal;

use std::{fmt, net::IpAddr};

use hybridge_proto::{
    ids::RoutingId,
    service::{ROUTING_ID_HEADER, SUBPROTOCOL, ServicePath},
};
use ipnet::IpNet;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use zeroize::Zeroizing;

pub use self::refusal::Refusal;
use crate::forwarded::{ForwardedHeader, Garbled};

/// The most header lines in a request.
const MAX_HEADERS: usize = 64;
/// What stands before a token.
const BEARER: &[u8] = b"Bearer ";
/// Bytes in a decoded `Sec-WebSocket-Key`.
const KEY_LENGTH: usize = 16;

/// A request that asks for a websocket with the right subprotocol at one of the service's paths.
///
/// `Debug` shows what is asked for and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What the peer asks for.
    pub path: ServicePath,
    /// The value of `Sec-WebSocket-Accept` that answers the peer's key.
    accept: String,
    /// The value of `Origin`. Several values are one that nothing is equal to.
    origin: Option<Vec<u8>>,
    token: Option<Token>,
    /// Whom a trusted proxy speaks for.
    client: Result<Option<IpAddr>, Garbled>,
}

/// What stands behind `Bearer` in a request. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
struct Token(Zeroizing<Vec<u8>>);

/// A proxy that a request comes from, and how it says whom it speaks for.
#[derive(Clone, Copy)]
pub(crate) struct Proxy<'a> {
    pub(crate) header: ForwardedHeader,
    pub(crate) trusted: &'a [IpNet],
}

impl Request {
    /// What it is called where requests are counted.
    pub(crate) const fn name(&self) -> &'static str {
        match self.path {
            ServicePath::New { .. } => "new",
            ServicePath::Connect { .. } => "connect",
            ServicePath::Contact { .. } => "contact",
            _ => "other",
        }
    }

    /// The value of `Origin`, as it stands there.
    pub(crate) fn origin(&self) -> Option<&[u8]> {
        self.origin.as_deref()
    }

    /// The bearer token; an empty one where there is something else in its place.
    pub(crate) fn token(&self) -> Option<&[u8]> {
        self.token.as_ref().map(|token| token.0.as_slice())
    }

    /// Whom the proxy speaks for that the request comes from.
    pub(crate) const fn client(&self) -> Result<Option<IpAddr>, Garbled> {
        self.client
    }

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
    parse_from(head, None)
}

/// The same for a request that comes from a trusted proxy, or from nobody who is trusted.
pub(crate) fn parse_from(head: &[u8], proxy: Option<Proxy<'_>>) -> Result<Request, Refusal> {
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
    let client = proxy
        .map_or(Ok(None), |Proxy { header, trusted }| header.client(headers.all(header.name()), trusted));
    Ok(Request { path, accept, origin: headers.origin(), token: headers.token(), client })
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

    fn origin(&self) -> Option<Vec<u8>> {
        let mut values = self.all("Origin");
        let first = values.next()?;
        Some(if values.next().is_none() { first.to_vec() } else { Vec::new() })
    }

    fn token(&self) -> Option<Token> {
        let mut values = self.all("Authorization");
        let first = values.next()?;
        let token = first.split_at_checked(BEARER.len()).filter(|_| values.next().is_none());
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(BEARER));
        Some(Token(Zeroizing::new(token.map_or_else(Vec::new, |(_, token)| token.trim_ascii().to_vec()))))
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

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
