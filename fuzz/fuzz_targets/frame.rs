//! Frames: kind (1), key (32), counter (4), then a frame, a padded text or a message.
#![no_main]

use hybridge_fuzz_input::Reader;
use hybridge_proto::frame::{
    FrameError, MAX_COUNTER, Opener, Sealer, TAG_LENGTH, TrafficKey, pad, padded_length, unpad,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Reader::new(bytes);
    let kind = input.byte();
    let key = TrafficKey::from_bytes(&input.array());
    let counter = u32::from_le_bytes(input.array());
    match kind % 3 {
        0 => open(&key, counter, input.rest()),
        1 => unpad_and_pad(input.rest()),
        _ => seal_and_open(&key, counter, input.rest()),
    }
});

fn open(key: &TrafficKey, counter: u32, frame: &[u8]) {
    let mut opener = Opener::dangerous_starting_at(key, counter);
    match opener.open(frame.to_vec()) {
        Ok(message) => {
            assert!(message.len() + TAG_LENGTH < frame.len(), "there is padding and a tag");
            assert!(opener.open(frame.to_vec()).is_err(), "a frame opens once");
        }
        Err(FrameError::Exhausted) => assert!(counter > MAX_COUNTER),
        Err(FrameError::TooShort(length)) => assert!(length < TAG_LENGTH),
        Err(_) => {}
    }
}

fn unpad_and_pad(padded: &[u8]) {
    if let Some(message) = unpad(padded) {
        assert!(padded.starts_with(message));
    }
    assert_eq!(unpad(&pad(padded)), Some(padded));
}

fn seal_and_open(key: &TrafficKey, counter: u32, message: &[u8]) {
    let mut sealer = Sealer::dangerous_starting_at(key, counter);
    let Ok(frame) = sealer.seal(message) else {
        assert!(counter > MAX_COUNTER, "short messages are always sealed");
        return;
    };
    assert_eq!(frame.len(), padded_length(message.len()) + TAG_LENGTH);
    let mut opener = Opener::dangerous_starting_at(key, counter);
    let mut changed = frame.clone();
    let at = message.iter().map(|byte| usize::from(*byte)).sum::<usize>() % changed.len();
    changed[at] ^= 0x10;
    assert_eq!(opener.open(changed), Err(FrameError::Authentication));
    assert_eq!(opener.open(frame).as_deref(), Ok(message), "a failed frame costs no counter");
}
