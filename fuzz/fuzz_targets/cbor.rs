//! The strict checker and the canonicaliser, which have to agree about what canonical is.
#![no_main]

use hybridge_proto::cbor::{canonicalize, check_canonical};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let canonical = check_canonical(bytes).is_ok();
    match canonicalize(bytes) {
        Ok(out) => {
            check_canonical(&out).expect("what comes out is canonical");
            assert_eq!(out == bytes, canonical, "canonical input is left alone, and only that");
        }
        Err(error) => assert!(!canonical, "canonical input is accepted: {error}"),
    }
});
