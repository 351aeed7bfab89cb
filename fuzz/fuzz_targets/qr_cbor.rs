//! The CBOR map of a QR code. What is accepted survives being written, as a map and as text.
#![no_main]

use hybridge_proto::{
    cbor::check_canonical,
    digits::{DigitsError, MAX_DIGITS},
    qr::{QrCode, QrError},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(code) = QrCode::from_cbor(bytes) else { return };
    let written = code.to_cbor();
    check_canonical(&written).expect("a written code is canonical");
    assert_same(&code, &QrCode::from_cbor(&written).expect("a written map is read"));
    match QrCode::parse(code.to_uri().expose_text()) {
        Ok(again) => assert_same(&code, &again),
        // A map may hold more than fits into any picture.
        Err(error) => assert!(
            matches!(error, QrError::Digits(DigitsError::Length(digits)) if digits > MAX_DIGITS),
            "{error}"
        ),
    }
});

fn assert_same(a: &QrCode, b: &QrCode) {
    assert_eq!(a.public_key, b.public_key);
    assert_eq!(a.secret, b.secret);
    assert_eq!((a.known_domains, a.timestamp), (b.known_domains, b.timestamp));
    assert_eq!((a.supports_linking, &a.hint, &a.channels), (b.supports_linking, &b.hint, &b.channels));
}
