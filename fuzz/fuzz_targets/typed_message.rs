//! Typed messages, as either side reads them out of a frame.
#![no_main]

use hybridge_proto::message::{Message, MessageError, MessageKind, Update};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|plaintext: &[u8]| {
    let kind = plaintext.first().and_then(|byte| MessageKind::from_byte(*byte));
    match Message::decode(plaintext) {
        Ok(message) => {
            assert_eq!(Some(message.kind()), kind);
            if let Message::Update(map) = &message {
                assert!(Update::decode(map).is_ok(), "an update is checked when it is read");
            }
            match message {
                Message::Shutdown => assert_eq!(message.encode(), [0]),
                _ => assert_eq!(message.encode(), plaintext, "payloads pass untouched"),
            }
        }
        Err(MessageError::UnknownType(byte)) => assert_eq!((kind, plaintext[0]), (None, byte)),
        Err(MessageError::Update(_)) => assert_eq!(kind, Some(MessageKind::Update)),
        Err(MessageError::EmptyCtap) => assert_eq!(plaintext, [MessageKind::Ctap.as_byte()]),
        Err(_) => assert!(plaintext.is_empty()),
    }
});
