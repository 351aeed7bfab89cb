//! The answer of a tunnel service to a websocket request, and the first line of its body. What is taken for an open tunnel
//! says so.
#![no_main]

use hybridge_tunnel::response::{Response, first_line};
use libfuzzer_sys::fuzz_target;

/// What belongs to the key of the example in RFC 6455 section 1.3.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fuzz_target!(|bytes: &[u8]| {
    let line = first_line(bytes);
    assert!(line.chars().count() <= 120 && !line.chars().any(char::is_control));
    let Ok(Some((response, length))) = Response::parse(bytes) else { return };
    assert!((1..=bytes.len()).contains(&length));
    let (again, same) = Response::parse(&bytes[..length]).expect("a head").expect("all of it");
    assert_eq!((again.status(), same), (response.status(), length), "what follows changes nothing");
    assert!((100..=599).contains(&response.status()));
    if response.check_upgrade(ACCEPT).is_ok() {
        assert_eq!(response.status(), 101);
        let head = &bytes[..length];
        assert!(head.windows(ACCEPT.len()).any(|window| window == ACCEPT.as_bytes()));
    }
    let _ = (response.routing_id(), response.has_signal());
});
