//! The answer to a websocket upgrade: from bytes to a typed head, and the checks on it (CTAP 2.2 section 11.5.1,
//! RFC 6455 section 4.1).

use hybridge_proto::{
    ids::RoutingId,
    service::{ROUTING_ID_HEADER, RoutingIdError, SIGNAL_HEADER, SUBPROTOCOL, routing_id},
};

use crate::error::{NotTunnelService, RedirectRefused};

/// The most header lines in an answer.
const MAX_HEADERS: usize = 96;
/// The most characters of a service's own words.
const MAX_TEXT: usize = 120;
/// A word of this many letters, digits, `-` and `_` may be an identifier that the service repeats.
const IDENTIFIER_LENGTH: usize = 20;

/// The head of an answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
}

impl Response {
    /// Reads an answer's head from the front of `bytes`, and says how many bytes it has. `None` when more bytes
    /// are needed. Never panics, whatever the bytes.
    ///
    /// # Errors
    /// [`NotTunnelService`] when it is not the head of an HTTP/1.1 answer.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, NotTunnelService> {
        let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut lines);
        let length = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(NotTunnelService::HeadTooLarge),
            Err(_) => return Err(NotTunnelService::Malformed),
        };
        let (Some(status @ 100..=599), Some(1)) = (parsed.code, parsed.version) else {
            return Err(NotTunnelService::Malformed);
        };
        let owned =
            |header: &httparse::Header<'_>| (header.name.to_owned(), header.value.trim_ascii().to_vec());
        Ok(Some((Self { status, headers: parsed.headers.iter().map(owned).collect() }, length)))
    }

    /// The status code, 100 to 599.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Checks that the answer opens a websocket with the right subprotocol. `accept` is the value of
    /// `Sec-WebSocket-Accept` that belongs to the request's key.
    ///
    /// # Errors
    /// The first rule that the answer breaks.
    pub fn check_upgrade(&self, accept: &str) -> Result<(), NotTunnelService> {
        if self.status != 101 {
            return Err(NotTunnelService::Status(self.status));
        }
        if !self.has_token("Connection", "upgrade") || !self.has_token("Upgrade", "websocket") {
            return Err(NotTunnelService::Upgrade);
        }
        if self.only("Sec-WebSocket-Accept") != Some(accept.as_bytes()) {
            return Err(NotTunnelService::Accept);
        }
        if self.only("Sec-WebSocket-Protocol") != Some(SUBPROTOCOL.as_bytes()) {
            return Err(NotTunnelService::Subprotocol);
        }
        if self.values("Sec-WebSocket-Extensions").next().is_some() {
            return Err(NotTunnelService::Extension);
        }
        Ok(())
    }

    /// The tunnel's routing ID.
    ///
    /// # Errors
    /// [`RoutingIdError`] unless the header stands exactly once and holds six hex digits.
    pub fn routing_id(&self) -> Result<RoutingId, RoutingIdError> {
        // Bytes that are not text are malformed, as the empty text is.
        routing_id(self.values(ROUTING_ID_HEADER).map(|value| std::str::from_utf8(value).unwrap_or_default()))
    }

    /// Whether the header of the connect signal is there, with whatever value.
    pub fn has_signal(&self) -> bool {
        self.values(SIGNAL_HEADER).next().is_some()
    }

    /// The service's clock, as it wrote it.
    pub(crate) fn date(&self) -> Option<&str> {
        std::str::from_utf8(self.only("Date")?).ok()
    }

    /// The target of a redirect.
    pub(crate) fn location(&self) -> Result<&str, RedirectRefused> {
        let value = self.only("Location").ok_or(RedirectRefused::Malformed)?;
        std::str::from_utf8(value).map_err(|_| RedirectRefused::Malformed)
    }

    /// How many bytes of plain body follow, if any do: as many as announced, or all up to the end.
    pub(crate) fn body_length(&self) -> u64 {
        if self.values("Transfer-Encoding").next().is_some() {
            return 0;
        }
        let announced = self.only("Content-Length").and_then(|value| std::str::from_utf8(value).ok());
        announced.map_or(u64::MAX, |value| value.parse().unwrap_or(0))
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers
            .iter()
            .filter(move |(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The value of a header that stands exactly once.
    fn only(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        self.values(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }
}

/// Names no header value: a service may repeat identifiers there.
impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The first line of a body as harmless text: at most 120 characters, without control and direction characters,
/// and with an ellipsis for every word that is as long as an identifier.
pub fn first_line(body: &[u8]) -> String {
    let line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // First, so that a word cannot hide its length behind characters that nobody sees.
    let line: String = String::from_utf8_lossy(line).chars().filter(|letter| !is_harmful(*letter)).collect();
    let mut text = String::new();
    for part in line.split_inclusive(|letter| !is_word(letter)) {
        let word = part.trim_end_matches(|letter| !is_word(letter));
        text.push_str(if word.len() < IDENTIFIER_LENGTH { word } else { "…" });
        text.push_str(part.get(word.len()..).unwrap_or_default());
    }
    text.trim().chars().take(MAX_TEXT).collect()
}

const fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')
}

fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
        || matches!(letter, '\u{FEFF}' | '\u{061C}')
}

#[cfg(test)]
mod tests;
