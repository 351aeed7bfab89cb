//! `transport.json`.

use aes_gcm::{Aes256Gcm, KeyInit, aead::Aead};
use hybridge_proto::frame::{FrameError, MAX_COUNTER, Opener, Sealer, TrafficKey, pad, padded_length, unpad};

use crate::tracked::{Node, Outcome};

pub(super) fn transport_file(root: &Node<'_>) -> Outcome {
    for case in root.cases("frames")? {
        let nonce = case.array::<12>("nonce")?;
        let cipher = Aes256Gcm::new(&case.array::<32>("key")?.into());
        let ciphertext = case.bytes("ciphertext")?;
        let opened = cipher.decrypt(&nonce.into(), ciphertext.as_slice());
        case.expect_bytes("padded", case.accepted("the frame", opened)?)?;
        let counter = counter(&case, "counter")?;
        case.expect_bytes("nonce", [[0; 8].as_slice(), &counter.to_be_bytes()].concat())?;

        case.expect_bytes("padded", pad(&case.bytes("message")?))?;
        frame(&case, &key(&case)?, "ciphertext")?;
    }
    root.cases("padding")?.iter().try_for_each(padding)?;
    for case in root.cases("unpad")? {
        let padded = case.bytes("padded")?;
        match case.find("message") {
            Some(message) => case.same("message", &unpad(&padded), &Some(message.as_bytes()?.as_slice()))?,
            None => case.same("message", &unpad(&padded), &None)?,
        }
    }
    for case in root.cases("reject")? {
        let mut opener = Opener::dangerous_starting_at(&key(&case)?, counter(&case, "counter")?);
        case.refused("the frame", opener.open(case.bytes("ciphertext")?))?;
    }
    counter_limit(&root.get("counter_limit")?.case())
}

fn key(case: &Node<'_>) -> Outcome<TrafficKey> {
    case.array("key").map(|bytes| TrafficKey::from_bytes(&bytes))
}

fn counter(case: &Node<'_>, key: &str) -> Outcome<u32> {
    u32::try_from(case.number(key)?).map_err(|error| case.fail(error))
}

/// Seals and opens one frame of a known key and counter.
pub(super) fn frame(case: &Node<'_>, key: &TrafficKey, frame: &str) -> Outcome {
    let counter = counter(case, "counter")?;
    let sealed = Sealer::dangerous_starting_at(key, counter).seal(&case.bytes("message")?);
    case.expect_bytes(frame, case.accepted("the message", sealed)?)?;
    let opened = Opener::dangerous_starting_at(key, counter).open(case.bytes(frame)?);
    case.expect_bytes("message", case.accepted("the frame", opened)?)
}

/// Seals and opens one frame of a session under the key of its direction.
pub(super) fn keyed(session: &Node<'_>, case: &Node<'_>) -> Outcome {
    let direction = case.text("direction")?;
    let key = TrafficKey::from_bytes(&session.array(&format!("{direction}_key"))?);
    frame(case, &key, "websocket_message")
}

fn padding(case: &Node<'_>) -> Outcome {
    let length = usize::try_from(case.number("length")?).map_err(|error| case.fail(error))?;
    let message = vec![1; length];
    let padded = pad(&message);
    case.expect_number("padded_length", padded.len())?;
    case.expect_number("padded_length", padded_length(length))?;
    case.expect_number("final_byte", padded.last().copied().unwrap_or_default())?;
    case.same("message", &unpad(&padded), &Some(message.as_slice()))
}

fn counter_limit(case: &Node<'_>) -> Outcome {
    case.expect_number("max", MAX_COUNTER)?;
    let key = TrafficKey::from_bytes(&[1; 32]);
    let last = Sealer::dangerous_starting_at(&key, counter(case, "max")?).seal(b"last");
    let last = case.accepted("the last frame", last)?;
    let opened = Opener::dangerous_starting_at(&key, counter(case, "max")?).open(last.clone());
    case.accepted("the last frame", opened)?;

    let beyond = counter(case, "first_invalid")?;
    case.same("the first counter that is refused", &Some(beyond), &MAX_COUNTER.checked_add(1))?;
    let sealed = Sealer::dangerous_starting_at(&key, beyond).seal(b"beyond");
    case.same("sealing beyond the limit", &sealed, &Err(FrameError::Exhausted))?;
    let opened = Opener::dangerous_starting_at(&key, beyond).open(last);
    case.same("opening beyond the limit", &opened, &Err(FrameError::Exhausted))
}
