use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::*;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn psk() -> Psk {
    Psk::from_bytes(&[9; 32])
}

fn talk(client: &mut Established, authenticator: &mut Established) {
    let frame = client.sealer.seal(b"ping").unwrap();
    assert_eq!(authenticator.opener.open(frame).unwrap(), b"ping");
    let frame = authenticator.sealer.seal(b"pong").unwrap();
    assert_eq!(client.opener.open(frame).unwrap(), b"pong");
    assert_eq!(client.hash, authenticator.hash);
}

#[test]
fn qr_sides_agree() {
    let key = Arc::new(PrivateKey::generate(&mut rng(1)));
    let (client, message_1) = Initiator::qr(&key, &psk(), &mut rng(2)).unwrap();
    let responder = Responder::qr(key.public_key(), &psk(), &mut rng(3)).unwrap();
    let (message_2, mut authenticator) = responder.respond(&message_1).unwrap();
    talk(&mut client.finish(&message_2).unwrap(), &mut authenticator);
}

#[test]
fn linked_sides_agree() {
    let identity = Arc::new(PrivateKey::generate(&mut rng(1)));
    let (client, message_1) = Initiator::linked(identity.public_key(), &psk(), &mut rng(2)).unwrap();
    let responder = Responder::linked(&identity, &psk(), &mut rng(3)).unwrap();
    let (message_2, mut authenticator) = responder.respond(&message_1).unwrap();
    talk(&mut client.finish(&message_2).unwrap(), &mut authenticator);
}

#[test]
fn the_patterns_do_not_mix() {
    let key = Arc::new(PrivateKey::generate(&mut rng(1)));
    let (_, message_1) = Initiator::linked(key.public_key(), &psk(), &mut rng(2)).unwrap();
    let responder = Responder::qr(key.public_key(), &psk(), &mut rng(3)).unwrap();
    assert_eq!(responder.respond(&message_1).unwrap_err(), HandshakeError::Authentication);
}

#[test]
fn a_reflected_message_fails() {
    let key = Arc::new(PrivateKey::generate(&mut rng(1)));
    let (client, message_1) = Initiator::qr(&key, &psk(), &mut rng(2)).unwrap();
    assert_eq!(client.finish(&message_1).unwrap_err(), HandshakeError::Authentication);
}

#[test]
fn debug_shows_no_secret() {
    let key = Arc::new(PrivateKey::generate(&mut rng(1)));
    let (client, message_1) = Initiator::qr(&key, &psk(), &mut rng(2)).unwrap();
    let responder = Responder::qr(key.public_key(), &psk(), &mut rng(3)).unwrap();
    assert_eq!(format!("{client:?} {responder:?}"), "Initiator(..) Responder(..)");
    let (_, established) = responder.respond(&message_1).unwrap();
    assert_eq!(
        format!("{established:?}"),
        "Established { sealer: Sealer { counter: 0, .. }, opener: Opener { counter: 0, .. }, hash: HandshakeHash(..) }"
    );
}

proptest! {
    #[test]
    fn a_changed_bit_fails(bit in 0_usize..MESSAGE_LENGTH * 8, second: bool) {
        let key = Arc::new(PrivateKey::generate(&mut rng(1)));
        let (client, mut message_1) = Initiator::qr(&key, &psk(), &mut rng(2)).unwrap();
        let responder = Responder::qr(key.public_key(), &psk(), &mut rng(3)).unwrap();
        if second {
            let (mut message_2, _) = responder.respond(&message_1).unwrap();
            message_2[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(client.finish(&message_2).is_err());
        } else {
            message_1[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(responder.respond(&message_1).is_err());
        }
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let key = Arc::new(PrivateKey::generate(&mut rng(1)));
        let (client, _) = Initiator::qr(&key, &psk(), &mut rng(2)).unwrap();
        prop_assert!(client.finish(&bytes).is_err());
        prop_assert!(Responder::qr(key.public_key(), &psk(), &mut rng(3)).unwrap().respond(&bytes).is_err());
    }
}
