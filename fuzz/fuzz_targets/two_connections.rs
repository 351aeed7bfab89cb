//! The raw bytes of two connections through the tunnel service: a byte of flags, a byte saying how many steps come
//! before the client joins, then steps: a byte with side, pause and length, and so many bytes. The property test of
//! the same name in the service's crate has the player and the model.
#![no_main]

#[path = "../../tunnel-server/tests/support/model.rs"]
mod model;
#[path = "../../tunnel-server/tests/support/two_connections.rs"]
mod two_connections;

use libfuzzer_sys::fuzz_target;
use two_connections::{Script, check};

fuzz_target!(|input: &[u8]| {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O")
        .block_on(check(&Script::read(input)));
});
