//! The two Noise patterns on `snow`, with this crate's own primitives under it.
//!
//! `snow` asks a resolver for its primitives. Ours answers with the RustCrypto generation that the rest of the crate
//! uses and hands over finished keys: the static key with its public key already computed, and an ephemeral key that
//! was drawn from the caller's generator. `snow` itself draws no randomness here. Its transport mode is not used,
//! since it stops at 65,535 bytes; the two traffic keys are taken out raw.
//!
//! `snow` keeps the PSK and the chaining key in memory that it does not wipe. The state is boxed, so that moving it
//! leaves no copies, and lives only until the handshake is over.

use core::cell::RefCell;
use std::{collections::VecDeque, sync::Arc};

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{AeadInOut, KeyInit},
};
use sha2::{Digest, Sha256};
use snow::{
    Builder, HandshakeState,
    params::{CipherChoice, DHChoice, HashChoice, NoiseParams},
    resolvers::CryptoResolver,
    types::{Cipher, Dh, Hash, Random},
};
use zeroize::Zeroizing;

use crate::keys::{PrivateKey, Psk, PublicKey};

/// The two handshakes of the hybrid transport.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pattern {
    /// QR-initiated: the client's static key is known from the code.
    Knpsk0,
    /// State-assisted: the authenticator's static key is known from linking information.
    Nkpsk0,
}

impl Pattern {
    const fn name(self) -> &'static str {
        match self {
            Self::Knpsk0 => "Noise_KNpsk0_P256_AESGCM_SHA256",
            Self::Nkpsk0 => "Noise_NKpsk0_P256_AESGCM_SHA256",
        }
    }

    const fn prologue(self) -> &'static [u8] {
        match self {
            Self::Knpsk0 => &[1],
            Self::Nkpsk0 => &[0],
        }
    }
}

/// What one side brings to a handshake beside the PSK.
pub(super) struct Party<'k> {
    pub(super) initiator: bool,
    pub(super) local_static: Option<&'k Arc<PrivateKey>>,
    pub(super) remote_static: Option<&'k PublicKey>,
    pub(super) ephemeral: PrivateKey,
}

/// Builds the state for one side.
pub(super) fn build(
    pattern: Pattern,
    party: Party<'_>,
    psk: &Psk,
) -> Result<Box<HandshakeState>, snow::Error> {
    let params: NoiseParams = pattern.name().parse()?;
    // The builder asks for the static key's object first, then for the ephemeral's.
    let keys = [party.local_static.map(Arc::clone), Some(Arc::new(party.ephemeral))];
    let resolver = Resolver { keys: RefCell::new(keys.into()) };
    let mut builder = Builder::with_resolver(params, Box::new(resolver))
        .prologue(pattern.prologue())?
        .psk(0, psk.expose_bytes())?;
    if party.local_static.is_some() {
        // The object that the resolver hands out holds the key already; this only tells the builder so.
        builder = builder.local_private_key(&[])?;
    }
    if let Some(remote) = party.remote_static {
        builder = builder.remote_public_key(remote.to_uncompressed())?;
    }
    let state = if party.initiator { builder.build_initiator()? } else { builder.build_responder()? };
    Ok(Box::new(state))
}

struct Resolver {
    keys: RefCell<VecDeque<Option<Arc<PrivateKey>>>>,
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(NoRandomness))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        match choice {
            DHChoice::P256 => Some(Box::new(HeldKey(self.keys.borrow_mut().pop_front()?))),
            _ => None,
        }
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        match choice {
            HashChoice::SHA256 => Some(Box::new(Sha256Hash(Sha256::new()))),
            _ => None,
        }
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        match choice {
            CipherChoice::AESGCM => Some(Box::new(AesGcm(Zeroizing::new([0; 32])))),
            _ => None,
        }
    }
}

/// Stands where `snow` wants a generator. Every key is drawn beforehand, so being asked is an error.
struct NoRandomness;

impl Random for NoRandomness {
    fn try_fill_bytes(&mut self, _dest: &mut [u8]) -> Result<(), snow::Error> {
        Err(snow::Error::Rng)
    }
}

/// A key pair that is complete from the start, or nothing where the pattern has no such key.
struct HeldKey(Option<Arc<PrivateKey>>);

impl Dh for HeldKey {
    fn name(&self) -> &'static str {
        "P256"
    }

    fn pub_len(&self) -> usize {
        PublicKey::UNCOMPRESSED_LENGTH
    }

    fn priv_len(&self) -> usize {
        32
    }

    fn set(&mut self, _privkey: &[u8]) {}

    fn generate(&mut self, _rng: &mut dyn Random) -> Result<(), snow::Error> {
        if self.0.is_some() { Ok(()) } else { Err(snow::Error::Rng) }
    }

    fn pubkey(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |key| key.public_key().to_uncompressed())
    }

    fn privkey(&self) -> &[u8] {
        &[]
    }

    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
        // `snow` hands over its whole key buffer, which is longer than one key.
        let encoded = pubkey.first_chunk::<{ PublicKey::UNCOMPRESSED_LENGTH }>().ok_or(snow::Error::Dh)?;
        let peer = PublicKey::from_uncompressed(encoded).map_err(|_| snow::Error::Dh)?;
        let shared = self.0.as_ref().ok_or(snow::Error::Dh)?.diffie_hellman(&peer);
        out.first_chunk_mut::<32>().ok_or(snow::Error::Dh)?.copy_from_slice(shared.expose_bytes());
        Ok(())
    }

    fn dh_len(&self) -> usize {
        32
    }
}

struct Sha256Hash(Sha256);

impl Hash for Sha256Hash {
    fn name(&self) -> &'static str {
        "SHA256"
    }

    fn block_len(&self) -> usize {
        64
    }

    fn hash_len(&self) -> usize {
        32
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn input(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn result(&mut self, out: &mut [u8]) {
        let digest = self.0.finalize_reset();
        out.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    }
}

struct AesGcm(Zeroizing<[u8; 32]>);

impl AesGcm {
    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.0).into())
    }

    fn nonce(nonce: u64) -> Nonce<aes_gcm::aead::consts::U12> {
        let [a, b, c, d, e, f, g, h] = nonce.to_be_bytes();
        [0, 0, 0, 0, a, b, c, d, e, f, g, h].into()
    }
}

impl Cipher for AesGcm {
    fn name(&self) -> &'static str {
        "AESGCM"
    }

    fn set(&mut self, key: &[u8; 32]) {
        *self.0 = *key;
    }

    /// `snow` gives an output with room for the tag; an output without room stays as it is and has length 0.
    fn encrypt(&self, nonce: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        let Some((text, rest)) = out.split_at_mut_checked(plaintext.len()) else { return 0 };
        let Some(tag_out) = rest.first_chunk_mut::<16>() else { return 0 };
        text.copy_from_slice(plaintext);
        let Ok(tag) = self.cipher().encrypt_inout_detached(&Self::nonce(nonce), authtext, text.into()) else {
            return 0;
        };
        *tag_out = tag.into();
        plaintext.len().saturating_add(16)
    }

    fn decrypt(
        &self,
        nonce: u64,
        authtext: &[u8],
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, snow::Error> {
        let (text, tag) = ciphertext.split_last_chunk::<16>().ok_or(snow::Error::Decrypt)?;
        let out = out.get_mut(..text.len()).ok_or(snow::Error::Decrypt)?;
        out.copy_from_slice(text);
        self.cipher()
            .decrypt_inout_detached(&Self::nonce(nonce), authtext, out.into(), &(*tag).into())
            .map_err(|_| snow::Error::Decrypt)?;
        Ok(text.len())
    }
}
