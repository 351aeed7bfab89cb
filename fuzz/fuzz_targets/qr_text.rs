//! The text of a QR code, as a camera reads it. What is accepted survives being written and read again.
#![no_main]

use hybridge_proto::{digits, qr::QrCode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(code) = QrCode::parse(text) {
        let written = code.to_uri();
        let again = QrCode::parse(written.expose_text()).expect("a written code is read");
        assert_eq!(again.to_cbor(), code.to_cbor());
    }
    if let Ok(bytes) = digits::decode(text) {
        assert_eq!(digits::encode(&bytes), text, "digits stand for one byte string only");
    }
});
