//! Message 2, as it reaches a client: kind (1), PSK (32), the static key pair of the pattern (32, private), the
//! client's ephemeral key (32), then the message, or in another kind what is to be changed in an honest one.
#![no_main]

use std::sync::Arc;

use hybridge_fuzz::OneDraw;
use hybridge_fuzz_input::Reader;
use hybridge_proto::{
    handshake::{HandshakeError, Initiator, MESSAGE_LENGTH, Message, Responder},
    keys::{PrivateKey, Psk},
};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fuzz_target!(|bytes: &[u8]| {
    let mut input = Reader::new(bytes);
    let kind = input.byte();
    let linked = kind & 1 == 1;
    let psk = Psk::from_bytes(&input.array());
    let (Ok(key), ephemeral) = (PrivateKey::from_bytes(&input.array()), input.array()) else { return };
    if PrivateKey::from_bytes(&ephemeral).is_err() {
        return;
    }
    let key = Arc::new(key);
    let rng = &mut OneDraw::new(ephemeral);
    let started = match linked {
        true => Initiator::linked(key.public_key(), &psk, rng),
        false => Initiator::qr(&key, &psk, rng),
    };
    let (client, message_1) = started.expect("nothing from outside stops a client from starting");
    if kind & 2 == 0 {
        finish(client, input.rest());
    } else {
        change_honest(client, &honest_answer(linked, &key, &psk, &message_1), input.array());
    }
});

fn finish(client: Initiator, message: &[u8]) {
    match client.finish(message) {
        Ok(_) => assert_eq!(message.len(), MESSAGE_LENGTH),
        Err(HandshakeError::Length(length)) => {
            assert_eq!(length, message.len());
            assert_ne!(length, MESSAGE_LENGTH);
        }
        Err(error) => assert_ne!(error, HandshakeError::Setup, "the peer is to blame"),
    }
}

fn honest_answer(linked: bool, key: &Arc<PrivateKey>, psk: &Psk, message_1: &Message) -> Message {
    let rng = &mut ChaCha20Rng::seed_from_u64(2);
    let authenticator = match linked {
        true => Responder::linked(key, psk, rng),
        false => Responder::qr(key.public_key(), psk, rng),
    };
    let answered = authenticator.and_then(|authenticator| authenticator.respond(message_1));
    answered.expect("an honest message 1 is answered").0
}

fn change_honest(client: Initiator, message: &Message, change: Message) {
    let mut changed = *message;
    changed.iter_mut().zip(change).for_each(|(byte, change)| *byte ^= change);
    let finished = client.finish(&changed);
    assert_eq!(finished.is_ok(), changed == *message, "a changed message is noticed");
}
