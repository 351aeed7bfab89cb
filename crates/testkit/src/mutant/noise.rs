//! The phone's side of the handshake by hand. It verifies nothing: a phone that has broken a rule goes on.

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{AeadInOut, KeyInit, consts::U12},
};
use hkdf::Hkdf;
use hybridge_proto::keys::{PrivateKey, Psk, PublicKey};
use sha2::{Digest, Sha256};

use super::{MutantError, rule::Rule};

const NAME: &[u8; 32] = b"Noise_KNpsk0_P256_AESGCM_SHA256\0";

/// Message 2, and the keys of both directions.
pub(super) struct Answer {
    pub(super) message: Vec<u8>,
    pub(super) to_phone: [u8; 32],
    pub(super) to_laptop: [u8; 32],
}

/// Takes message 1 and makes message 2.
pub(super) fn answer(
    laptop: &PublicKey,
    psk: &Psk,
    message_1: &[u8],
    own: &PrivateKey,
    rule: Option<Rule>,
) -> Result<Answer, MutantError> {
    let (laptop_ephemeral, tag) = message_1.split_first_chunk().ok_or(MutantError::Message1)?;
    let mut state = State::start(laptop, psk, rule);
    state.ephemeral(laptop_ephemeral);
    state.mix_hash(tag);
    let laptop_ephemeral =
        PublicKey::from_uncompressed(laptop_ephemeral).map_err(|_| MutantError::Message1)?;
    let point = own.public_key().to_uncompressed();
    state.ephemeral(point);
    state.mix_key(own.diffie_hellman(&laptop_ephemeral).expose_bytes());
    state.mix_key(own.diffie_hellman(laptop).expose_bytes());
    let tag = state.tag();
    let [to_phone, to_laptop] = state.derive(&[]);
    Ok(Answer { message: message_2(point, tag, rule), to_phone, to_laptop })
}

fn message_2(point: &[u8; PublicKey::UNCOMPRESSED_LENGTH], tag: [u8; 16], rule: Option<Rule>) -> Vec<u8> {
    let mut message = [point.as_slice(), &tag].concat();
    match rule {
        Some(Rule::HandshakeShort) => drop(message.pop()),
        Some(Rule::HandshakeLong) => message.push(0),
        Some(Rule::HandshakeTag) => flip(message.last_mut()),
        // One x has two points, whose y differ in all but rare bits; a y that differs in one bit has no point.
        Some(Rule::HandshakePoint) => flip(message.get_mut(PublicKey::UNCOMPRESSED_LENGTH - 1)),
        _ => {}
    }
    message
}

fn flip(byte: Option<&mut u8>) {
    if let Some(byte) = byte {
        *byte ^= 1;
    }
}

/// The state between two tokens, as the Noise specification names its parts.
struct State {
    hash: [u8; 32],
    chaining: [u8; 32],
    key: [u8; 32],
}

impl State {
    fn start(laptop: &PublicKey, psk: &Psk, rule: Option<Rule>) -> Self {
        let mut state = Self { hash: *NAME, chaining: *NAME, key: [0; 32] };
        state.mix_hash(&[if rule == Some(Rule::Prologue) { 0 } else { 1 }]);
        state.mix_hash(laptop.to_uncompressed());
        let [chaining, hash, key] = state.derive(psk.expose_bytes());
        state.mix_hash(&hash);
        Self { hash: state.hash, chaining, key }
    }

    fn ephemeral(&mut self, point: &[u8]) {
        self.mix_hash(point);
        self.mix_key(point);
    }

    fn mix_hash(&mut self, data: &[u8]) {
        self.hash = Sha256::new().chain_update(self.hash).chain_update(data).finalize().into();
    }

    fn mix_key(&mut self, input: &[u8]) {
        [self.chaining, self.key] = self.derive(input);
    }

    /// The tag over an empty payload.
    fn tag(&self) -> [u8; 16] {
        let nonce: Nonce<U12> = [0; 12].into();
        let cipher = Aes256Gcm::new(&self.key.into());
        let tag = cipher.encrypt_inout_detached(&nonce, &self.hash, (&mut [][..]).into());
        // Fails only for gigabytes.
        tag.map_or([0; 16], Into::into)
    }

    fn derive<const N: usize>(&self, input: &[u8]) -> [[u8; 32]; N] {
        let mut out = [[0; 32]; N];
        let expanded = Hkdf::<Sha256>::new(Some(&self.chaining), input).expand(&[], out.as_flattened_mut());
        debug_assert!(expanded.is_ok(), "HKDF gives up to 255 blocks");
        out
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hybridge_proto::handshake::{HandshakeError, Initiator};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    /// What the real laptop makes of the handshake of this phone.
    fn finish(rule: Option<Rule>) -> Result<(), HandshakeError> {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (laptop, own) = (Arc::new(PrivateKey::generate(&mut rng)), PrivateKey::generate(&mut rng));
        let psk = Psk::from_bytes(&[3; 32]);
        let (initiator, message_1) = Initiator::qr(&laptop, &psk, &mut rng).unwrap();
        let answer = answer(laptop.public_key(), &psk, &message_1, &own, rule).unwrap();
        let mut established = initiator.finish(&answer.message)?;
        let frame = established.sealer.seal(b"request").unwrap();
        let key = hybridge_proto::frame::TrafficKey::from_bytes(&answer.to_phone);
        assert_eq!(hybridge_proto::frame::Opener::new(&key).open(frame).unwrap(), b"request");
        Ok(())
    }

    #[test]
    fn a_phone_that_keeps_the_rules_is_let_in() {
        assert_eq!(finish(None), Ok(()));
    }

    #[test]
    fn each_broken_rule_is_noticed() {
        for rule in [
            Rule::Prologue,
            Rule::HandshakeTag,
            Rule::HandshakeShort,
            Rule::HandshakeLong,
            Rule::HandshakePoint,
        ] {
            assert!(finish(Some(rule)).is_err(), "{rule}");
        }
    }
}
