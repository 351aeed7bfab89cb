use hybridge_proto::ids::TunnelId;
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

const TUNNEL: &str = "D5D511FB41CFB9760F5B1782E906F558";
const UPGRADE: &str = "Host: cable.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const SUB: &str = "Sec-WebSocket-Protocol: fido.cable\r\n";

fn parse(line: &str, headers: &str) -> Result<Request, Refusal> {
    parse_request(format!("{line} HTTP/1.1\r\n{headers}\r\n").as_bytes())
}

fn new(headers: &str) -> Result<Request, Refusal> {
    parse(&format!("GET /cable/new/{TUNNEL}"), headers)
}

#[test]
fn a_good_request_is_accepted_with_the_published_key_pair() {
    let request = new(&format!("{UPGRADE}{SUB}")).unwrap();
    assert_eq!(request.path, ServicePath::New { tunnel: TunnelId::from_hex(TUNNEL).unwrap() });
    let response = String::from_utf8(request.to_response(Some(RoutingId::from_bytes([1, 2, 0xFE])))).unwrap();
    // The accept value is the example of RFC 6455 section 1.3.
    assert_eq!(
        response,
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: fido.cable\r\n\
         X-caBLE-Routing-ID: 0102FE\r\n\r\n"
    );
    assert!(!String::from_utf8(request.to_response(None)).unwrap().contains("Routing"));
}

#[test]
fn headers_are_read_as_rfc_9110_lists() {
    let headers = "host: a\r\nconnection: keep-alive, upgrade\r\nUPGRADE: h2c , WebSocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key:   dGhlIHNhbXBsZSBub25jZQ==  \r\n\
        sec-websocket-protocol: other\r\nSec-WebSocket-Protocol: another ,fido.cable\r\n";
    new(headers).unwrap();
}

#[test]
fn other_paths_are_404_whatever_else_is_wrong() {
    for path in ["/", "/cable", "/cable/new/", "/cable/new/12", "/cable/New/D5D511FB41CFB9760F5B1782E906F558"]
    {
        assert_eq!(parse(&format!("POST {path}"), "Host: a\r\n"), Err(Refusal::UnknownPath), "{path}");
    }
    for suffix in ["/", "/x", "?", "?a=b", "#a", "0"] {
        let line = format!("GET /cable/new/{TUNNEL}{suffix}");
        assert_eq!(parse(&line, &format!("{UPGRADE}{SUB}")), Err(Refusal::UnknownPath), "{suffix}");
    }
}

#[test]
fn other_methods_are_405() {
    for method in ["POST", "HEAD", "OPTIONS", "get", "CONNECT"] {
        let line = format!("{method} /cable/new/{TUNNEL}");
        assert_eq!(parse(&line, &format!("{UPGRADE}{SUB}")), Err(Refusal::Method), "{method}");
    }
    assert!(String::from_utf8(Refusal::Method.to_response()).unwrap().contains("\r\nAllow: GET\r\n"));
}

#[test]
fn a_missing_or_wrong_upgrade_header_is_400() {
    let good = format!("{UPGRADE}{SUB}");
    for (from, to) in [
        ("Connection: Upgrade\r\n", ""),
        ("Connection: Upgrade", "Connection: close"),
        ("Upgrade: websocket\r\n", ""),
        ("Upgrade: websocket", "Upgrade: h2c"),
        ("Version: 13", "Version: 8"),
        ("Sec-WebSocket-Version: 13\r\n", ""),
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="),
        ("dGhlIHNhbXBsZSBub25jZQ==", "not base64"),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""),
    ] {
        assert!(good.contains(from));
        assert_eq!(new(&good.replacen(from, to, 1)), Err(Refusal::NotAnUpgrade), "{from} -> {to}");
    }
    let twice = format!("{good}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    assert_eq!(new(&twice), Err(Refusal::NotAnUpgrade));
}

#[test]
fn the_subprotocol_must_be_offered() {
    assert_eq!(new(UPGRADE), Err(Refusal::Subprotocol));
    for offered in ["fido", "FIDO.CABLE", "fido.cable2", "\"fido.cable\""] {
        assert_eq!(
            new(&format!("{UPGRADE}Sec-WebSocket-Protocol: {offered}\r\n")),
            Err(Refusal::Subprotocol)
        );
    }
}

#[test]
fn heads_that_proxies_could_read_otherwise_are_400() {
    let good = format!("{UPGRADE}{SUB}");
    assert_eq!(new(&good.replacen("Host: cable.example.com\r\n", "", 1)), Err(Refusal::Malformed));
    assert_eq!(new(&format!("{good}Host: b\r\n")), Err(Refusal::Malformed));
    assert_eq!(new(&format!("{good}Content-Length: 5\r\n")), Err(Refusal::Malformed));
    assert_eq!(new(&format!("{good}Transfer-Encoding: chunked\r\n")), Err(Refusal::Malformed));
    new(&format!("{good}Content-Length: 0\r\n")).unwrap();
    let old = format!("GET /cable/new/{TUNNEL} HTTP/1.0\r\n{good}\r\n");
    assert_eq!(parse_request(old.as_bytes()), Err(Refusal::Malformed));
    let behind = format!("GET /cable/new/{TUNNEL} HTTP/1.1\r\n{good}\r\nmore");
    assert_eq!(parse_request(behind.as_bytes()), Err(Refusal::Malformed));
    assert_eq!(new(&format!("{good}{}", "A: b\r\n".repeat(MAX_HEADERS))), Err(Refusal::HeadTooLarge));
}

#[test]
fn every_refusal_is_one_sentence_of_plain_text() {
    for (refusal, status) in [
        (Refusal::Malformed, 400),
        (Refusal::HeadTooLarge, 431),
        (Refusal::TooSlow, 408),
        (Refusal::UnknownPath, 404),
        (Refusal::Method, 405),
        (Refusal::NotAnUpgrade, 400),
        (Refusal::Subprotocol, 400),
        (Refusal::TunnelInUse, 409),
        (Refusal::NoSuchTunnel, 404),
        (Refusal::OtherNode, 404),
        (Refusal::OtherGeneration, 404),
        (Refusal::UnknownContact, 410),
        (Refusal::Origin, 403),
        (Refusal::TokenMissing, 401),
        (Refusal::TokenInvalid, 401),
        (Refusal::TokenExpired, 401),
        (Refusal::TokenTooLong, 401),
        (Refusal::TooManyConnections, 429),
        (Refusal::TooManyTunnels, 429),
        (Refusal::TooFast { retry_after: 7 }, 429),
        (Refusal::Unavailable, 503),
        (Refusal::TooManyPending, 503),
        (Refusal::Draining, 503),
    ] {
        let response = String::from_utf8(refusal.to_response()).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert_eq!(refusal.status(), status);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
        assert_eq!(head.contains("\r\nRetry-After: "), matches!(status, 429 | 503), "{head}");
        assert_eq!(head.contains("\r\nWWW-Authenticate: Bearer"), status == 401, "{head}");
        assert!(body.ends_with(".\n") && body.lines().count() == 1, "{body}");
    }
}

#[test]
fn debug_shows_neither_token_nor_origin() {
    let headers = format!("{UPGRADE}{SUB}Authorization: Bearer abcdef\r\nOrigin: https://example.com\r\n");
    let request = new(&headers).unwrap();
    assert_eq!(request.token(), Some(b"abcdef".as_slice()));
    assert_eq!(request.origin(), Some(b"https://example.com".as_slice()));
    assert_eq!(format!("{request:?}"), "Request { path: New { tunnel: TunnelId(d5..) }, .. }");
}

#[test]
fn only_one_bearer_token_is_a_token() {
    for (authorization, token) in [
        ("Authorization: bEaReR  abc \r\n", Some("abc")),
        ("Authorization: Bearer\r\n", Some("")),
        ("Authorization: Bearerabc\r\n", Some("")),
        ("Authorization: Basic abc\r\n", Some("")),
        ("Authorization: Bearer abc\r\nauthorization: Bearer abc\r\n", Some("")),
        ("", None),
    ] {
        let request = new(&format!("{UPGRADE}{SUB}{authorization}")).unwrap();
        assert_eq!(request.token(), token.map(str::as_bytes), "{authorization}");
    }
}

#[test]
fn whom_a_proxy_speaks_for_is_read_for_trusted_ones_only() {
    let head =
        format!("GET /cable/new/{TUNNEL} HTTP/1.1\r\n{UPGRADE}{SUB}X-Forwarded-For: 192.0.2.1\r\n\r\n");
    let trusted = ["10.0.0.0/8".parse().unwrap()];
    let proxy = Proxy { header: ForwardedHeader::XForwardedFor, trusted: &trusted };
    let request = parse_from(head.as_bytes(), Some(proxy)).unwrap();
    assert_eq!(request.client(), Ok(Some([192, 0, 2, 1].into())));
    assert_eq!(parse_request(head.as_bytes()).unwrap().client(), Ok(None));
}

#[test]
fn the_end_of_a_head_is_its_first_blank_line() {
    assert_eq!(head_end(b"GET / HTTP/1.1\r\n\r\nrest", 0), Some(18));
    assert_eq!(head_end(b"GET / HTTP/1.1\n\nrest\r\n\r\n", 0), Some(16));
    assert_eq!(head_end(b"GET / HTTP/1.1\r\n\r", 0), None);
    assert_eq!(head_end(b"", 7), None);
}

/// Pieces that steer random heads past the first checks.
fn piece() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "GET ",
        "POST ",
        "/cable/",
        "new/",
        "connect/",
        "contact/",
        TUNNEL,
        "/044E11/",
        " HTTP/1.1",
        "\r\n",
        "\n",
        "\r",
        UPGRADE,
        SUB,
        "Host: a\r\n",
        ":",
        " ",
        ",",
        "\u{0}",
        "é",
    ];
    prop_oneof![4 => select(WORDS).prop_map(str::to_owned), 1 => "\\PC{0,8}"]
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_answered(bytes in vec(any::<u8>(), 0..300)) {
        let _ = parse_request(&bytes);
    }

    #[test]
    fn near_misses_are_answered(pieces in vec(piece(), 0..30)) {
        let _ = parse_request(pieces.concat().as_bytes());
    }

    #[test]
    fn searching_in_pieces_finds_the_same_end(
        pieces in vec(select(&["\r", "\n", "a", "\r\n"][..]), 0..40),
        cut in 0..40_usize,
    ) {
        let bytes = pieces.concat().into_bytes();
        let first = &bytes[..cut.min(bytes.len())];
        let stepwise = head_end(first, 0).or_else(|| head_end(&bytes, first.len()));
        prop_assert_eq!(stepwise, head_end(&bytes, 0));
    }
}
