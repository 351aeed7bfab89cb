//! The state file of the software phone. What is read is written as it was read.
#![no_main]

use hybridge_phone::State;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match State::parse(bytes) {
        Ok(state) => {
            let written = state.encode();
            let again = State::parse(&written).expect("what is written is read");
            assert_eq!(again.len(), state.len());
            assert_eq!(*again.encode(), *written, "one state has one form");
        }
        Err(error) => assert!(error.to_string().len() < 100, "an error quotes nothing"),
    }
});
