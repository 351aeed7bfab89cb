//! Message 1, as it reaches an authenticator: kind (1), PSK (32), the static key pair of the pattern (32, private),
//! then the message, or in another kind what is to be changed in an honest one.
#![no_main]

use std::sync::Arc;

use hybridge_fuzz_input::Reader;
use hybridge_proto::{
    handshake::{Established, HandshakeError, Initiator, MESSAGE_LENGTH, Message, Responder},
    keys::{PrivateKey, Psk},
};
use libfuzzer_sys::fuzz_target;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

fuzz_target!(|bytes: &[u8]| {
    let mut input = Reader::new(bytes);
    let kind = input.byte();
    let psk = Psk::from_bytes(&input.array());
    let Ok(key) = PrivateKey::from_bytes(&input.array()) else { return };
    let sides = Sides { linked: kind & 1 == 1, key: Arc::new(key), psk };
    if kind & 2 == 0 {
        sides.answer(input.rest());
    } else {
        sides.change_honest(input.array());
    }
});

/// Both sides of a pattern; `key` is the client's in one and the authenticator's in the other.
struct Sides {
    linked: bool,
    key: Arc<PrivateKey>,
    psk: Psk,
}

impl Sides {
    fn client(&self) -> (Initiator, Message) {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        let started = match self.linked {
            true => Initiator::linked(self.key.public_key(), &self.psk, rng),
            false => Initiator::qr(&self.key, &self.psk, rng),
        };
        started.expect("nothing from outside stops a client from starting")
    }

    fn authenticator(&self) -> Responder {
        let rng = &mut ChaCha20Rng::seed_from_u64(2);
        let built = match self.linked {
            true => Responder::linked(&self.key, &self.psk, rng),
            false => Responder::qr(self.key.public_key(), &self.psk, rng),
        };
        built.expect("nothing from outside stops an authenticator from expecting a message")
    }

    fn answer(&self, message: &[u8]) {
        match self.authenticator().respond(message) {
            Ok(_) => assert_eq!(message.len(), MESSAGE_LENGTH),
            Err(HandshakeError::Length(length)) => {
                assert_eq!(length, message.len());
                assert_ne!(length, MESSAGE_LENGTH);
            }
            Err(error) => assert_ne!(error, HandshakeError::Setup, "the peer is to blame"),
        }
    }

    fn change_honest(&self, change: Message) {
        let (client, mut message) = self.client();
        message.iter_mut().zip(change).for_each(|(byte, change)| *byte ^= change);
        let answer = self.authenticator().respond(&message);
        assert_eq!(answer.is_ok(), change == [0; MESSAGE_LENGTH], "a changed message is noticed");
        if let Ok((message_2, authenticator)) = answer {
            agree(client.finish(&message_2).expect("an honest answer is accepted"), authenticator);
        }
    }
}

fn agree(mut client: Established, mut authenticator: Established) {
    assert_eq!(client.hash, authenticator.hash);
    let there = client.sealer.seal(b"there").expect("room for a frame");
    assert_eq!(authenticator.opener.open(there).expect("the same key"), b"there");
    let back = authenticator.sealer.seal(b"back").expect("room for a frame");
    assert_eq!(client.opener.open(back).expect("the same key"), b"back");
}
