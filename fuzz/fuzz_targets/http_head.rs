//! The head of an HTTP request, as a stranger sends it to the tunnel service.
#![no_main]

use hybridge_proto::ids::RoutingId;
use hybridge_relay::http::{head_end, parse_request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let end = head_end(bytes, 0);
    // However the bytes come in, the head ends at the same place.
    let searched = bytes.first().map_or(0, |first| usize::from(*first).min(bytes.len()));
    if head_end(&bytes[..searched], 0).is_none() {
        assert_eq!(head_end(bytes, searched), end);
    }
    let head = end.map_or(bytes, |end| &bytes[..end]);
    match parse_request(head) {
        Ok(request) => {
            let response = request.to_response(Some(RoutingId::from_bytes([1, 2, 3])));
            assert_eq!(status(&response), 101);
        }
        Err(refusal) => assert_eq!(status(&refusal.to_response()), refusal.status()),
    }
});

/// The status of a response, which has to be one complete head with lines that are ours alone.
fn status(response: &[u8]) -> u16 {
    let mut lines = [httparse::EMPTY_HEADER; 8];
    let mut parsed = httparse::Response::new(&mut lines);
    let complete = parsed.parse(response).expect("a well-formed response");
    assert!(complete.is_complete());
    parsed.code.expect("a status")
}
