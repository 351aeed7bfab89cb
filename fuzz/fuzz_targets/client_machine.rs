//! The client machine through any sequence of calls; see `client_world` for the world around it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hybridge_fuzz::client_world::run(bytes));
