//! The two handshakes by hand, one function a token, for attackers that leave the path: the protocol crate lets nobody
//! send a bad point, or go on after a tag that does not verify.

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{AeadInOut, KeyInit, consts::U12},
};
use hkdf::Hkdf;
use hybridge_proto::{
    frame::TrafficKey,
    handshake::{HandshakeHash, MESSAGE_LENGTH, Message},
    keys::{PrivateKey, Psk, PublicKey},
};
use sha2::{Digest, Sha256};

/// An uncompressed point, or what pretends to be one.
pub(super) type Point = [u8; PublicKey::UNCOMPRESSED_LENGTH];

/// Which of the two handshakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// After a code: the laptop's key is known beforehand.
    Code,
    /// With a remembered phone: the phone's key is known beforehand.
    Link,
}

/// What both sides of a finished handshake hold.
pub(super) struct Keys {
    pub(super) hash: HandshakeHash,
    pub(super) to_phone: TrafficKey,
    pub(super) to_laptop: TrafficKey,
}

/// The state of one side between two tokens.
pub(super) struct Handshake {
    hash: [u8; 32],
    chaining: [u8; 32],
    key: [u8; 32],
}

impl Handshake {
    /// The start of either side: name, prologue, the key known beforehand, and the PSK.
    pub(super) fn start(pattern: Pattern, known: &Point, psk: &Psk) -> Self {
        let (name, prologue) = match pattern {
            Pattern::Code => (b"Noise_KNpsk0_P256_AESGCM_SHA256\0", 1),
            Pattern::Link => (b"Noise_NKpsk0_P256_AESGCM_SHA256\0", 0),
        };
        let mut state = Self { hash: *name, chaining: *name, key: [0; 32] };
        state.mix_hash(&[prologue]);
        state.mix_hash(known);
        let [chaining, hash, key] = state.derive(psk.expose_bytes());
        state.mix_hash(&hash);
        Self { chaining, key, ..state }
    }

    /// The token `e`: the point as it is sent, sound or not.
    pub(super) fn ephemeral(&mut self, point: &Point) {
        self.mix_hash(point);
        self.mix_key(point);
    }

    /// A Diffie-Hellman token, with a result that need not come from Diffie-Hellman.
    pub(super) fn mix_key(&mut self, shared: &[u8]) {
        [self.chaining, self.key] = self.derive(shared);
    }

    /// The end of a message: the tag over nothing, the same whether it is made or checked.
    pub(super) fn tag(&mut self) -> [u8; 16] {
        let cipher = Aes256Gcm::new(&self.key.into());
        let nonce: Nonce<U12> = [0; 12].into();
        let tag = cipher.encrypt_inout_detached(&nonce, &self.hash, (&mut [][..]).into());
        // Only messages of gigabytes fail.
        let tag = tag.map_or([0; 16], Into::into);
        self.mix_hash(&tag);
        tag
    }

    /// The end of the handshake.
    pub(super) fn split(&self) -> Keys {
        let [to_phone, to_laptop] = self.derive(&[]);
        Keys {
            hash: HandshakeHash::from_bytes(&self.hash),
            to_phone: TrafficKey::from_bytes(&to_phone),
            to_laptop: TrafficKey::from_bytes(&to_laptop),
        }
    }

    fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Sha256::new().chain_update(self.hash).chain_update(data).finalize().into();
    }

    fn derive<const N: usize>(&self, input: &[u8]) -> [[u8; 32]; N] {
        let mut out = [[0_u8; 32]; N];
        let expanded = Hkdf::<Sha256>::new(Some(&self.chaining), input).expand(&[], out.as_flattened_mut());
        debug_assert!(expanded.is_ok(), "HKDF gives far more than {N} blocks");
        out
    }
}

/// A frame over bytes that are taken for padded already, with any counter.
pub(super) fn seal_padded(key: &TrafficKey, counter: u32, padded: &[u8]) -> Vec<u8> {
    let [a, b, c, d] = counter.to_be_bytes();
    let nonce: Nonce<U12> = [0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d].into();
    let mut frame = padded.to_vec();
    let cipher = Aes256Gcm::new(key.expose_bytes().into());
    let tag = cipher.encrypt_inout_detached(&nonce, &[], frame.as_mut_slice().into());
    // Only messages of gigabytes fail.
    frame.extend(tag.map_or([0; 16], Into::into));
    frame
}

/// Puts a handshake message together.
pub(super) fn message(point: &Point, tag: &[u8; 16]) -> Message {
    let mut message = [0; MESSAGE_LENGTH];
    message.iter_mut().zip(point.iter().chain(tag)).for_each(|(to, from)| *to = *from);
    message
}

/// Takes a handshake message apart.
pub(super) fn parts(message: &[u8]) -> Option<(&Point, &[u8; 16])> {
    let (point, tag) = message.split_first_chunk()?;
    Some((point, tag.try_into().ok()?))
}

/// The phone's side of a handshake after a code, at the point where message 1 has been taken. `None` if its tag does
/// not verify, which tells an attacker that it has another PSK than the laptop.
pub(super) fn after_message_1(laptop: &PublicKey, psk: &Psk, message_1: &[u8]) -> Option<Handshake> {
    let (point, tag) = parts(message_1)?;
    let mut state = Handshake::start(Pattern::Code, laptop.to_uncompressed(), psk);
    state.ephemeral(point);
    (state.tag() == *tag).then_some(state)
}

/// Message 2 of an honest phone, and the keys.
pub(super) fn answer(
    mut state: Handshake,
    laptop: &PublicKey,
    laptop_ephemeral: &PublicKey,
    own: &PrivateKey,
) -> (Message, Keys) {
    let point = own.public_key().to_uncompressed();
    state.ephemeral(point);
    state.mix_key(own.diffie_hellman(laptop_ephemeral).expose_bytes());
    state.mix_key(own.diffie_hellman(laptop).expose_bytes());
    (message(point, &state.tag()), state.split())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hybridge_proto::{
        frame::{Opener, Sealer},
        handshake::{Initiator, Responder},
    };
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn the_handshake_by_hand_is_the_real_one() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let laptop = Arc::new(PrivateKey::generate(&mut rng));
        let own = PrivateKey::generate(&mut rng);
        let psk = Psk::generate(&mut rng);
        let (initiator, message_1) = Initiator::qr(&laptop, &psk, &mut rng).unwrap();
        let state = after_message_1(laptop.public_key(), &psk, &message_1).unwrap();
        let ephemeral = PublicKey::from_uncompressed(parts(&message_1).unwrap().0).unwrap();
        let (message_2, keys) = answer(state, laptop.public_key(), &ephemeral, &own);
        let mut established = initiator.finish(&message_2).unwrap();
        assert_eq!(established.hash, keys.hash);
        let frame = established.sealer.seal(b"request").unwrap();
        assert_eq!(Opener::new(&keys.to_phone).open(frame).unwrap(), b"request");
        let frame = Sealer::new(&keys.to_laptop).seal(b"reply").unwrap();
        assert_eq!(established.opener.open(frame).unwrap(), b"reply");
        assert!(after_message_1(laptop.public_key(), &Psk::generate(&mut rng), &message_1).is_none());
    }

    #[test]
    fn the_other_handshake_is_the_real_one_too() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let identity = Arc::new(PrivateKey::generate(&mut rng));
        let psk = Psk::generate(&mut rng);
        let own = PrivateKey::generate(&mut rng);
        let mut state = Handshake::start(Pattern::Link, identity.public_key().to_uncompressed(), &psk);
        state.ephemeral(own.public_key().to_uncompressed());
        state.mix_key(own.diffie_hellman(identity.public_key()).expose_bytes());
        let message_1 = message(own.public_key().to_uncompressed(), &state.tag());
        let responder = Responder::linked(&identity, &psk, &mut rng).unwrap();
        let (message_2, established) = responder.respond(&message_1).unwrap();
        let (point, tag) = parts(&message_2).unwrap();
        state.ephemeral(point);
        let point = PublicKey::from_uncompressed(point).unwrap();
        state.mix_key(own.diffie_hellman(&point).expose_bytes());
        assert_eq!(state.tag(), *tag);
        assert_eq!(state.split().hash, established.hash);
    }
}
