//! The answer to a request, read by hand, so that what is odd about it can be told.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest head of an answer that is read.
const MAX_HEAD: usize = 32 * 1024;
/// How much of a body is looked at.
const MAX_BODY: usize = 2048;
const MAX_HEADERS: usize = 128;

/// An answer. What it says is kept short and printable.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// What was read behind the head: a part of the body, or the first bytes of the websocket.
    pub(crate) behind: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    Closed,
    /// Bytes that are not HTTP; the first of them.
    NotHttp(u8),
}

impl Answer {
    /// Every value of a header.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of a header that stands exactly once.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether a header that is a list has `token` in it.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(','))
            .any(|member| member.trim().eq_ignore_ascii_case(token))
    }

    /// The first line of the body, if it is short text and not a page.
    pub(crate) fn sentence(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.behind).ok()?;
        let line = text.lines().next()?.trim();
        let plain = !line.starts_with('<') && line.len() <= 200 && !line.contains(char::is_control);
        Some(line).filter(|line| plain && !line.is_empty())
    }

    #[cfg(test)]
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { status, headers: headers.collect(), behind: body.into() }
    }

    fn parse(head: &[u8]) -> Option<Self> {
        let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut lines);
        parsed.parse(head).ok().filter(httparse::Status::is_complete)?;
        let headers = parsed.headers.iter().map(|line| {
            (line.name.to_owned(), String::from_utf8_lossy(line.value.trim_ascii()).into_owned())
        });
        Some(Self { status: parsed.code?, headers: headers.collect(), behind: Vec::new() })
    }
}

/// Reads an answer: its head, and of a refusal what its body says.
pub(crate) async fn read_answer(io: &mut (impl AsyncRead + Unpin)) -> Result<Answer, NoAnswer> {
    let mut bytes = Vec::new();
    let end = loop {
        let more = read_more(io, &mut bytes).await.unwrap_or(false);
        if let Some(first) = bytes.first().filter(|_| !could_be_http(&bytes)) {
            return Err(NoAnswer::NotHttp(*first));
        }
        match hybridge_relay::http::head_end(&bytes, 0) {
            Some(end) => break end,
            None if !more || bytes.len() > MAX_HEAD => return Err(NoAnswer::Closed),
            None => {}
        }
    };
    let mut behind = bytes.split_off(end);
    let mut answer = Answer::parse(&bytes).ok_or(NoAnswer::NotHttp(b'H'))?;
    if answer.status != 101 {
        let announced = answer.one("Content-Length").and_then(|length| length.parse().ok());
        let wanted = announced.unwrap_or(MAX_BODY).min(MAX_BODY);
        while behind.len() < wanted && read_more(io, &mut behind).await.unwrap_or(false) {}
    }
    answer.behind = behind;
    Ok(answer)
}

fn could_be_http(bytes: &[u8]) -> bool {
    bytes.iter().zip(b"HTTP/1.").all(|(found, due)| found == due)
}

/// Reads once; false at the end.
async fn read_more(io: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> io::Result<bool> {
    Ok(io.read_buf(bytes).await? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Answer, NoAnswer> {
        read_answer(&mut &bytes[..]).await
    }

    #[tokio::test]
    async fn answers_of_all_kinds() {
        let refusal = read(b"HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nGone\nmore").await.unwrap();
        assert_eq!((refusal.status, refusal.sentence()), (404, Some("Gone")));
        let page = read(b"HTTP/1.0 200 OK\r\n\r\n<html>").await.unwrap();
        assert_eq!((page.status, page.sentence()), (200, None));
        let upgrade = read(b"HTTP/1.1 101 S\r\nConnection: a, Upgrade\r\n\r\n\x82\x00").await.unwrap();
        assert!(upgrade.has_token("connection", "upgrade") && upgrade.behind == [0x82, 0]);
        assert_eq!(read(b"\x15\x03\x03").await, Err(NoAnswer::NotHttp(0x15)));
        assert_eq!(read(b"HTTP/1.1 101").await, Err(NoAnswer::Closed));
        assert_eq!(read(b"").await, Err(NoAnswer::Closed));
    }
}
