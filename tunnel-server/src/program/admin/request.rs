//! Requests to the second listener and the bytes of its answers.

use hybridge_relay::METRICS_TYPE;

/// The most header lines in a request.
const MAX_HEADERS: usize = 32;
const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Alive,
    Ready,
    Metrics,
}

/// A status and a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    status: u16,
    content_type: &'static str,
    body: String,
}

/// What a request head asks for, or what it is refused with. Never panics, whatever the bytes.
pub(crate) fn parse(head: &[u8]) -> Result<Target, Answer> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut lines);
    let (Ok(httparse::Status::Complete(_)), Some(path), Some(method)) =
        (request.parse(head), request.path, request.method)
    else {
        return Err(Answer::text(400, "this is no HTTP/1.1 request with a short head"));
    };
    let path = path.split('?').next().unwrap_or_default();
    let target = match path {
        "/healthz" => Target::Alive,
        "/readyz" => Target::Ready,
        "/metrics" => Target::Metrics,
        _ => return Err(Answer::text(404, "there is /metrics, /healthz and /readyz")),
    };
    match method {
        "GET" | "HEAD" => Ok(target),
        _ => Err(Answer::text(405, "only GET and HEAD are answered here")),
    }
}

impl Answer {
    /// One line of text.
    pub(crate) fn text(status: u16, line: &str) -> Self {
        Self { status, content_type: TEXT_TYPE, body: format!("{line}\n") }
    }

    /// What is counted.
    pub(crate) const fn metrics(body: String) -> Self {
        Self { status: 200, content_type: METRICS_TYPE, body }
    }

    /// The whole response. The connection is to be closed after it.
    pub(crate) fn to_bytes(&self, with_body: bool) -> Vec<u8> {
        let phrase = match self.status {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            _ => "Service Unavailable",
        };
        let allow = if self.status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {status} {phrase}\r\n{allow}Content-Type: {content_type}\r\nContent-Length: {length}\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            status = self.status,
            content_type = self.content_type,
            length = self.body.len(),
        );
        let body = if with_body { self.body.as_bytes() } else { b"" };
        [head.as_bytes(), body].concat()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status(head: &str) -> u16 {
        parse(head.as_bytes()).map_or_else(|refusal| refusal.status, |_| 200)
    }

    #[test]
    fn what_is_answered_and_what_is_not() {
        for (head, expected) in [
            ("GET /healthz HTTP/1.1\r\n\r\n", 200),
            ("HEAD /healthz HTTP/1.0\r\n\r\n", 200),
            ("GET /readyz?verbose HTTP/1.1\r\nA: b\r\n\r\n", 200),
            ("POST /readyz HTTP/1.1\r\n\r\n", 405),
            ("GET / HTTP/1.1\r\n\r\n", 404),
            ("GET /metrics/ HTTP/1.1\r\n\r\n", 404),
            ("GET /metrics\r\n\r\n", 400),
            ("", 400),
        ] {
            assert_eq!(status(head), expected, "{head}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
