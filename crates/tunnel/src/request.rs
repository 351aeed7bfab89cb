//! The request head of a websocket upgrade (RFC 6455 section 4.1), as Chromium sends it to a tunnel service.
//!
//! Written here rather than by the websocket library, which logs whole requests: their paths hold tunnel IDs.

use hybridge_proto::service::{SUBPROTOCOL, ServiceRequest};
use url::{Host, Url};

use crate::error::DialError;

/// The port of `wss`.
const TLS_PORT: u16 = 443;
/// Headers that this module writes; a caller's extra headers may not repeat them.
const RESERVED: [&str; 6] =
    ["Host", "Connection", "Upgrade", "Origin", "Content-Length", "Transfer-Encoding"];
const RESERVED_PREFIX: &str = "Sec-WebSocket-";

/// The URL of a request, always `wss`.
pub(crate) fn url(request: &ServiceRequest) -> Result<Url, DialError> {
    // The URL parser would silently drop tabs and line breaks.
    if request.host.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(DialError::InvalidRequest);
    }
    let url = Url::parse(&request.url()).map_err(|_| DialError::InvalidRequest)?;
    // A host with more in it than a name and a port would move the path elsewhere.
    let is_plain = url.username().is_empty() && url.password().is_none();
    if !is_plain
        || url.path() != request.path.to_string()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(DialError::InvalidRequest);
    }
    Ok(url)
}

/// The host of a URL, an IPv6 address without brackets, and the port.
pub(crate) fn host_and_port(url: &Url) -> Result<(String, u16), DialError> {
    let host = match url.host().ok_or(DialError::InvalidRequest)? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Ok((host, url.port().unwrap_or(TLS_PORT)))
}

/// The bytes of the request head. permessage-deflate is not offered.
pub(crate) fn head(url: &Url, key: &str, headers: &[(&'static str, String)]) -> Result<Vec<u8>, DialError> {
    let mut authority = url.host_str().ok_or(DialError::InvalidRequest)?.to_owned();
    if let Some(port) = url.port() {
        authority.push_str(&format!(":{port}"));
    }
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut head = format!(
        "GET {path}{query} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Origin: wss://{authority}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n",
        path = url.path(),
    );
    for (name, value) in headers {
        if !is_extra_name(name) || !is_value(value) {
            return Err(DialError::InvalidRequest);
        }
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    Ok(head.into_bytes())
}

fn is_extra_name(name: &str) -> bool {
    let is_token = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    let is_reserved = RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved))
        || name.get(..RESERVED_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX));
    is_token && !is_reserved
}

fn is_value(value: &str) -> bool {
    value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
}

#[cfg(test)]
mod tests {
    use hybridge_proto::{
        ids::TunnelId,
        service::{CLIENT_PAYLOAD_HEADER, ServicePath},
    };
    use proptest::prelude::*;

    use super::*;

    const PATH: &str = "/cable/new/A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7A7";

    fn request(host: &str) -> ServiceRequest {
        let path = ServicePath::New { tunnel: TunnelId::from_bytes([0xA7; 16]) };
        ServiceRequest { host: host.to_owned(), path, headers: Vec::new() }
    }

    #[test]
    fn the_head_is_as_chromium_sends_it() {
        let url = url(&request("cable.example.com")).unwrap();
        let head = head(&url, "KEY", &[(CLIENT_PAYLOAD_HEADER, "a0".to_owned())]).unwrap();
        assert_eq!(
            String::from_utf8(head).unwrap(),
            format!(
                "GET {PATH} HTTP/1.1\r\nHost: cable.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Origin: wss://cable.example.com\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: KEY\r\n\
                 Sec-WebSocket-Protocol: fido.cable\r\nX-caBLE-Client-Payload: a0\r\n\r\n"
            )
        );
    }

    #[test]
    fn hosts_may_have_a_port() {
        let url = url(&request("[::1]:8443")).unwrap();
        assert_eq!(host_and_port(&url).unwrap(), ("::1".to_owned(), 8443));
        let head = String::from_utf8(head(&url, "KEY", &[]).unwrap()).unwrap();
        assert!(
            head.contains("\r\nHost: [::1]:8443\r\n") && head.contains("\r\nOrigin: wss://[::1]:8443\r\n")
        );
        let url = super::url(&request("a.example:443")).unwrap();
        assert_eq!(host_and_port(&url).unwrap(), ("a.example".to_owned(), 443));
    }

    #[test]
    fn hosts_that_are_more_than_hosts_are_refused() {
        for host in ["", "a b", "a/b", "a?b", "a#b", "user@a", "a:b", "a\r\nb", "[::1", "a:99999"] {
            assert!(matches!(url(&request(host)), Err(DialError::InvalidRequest)), "{host}");
        }
    }

    #[test]
    fn headers_that_would_change_the_request_are_refused() {
        let url = url(&request("a")).unwrap();
        for (name, value) in [
            ("X", "a\r\nY: b"),
            ("X", "é"),
            ("X", "\u{7F}"),
            ("", "a"),
            ("X:", "a"),
            ("X Y", "a"),
            ("host", "a"),
            ("Origin", "a"),
            ("sec-websocket-extensions", "permessage-deflate"),
        ] {
            let headers = [(name, value.to_owned())];
            assert!(matches!(head(&url, "KEY", &headers), Err(DialError::InvalidRequest)), "{name}: {value}");
        }
    }

    proptest! {
        #[test]
        fn any_host_is_refused_or_makes_a_head_of_known_lines(host in "\\PC{0,20}") {
            if let Ok(url) = url(&request(&host)) {
                let head = String::from_utf8(head(&url, "KEY", &[]).unwrap()).unwrap();
                let start = format!("GET {PATH} HTTP/1.1\r\n");
                prop_assert!(head.starts_with(&start));
                prop_assert_eq!(head.matches("\r\n").count(), 9);
            }
        }
    }
}
