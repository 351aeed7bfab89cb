//! Events of `/dev/uhid` as the kernel writes them.
#![no_main]

use hybridge_security_key::uhid::{EVENT_SIZE, KernelEvent, refusal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let event = KernelEvent::read(bytes);
    if let KernelEvent::Output(report) = event {
        assert!(bytes.len() <= EVENT_SIZE || bytes[..EVENT_SIZE] != [0; EVENT_SIZE]);
        assert_eq!((bytes[4], &bytes[5..69]), (0, report.0.as_slice()), "the report behind its number");
    }
    if let Some(refusal) = refusal(event) {
        assert_eq!(refusal[4..8], bytes[4..8], "the ID comes back");
    }
});
