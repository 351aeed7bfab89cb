//! A full handshake, both sides, against its six P-256 operations: a key pair for each side, and two
//! Diffie-Hellman results that each side computes for itself.

use std::{hint::black_box, sync::Arc};

use hybridge_proto::{
    handshake::{Established, Initiator, Responder},
    keys::{PrivateKey, Psk},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};

use super::Comparison;

pub(super) fn qr_initiated() -> Comparison {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let code_key = Arc::new(PrivateKey::generate(&mut rng));
    let psk = Psk::generate(&mut rng);
    let handshake = move || -> Option<(Established, Established)> {
        let (initiator, message_1) = Initiator::qr(&code_key, &psk, &mut rng).ok()?;
        let responder = Responder::qr(code_key.public_key(), &psk, &mut rng).ok()?;
        let (message_2, authenticator) = responder.respond(&message_1).ok()?;
        Some((initiator.finish(&message_2).ok()?, authenticator))
    };
    comparison("QR-initiated handshake, both sides", handshake)
}

pub(super) fn state_assisted() -> Comparison {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let identity = Arc::new(PrivateKey::generate(&mut rng));
    let psk = Psk::generate(&mut rng);
    let handshake = move || -> Option<(Established, Established)> {
        let (initiator, message_1) = Initiator::linked(identity.public_key(), &psk, &mut rng).ok()?;
        let responder = Responder::linked(&identity, &psk, &mut rng).ok()?;
        let (message_2, authenticator) = responder.respond(&message_1).ok()?;
        Some((initiator.finish(&message_2).ok()?, authenticator))
    };
    comparison("state-assisted handshake, both sides", handshake)
}

fn comparison(
    operation: &'static str,
    mut handshake: impl FnMut() -> Option<(Established, Established)> + 'static,
) -> Comparison {
    let whole = move || {
        let established = handshake();
        assert!(established.is_some(), "a handshake between two honest sides succeeds");
        black_box(established);
    };
    Comparison {
        operation,
        cryptography: "six P-256 operations",
        bound: 1.25,
        whole: Box::new(whole),
        bare: Box::new(six_operations()),
    }
}

/// Two key pairs, drawn and encoded, and four Diffie-Hellman results with keys that are parsed already.
fn six_operations() -> impl FnMut() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let own = draw(&mut rng);
    let peer = draw(&mut rng).public_key();
    move || {
        black_box((draw(&mut rng).public_key(), draw(&mut rng).public_key()));
        for _ in 0..4 {
            black_box(own.diffie_hellman(black_box(&peer)));
        }
    }
}

fn draw(rng: &mut ChaCha20Rng) -> p256::SecretKey {
    loop {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        if let Ok(key) = p256::SecretKey::from_slice(&bytes) {
            return key;
        }
    }
}
