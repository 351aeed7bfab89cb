//! The two handshake patterns of CTAP 2.2 section 11.5.1 a second time, as plain functions: one line of code for
//! each token of the patterns, and every intermediate state kept. Shares no code with the crate under test.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use p256::{PublicKey, SecretKey, ecdh::diffie_hellman, elliptic_curve::sec1::ToSec1Point};
use sha2::{Digest, Sha256};

/// Which side's static key the other one knows beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// QR-initiated: the phone knows the client's key.
    KnPsk0,
    /// State-assisted: the client knows the phone's key.
    NkPsk0,
}

impl Pattern {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::KnPsk0 => "Noise_KNpsk0_P256_AESGCM_SHA256",
            Self::NkPsk0 => "Noise_NKpsk0_P256_AESGCM_SHA256",
        }
    }

    pub(crate) const fn prologue(self) -> u8 {
        match self {
            Self::KnPsk0 => 1,
            Self::NkPsk0 => 0,
        }
    }
}

/// Why a message was refused; checked in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    Length,
    Point,
    Tag,
}

/// The symmetric state after one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) op: String,
    pub(crate) h: [u8; 32],
    pub(crate) ck: [u8; 32],
    pub(crate) k: Option<[u8; 32]>,
    pub(crate) input: Option<Vec<u8>>,
    pub(crate) output: Option<Vec<u8>>,
}

/// What both sides hold when a handshake is over.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) handshake_hash: [u8; 32],
    pub(crate) chaining_key: [u8; 32],
    pub(crate) client_to_authenticator: [u8; 32],
    pub(crate) authenticator_to_client: [u8; 32],
    pub(crate) steps: Vec<Step>,
}

/// One side of a handshake. `static_private` belongs to `static_public` on the side that owns it.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    pub(crate) pattern: Pattern,
    pub(crate) psk: [u8; 32],
    pub(crate) static_public: [u8; 65],
    pub(crate) static_private: Option<[u8; 32]>,
    pub(crate) ephemeral: [u8; 32],
}

/// An initiator that has sent message 1.
pub(crate) struct Waiting<'a> {
    party: &'a Party,
    state: Symmetric,
}

impl Party {
    /// Client: makes message 1.
    pub(crate) fn initiate(&self) -> (Vec<u8>, Waiting<'_>) {
        let mut state = Symmetric::start(self);
        let e = public_of(&self.ephemeral);
        state.mix_hash("e_i", &e);
        state.mix_key("e_i", &e);
        if self.pattern == Pattern::NkPsk0 {
            state.mix_key("es", &dh(&self.ephemeral, &self.static_public).expect("a usable static key"));
        }
        let tag = state.encrypt_and_hash("msg1");
        ([e.as_slice(), &tag].concat(), Waiting { party: self, state })
    }

    /// Phone: takes message 1, makes message 2.
    pub(crate) fn respond(&self, message_1: &[u8]) -> Result<(Vec<u8>, Finished), Rejected> {
        let mut state = Symmetric::start(self);
        let (e_i, tag) = split_message(message_1)?;
        state.mix_hash("e_i", e_i);
        state.mix_key("e_i", e_i);
        if self.pattern == Pattern::NkPsk0 {
            state.mix_key("es", &dh(&self.own_static(), e_i)?);
        }
        state.decrypt_and_hash("msg1", tag)?;

        let e_r = public_of(&self.ephemeral);
        state.mix_hash("e_r", &e_r);
        state.mix_key("e_r", &e_r);
        state.mix_key("ee", &dh(&self.ephemeral, e_i)?);
        if self.pattern == Pattern::KnPsk0 {
            state.mix_key("se", &dh(&self.ephemeral, &self.static_public)?);
        }
        let tag = state.encrypt_and_hash("msg2");
        Ok(([e_r.as_slice(), &tag].concat(), state.split()))
    }

    fn own_static(&self) -> [u8; 32] {
        self.static_private.expect("this side owns the static key")
    }
}

impl Waiting<'_> {
    /// Client: takes message 2.
    pub(crate) fn finish(self, message_2: &[u8]) -> Result<Finished, Rejected> {
        let Self { party, mut state } = self;
        let (e_r, tag) = split_message(message_2)?;
        state.mix_hash("e_r", e_r);
        state.mix_key("e_r", e_r);
        state.mix_key("ee", &dh(&party.ephemeral, e_r)?);
        if party.pattern == Pattern::KnPsk0 {
            state.mix_key("se", &dh(&party.own_static(), e_r)?);
        }
        state.decrypt_and_hash("msg2", tag)?;
        Ok(state.split())
    }
}

/// `h`, `ck`, `k`. The nonce is not kept: a MixKey precedes every encryption, so it is always zero.
struct Symmetric {
    h: [u8; 32],
    ck: [u8; 32],
    k: Option<[u8; 32]>,
    steps: Vec<Step>,
}

impl Symmetric {
    fn start(party: &Party) -> Self {
        let mut name = [0; 32];
        name[..31].copy_from_slice(party.pattern.name().as_bytes());
        let mut state = Self { h: name, ck: name, k: None, steps: Vec::new() };
        state.record("init", None, None);
        state.mix_hash("prologue", &[party.pattern.prologue()]);
        state.mix_hash("pre-message static", &party.static_public);

        let mut okm = [0; 96];
        hkdf(&state.ck, &party.psk, &mut okm);
        state.ck.copy_from_slice(&okm[..32]);
        state.absorb(&okm[32..64]);
        state.k = okm[64..].try_into().ok();
        state.record("mix_key_and_hash(psk)", Some(&party.psk), None);
        state
    }

    fn absorb(&mut self, data: &[u8]) {
        self.h = Sha256::new().chain_update(self.h).chain_update(data).finalize().into();
    }

    fn mix_hash(&mut self, what: &str, data: &[u8]) {
        self.absorb(data);
        self.record(&format!("mix_hash({what})"), Some(data), None);
    }

    fn mix_key(&mut self, what: &str, input: &[u8]) {
        let mut okm = [0; 64];
        hkdf(&self.ck, input, &mut okm);
        self.ck.copy_from_slice(&okm[..32]);
        self.k = okm[32..].try_into().ok();
        self.record(&format!("mix_key({what})"), Some(input), None);
    }

    fn encrypt_and_hash(&mut self, message: &str) -> Vec<u8> {
        let payload = Payload { msg: &[], aad: &self.h };
        let tag = self.cipher().encrypt(&[0; 12].into(), payload).expect("an empty message can be sealed");
        self.absorb(&tag);
        self.record(&format!("encrypt_and_hash(empty) {message}"), None, Some(&tag));
        tag
    }

    fn decrypt_and_hash(&mut self, message: &str, tag: &[u8]) -> Result<(), Rejected> {
        let payload = Payload { msg: tag, aad: &self.h };
        self.cipher().decrypt(&[0; 12].into(), payload).map_err(|_| Rejected::Tag)?;
        self.absorb(tag);
        self.record(&format!("decrypt_and_hash(empty) {message}"), Some(tag), None);
        Ok(())
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.k.expect("a key is set before the first tag").into())
    }

    fn split(self) -> Finished {
        let mut okm = [0; 64];
        hkdf(&self.ck, &[], &mut okm);
        Finished {
            handshake_hash: self.h,
            chaining_key: self.ck,
            client_to_authenticator: okm[..32].try_into().expect("32 bytes"),
            authenticator_to_client: okm[32..].try_into().expect("32 bytes"),
            steps: self.steps,
        }
    }

    fn record(&mut self, op: &str, input: Option<&[u8]>, output: Option<&[u8]>) {
        self.steps.push(Step {
            op: op.to_owned(),
            h: self.h,
            ck: self.ck,
            k: self.k,
            input: input.map(<[u8]>::to_vec),
            output: output.map(<[u8]>::to_vec),
        });
    }
}

/// Splits 81 bytes into a sound uncompressed point and a tag.
fn split_message(message: &[u8]) -> Result<(&[u8], &[u8]), Rejected> {
    if message.len() != 81 {
        return Err(Rejected::Length);
    }
    let (point, tag) = message.split_at(65);
    parse_point(point).map(|_| (point, tag))
}

fn parse_point(bytes: &[u8]) -> Result<PublicKey, Rejected> {
    match bytes {
        [4, rest @ ..] if rest.len() == 64 => PublicKey::from_sec1_bytes(bytes).map_err(|_| Rejected::Point),
        _ => Err(Rejected::Point),
    }
}

fn hkdf(salt: &[u8; 32], ikm: &[u8], okm: &mut [u8]) {
    Hkdf::<Sha256>::new(Some(salt), ikm).expand(&[], okm).expect("at most 96 bytes");
}

/// The uncompressed public key of a private key.
pub(crate) fn public_of(private: &[u8; 32]) -> [u8; 65] {
    let key = SecretKey::from_bytes(&(*private).into()).expect("a scalar between 1 and n");
    key.public_key().to_sec1_point(false).as_bytes().try_into().expect("65 bytes")
}

/// ECDH: the 32-byte x coordinate.
pub(crate) fn dh(private: &[u8; 32], public: &[u8]) -> Result<[u8; 32], Rejected> {
    let private = SecretKey::from_bytes(&(*private).into()).expect("a scalar between 1 and n");
    let shared = diffie_hellman(private.to_nonzero_scalar(), parse_point(public)?.as_affine());
    Ok((*shared.raw_secret_bytes()).into())
}
