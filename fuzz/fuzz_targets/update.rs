//! The map of an update, and one that is written around any linking information.
#![no_main]

use hybridge_proto::{cbor::check_canonical, frame::padded_length, message::Update};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(update) = Update::decode(bytes) {
        if let Some(info) = update.linking_info {
            check_canonical(info).expect("a part of a canonical map is canonical");
        }
        write_and_read(update);
    }
    // One level deeper it may be nested too deeply.
    if check_canonical(&[&[0xa1, 1], bytes].concat()).is_ok() {
        write_and_read(Update { linking_info: Some(bytes) });
    }
});

fn write_and_read(update: Update<'_>) {
    let map = update.encode();
    assert_eq!(Update::decode(&map).as_ref(), Ok(&update));
    if update.linking_info.is_none_or(|info| info.len() <= 480) {
        assert_eq!(padded_length(map.len() + 1), 512, "every update has one size");
    }
}
