//! The JSON envelope of digital credentials, requests and answers. What is accepted survives being written.
#![no_main]

use hybridge_proto::json::{DigitalRequest, DigitalResponse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = DigitalRequest::decode(bytes) {
        assert_eq!(DigitalRequest::decode(&request.encode()), Ok(request));
    }
    if let Ok(response) = DigitalResponse::decode(bytes) {
        assert_eq!(DigitalResponse::decode(&response.encode()), Ok(response));
    }
});
