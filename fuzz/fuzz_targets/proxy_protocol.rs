//! The header with which a proxy says whom it speaks for, and what follows it.
#![no_main]

use hybridge_relay::proxy_protocol::{FIXED, MAX_REST, Prefix};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((fixed, behind)) = bytes.split_first_chunk::<FIXED>() else { return };
    let Ok(prefix) = Prefix::parse(fixed) else { return };
    assert!(prefix.rest() <= MAX_REST, "what is waited for is bounded");
    let origin = prefix.origin(behind);
    // The connection's own bytes begin where the header says.
    match behind.get(..prefix.rest()) {
        Some(rest) => assert_eq!(prefix.origin(rest), origin, "no byte behind the header is looked at"),
        None => assert!(origin.is_err(), "a header that is cut off is not taken"),
    }
});
