use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: fido.cable\r\nX-caBLE-Routing-ID: 0102fE\r\n\r\n";

fn parse(text: &str) -> Result<Response, NotTunnelService> {
    Response::parse(text.as_bytes()).map(|parsed| parsed.unwrap().0)
}

/// What `check_upgrade` says of the good answer with one replacement.
fn check(from: &str, to: &str) -> Result<(), NotTunnelService> {
    assert!(GOOD.contains(from), "{from}");
    parse(&GOOD.replacen(from, to, 1))?.check_upgrade("ACCEPT")
}

#[test]
fn a_good_answer_passes_and_its_length_is_known() {
    let bytes = format!("{GOOD}\u{2}\u{1}");
    let (response, length) = Response::parse(bytes.as_bytes()).unwrap().unwrap();
    assert_eq!(length, GOOD.len());
    assert_eq!(response.check_upgrade("ACCEPT"), Ok(()));
    assert_eq!(response.routing_id(), Ok(RoutingId::from_bytes([1, 2, 0xFE])));
    assert!(!response.has_signal());
    for cut in 0..GOOD.len() {
        assert_eq!(Response::parse(&GOOD.as_bytes()[..cut]), Ok(None), "{cut}");
    }
}

#[test]
fn harmless_variations_pass() {
    for (from, to) in [
        ("Connection: Upgrade", "connection: keep-alive, upgrade"),
        ("Upgrade: websocket", "UPGRADE: WebSocket"),
        ("Switching Protocols", "Web Socket Protocol Handshake"),
        ("Connection", "Server: x\r\nConnection"),
    ] {
        assert_eq!(check(from, to), Ok(()), "{from} -> {to}");
    }
}

#[test]
fn each_broken_rule_is_named() {
    use NotTunnelService as Not;
    for (from, to, expected) in [
        ("101 Switching Protocols", "200 OK", Not::Status(200)),
        ("HTTP/1.1", "HTTP/1.0", Not::Malformed),
        ("HTTP/1.1", "SSH-2.0", Not::Malformed),
        ("101", "099", Not::Malformed),
        ("101", "600", Not::Malformed),
        ("Connection: Upgrade\r\n", "", Not::Upgrade),
        ("Upgrade: websocket\r\n", "", Not::Upgrade),
        ("Upgrade: websocket", "Upgrade: h2c", Not::Upgrade),
        ("ACCEPT", "accept", Not::Accept),
        ("Sec-WebSocket-Accept: ACCEPT\r\n", "", Not::Accept),
        ("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Accept", Not::Accept),
        ("Sec-WebSocket-Protocol: fido.cable\r\n", "", Not::Subprotocol),
        ("fido.cable", "chat", Not::Subprotocol),
        ("fido.cable", "fido.cable, chat", Not::Subprotocol),
        ("fido.cable", "fido.cable\r\nSec-WebSocket-Protocol: fido.cable", Not::Subprotocol),
        ("X-caBLE", "Sec-WebSocket-Extensions: permessage-deflate\r\nX-caBLE", Not::Extension),
    ] {
        assert_eq!(check(from, to), Err(expected), "{from} -> {to}");
    }
    let many = GOOD.replacen("Connection", &format!("{}Connection", "A: b\r\n".repeat(MAX_HEADERS)), 1);
    assert_eq!(parse(&many).err(), Some(NotTunnelService::HeadTooLarge));
}

#[test]
fn the_routing_id_stands_once_and_is_hex() {
    let routing =
        |line: &str| parse(&GOOD.replacen("X-caBLE-Routing-ID: 0102fE\r\n", line, 1)).unwrap().routing_id();
    assert_eq!(routing(""), Err(RoutingIdError::Missing));
    assert_eq!(routing("x-cable-routing-id: 0102fE\r\n"), Ok(RoutingId::from_bytes([1, 2, 0xFE])));
    let twice = "X-caBLE-Routing-ID: 0102fE\r\nX-CABLE-ROUTING-ID: 0102fE\r\n";
    assert_eq!(routing(twice), Err(RoutingIdError::Repeated));
    for value in ["", "0102f", "0102fE0", "0102fg", "é"] {
        let line = format!("X-caBLE-Routing-ID: {value}\r\n");
        assert!(matches!(routing(&line), Err(RoutingIdError::Malformed(_))), "{value}");
    }
    let mut bytes = GOOD.replacen("0102fE", "??????", 1).into_bytes();
    bytes.iter_mut().filter(|byte| **byte == b'?').for_each(|byte| *byte = 0xFF);
    let (response, _) = Response::parse(&bytes).unwrap().unwrap();
    assert!(matches!(response.routing_id(), Err(RoutingIdError::Malformed(_))));
}

#[test]
fn the_signal_header_counts_with_any_value() {
    for value in ["true", "", "false"] {
        let line = format!("X-cable-signal-connection: {value}\r\nConnection");
        assert!(parse(&GOOD.replacen("Connection", &line, 1)).unwrap().has_signal());
    }
}

#[test]
fn body_lengths_and_locations() {
    let refusal = |headers: &str| parse(&format!("HTTP/1.1 404 Not Found\r\n{headers}\r\n")).unwrap();
    assert_eq!(refusal("").body_length(), u64::MAX);
    assert_eq!(refusal("Content-Length: 7\r\n").body_length(), 7);
    assert_eq!(refusal("Content-Length: x\r\n").body_length(), 0);
    assert_eq!(refusal("Transfer-Encoding: chunked\r\n").body_length(), 0);
    assert_eq!(refusal("Location: /a\r\n").location(), Ok("/a"));
    assert_eq!(refusal("Location: /a\r\nLocation: /b\r\n").location(), Err(RedirectRefused::Malformed));
    assert_eq!(refusal("").location(), Err(RedirectRefused::Malformed));
}

#[test]
fn a_services_words_are_made_harmless() {
    for (body, expected) in [
        ("No tunnel with these IDs.\nMore.", "No tunnel with these IDs."),
        ("  a\tb\u{1B}[31mc\r\n", "ab[31mc"),
        ("no D5D511FB41CFB9760F5B1782E906F558!", "no …!"),
        ("/cable/contact/tQdBBGJAGTfb0dMiy2TZPwqi0Ts", "/cable/contact/…"),
        ("a\u{202E}b\u{200B}c", "abc"),
        ("", ""),
    ] {
        assert_eq!(first_line(body.as_bytes()), expected, "{body}");
    }
    assert_eq!(first_line(b"\xFFa"), "\u{FFFD}a");
    assert_eq!(first_line("no word ".repeat(100).as_bytes()).chars().count(), 120);
}

#[test]
fn debug_shows_no_header() {
    assert_eq!(format!("{:?}", parse(GOOD).unwrap()), "Response { status: 101, .. }");
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_judged(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(Some((response, length))) = Response::parse(&bytes) {
            prop_assert!(length <= bytes.len());
            let _ = (response.check_upgrade("ACCEPT"), response.routing_id(), response.body_length());
        }
    }

    #[test]
    fn near_misses_are_judged(
        pieces in vec(select(&["HTTP/1.1 101 a\r\n", "\r\n", ":", "\n", " ", "a", "Connection: ", "Upgrade: ",
            "X-caBLE-Routing-ID: 010203\r\n", "\u{0}", "Sec-WebSocket-Accept: ACCEPT\r\n", "é"][..]), 0..30),
    ) {
        let bytes = pieces.concat();
        if let Ok(Some((response, _))) = Response::parse(bytes.as_bytes()) {
            prop_assert!(response.check_upgrade("ACCEPT").is_err());
        }
    }

    #[test]
    fn any_body_becomes_short_clean_text(body in vec(any::<u8>(), 0..600)) {
        let text = first_line(&body);
        prop_assert!(text.chars().count() <= MAX_TEXT);
        prop_assert!(!text.chars().any(char::is_control));
    }

    #[test]
    fn no_long_word_survives(words in vec("[A-Za-z0-9_-]{1,60}", 1..5), gap in "[ /.:\u{7}]") {
        let text = first_line(words.join(&gap).as_bytes());
        prop_assert!(text.split(|letter| !is_word(letter)).all(|word| word.len() < IDENTIFIER_LENGTH));
    }
}
