//! The authenticator's first message, with and without the padding of old ones.
#![no_main]

use hybridge_proto::message::{PostHandshake, Revision};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|plaintext: &[u8]| {
    let Ok(mut message) = PostHandshake::decode(plaintext) else { return };
    assert_eq!(message.features.ctap, message.get_info.is_some());
    // Current authenticators write neither linking information here nor padding.
    message.linking_info = None;
    message.revision = Revision::Typed;
    assert_eq!(PostHandshake::decode(&message.encode()), Ok(message));
});
