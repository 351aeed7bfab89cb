//! The payload with which a client calls a phone: the header's text, or the map.
#![no_main]

use hybridge_proto::link::ClientPayload;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let from_map = ClientPayload::from_cbor(bytes).ok();
    let from_text = str::from_utf8(bytes).ok().and_then(|text| ClientPayload::from_header(text).ok());
    for payload in from_map.into_iter().chain(from_text) {
        assert_eq!(ClientPayload::from_cbor(&payload.to_cbor()).as_ref(), Ok(&payload));
        let header = payload.to_header();
        if header.len() <= 1024 {
            assert_eq!(ClientPayload::from_header(&header), Ok(payload));
        }
    }
});
