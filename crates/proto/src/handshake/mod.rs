//! The handshake (CTAP 2.2 section 11.5.1.2): who may join a tunnel, and the keys of the session.
//!
//! | | QR-initiated | state-assisted |
//! |---|---|---|
//! | pattern | `Noise_KNpsk0_P256_AESGCM_SHA256` | `Noise_NKpsk0_P256_AESGCM_SHA256` |
//! | known beforehand | the client's key, from the code | the authenticator's key, from linking information |
//! | message 1, client | `psk, e` | `psk, e, es` |
//! | message 2, authenticator | `e, ee, se` | `e, ee` |
//!
//! Each message is [`MESSAGE_LENGTH`] bytes: an uncompressed ephemeral key and a tag over nothing. The PSK follows
//! from the advert's plaintext, so a client that has not heard the advert fails at message 1, before any request.
//!
//! What the sides are sure of afterwards: the authenticator, that the client saw the QR code (or holds the link secret)
//! and heard the advert, and once the first frame opens, that it made the code; the client, that the authenticator saw
//! the code (or holds the linked identity key). Message 1 takes no private key of the client: whoever photographed the
//! code and heard the advert gets message 2 and sealed frames in answer, can open none of them and send none that open.
//! A QR-initiated handshake does not tell the client *whose* phone it is: anybody near who photographed the code
//! passes, and the relying party's signature check is what stops them.

mod noise;

use core::fmt;
use std::sync::Arc;

use rand_core::CryptoRng;
use snow::HandshakeState;
use thiserror::Error;
use zeroize::Zeroize;

use self::noise::{Party, Pattern};
use crate::{
    frame::{Opener, Sealer, TrafficKey},
    keys::{KeyError, PrivateKey, Psk, PublicKey},
    secret::secret_bytes,
};

/// Length in bytes of either handshake message.
pub const MESSAGE_LENGTH: usize = 81;

/// A handshake message as it goes into the tunnel.
pub type Message = [u8; MESSAGE_LENGTH];

secret_bytes!(
    /// Hash over everything said in the handshake: 32 bytes, signed by linking information. Wiped and redacted,
    /// since together with the frames it names a session.
    HandshakeHash,
    32
);

/// Why a handshake failed. There is no second try with the same advert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The message is not [`MESSAGE_LENGTH`] bytes.
    #[error("a handshake message of {0} bytes instead of {MESSAGE_LENGTH}")]
    Length(usize),
    /// The message's ephemeral key is not an uncompressed point on the curve.
    #[error("a handshake message with {0}")]
    Point(#[from] KeyError),
    /// The tag does not verify: the peer has another QR code, another advert, or another identity key.
    #[error("the handshake failed authentication: the other side has not seen the same code and advert")]
    Authentication,
    /// The Noise state could not be built. It has no cause outside this crate.
    #[error("the handshake could not be set up")]
    Setup,
}

/// A finished handshake: what frames need, and what linking information signs.
#[derive(Debug)]
#[non_exhaustive]
pub struct Established {
    /// Seals what this side sends.
    pub sealer: Sealer,
    /// Opens what the peer sends.
    pub opener: Opener,
    /// The handshake hash.
    pub hash: HandshakeHash,
}

struct TrafficKeys {
    client_to_authenticator: TrafficKey,
    authenticator_to_client: TrafficKey,
}

/// The client, having sent message 1 and expecting message 2.
pub struct Initiator(Box<HandshakeState>);

impl Initiator {
    /// Starts a QR-initiated handshake with the key pair of the code. Draws the ephemeral key from `rng`.
    ///
    /// # Errors
    /// [`HandshakeError::Setup`], which nothing from outside can cause.
    pub fn qr(
        code_key: &Arc<PrivateKey>,
        psk: &Psk,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Self, Message), HandshakeError> {
        let ephemeral = PrivateKey::generate(rng);
        let party = Party { initiator: true, local_static: Some(code_key), remote_static: None, ephemeral };
        Self::start(Pattern::Knpsk0, party, psk)
    }

    /// Starts a state-assisted handshake with a remembered authenticator's identity key.
    ///
    /// # Errors
    /// [`HandshakeError::Setup`], which nothing from outside can cause.
    pub fn linked(
        authenticator: &PublicKey,
        psk: &Psk,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Self, Message), HandshakeError> {
        let ephemeral = PrivateKey::generate(rng);
        let party =
            Party { initiator: true, local_static: None, remote_static: Some(authenticator), ephemeral };
        Self::start(Pattern::Nkpsk0, party, psk)
    }

    fn start(pattern: Pattern, party: Party<'_>, psk: &Psk) -> Result<(Self, Message), HandshakeError> {
        let mut state = noise::build(pattern, party, psk).map_err(|_| HandshakeError::Setup)?;
        let message = write(&mut state)?;
        Ok((Self(state), message))
    }

    /// Reads message 2.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over then.
    pub fn finish(mut self, message_2: &[u8]) -> Result<Established, HandshakeError> {
        read(&mut self.0, message_2)?;
        let keys = split(&mut self.0);
        Ok(Established {
            sealer: Sealer::new(&keys.client_to_authenticator),
            opener: Opener::new(&keys.authenticator_to_client),
            hash: hash(&self.0)?,
        })
    }
}

/// The authenticator, expecting message 1.
pub struct Responder(Box<HandshakeState>);

impl Responder {
    /// Expects a QR-initiated handshake from the client whose key stood in the code.
    ///
    /// # Errors
    /// [`HandshakeError::Setup`], which nothing from outside can cause.
    pub fn qr(
        client: &PublicKey,
        psk: &Psk,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, HandshakeError> {
        let ephemeral = PrivateKey::generate(rng);
        let party = Party { initiator: false, local_static: None, remote_static: Some(client), ephemeral };
        noise::build(Pattern::Knpsk0, party, psk).map(Self).map_err(|_| HandshakeError::Setup)
    }

    /// Expects a state-assisted handshake, to be answered with this authenticator's identity key.
    ///
    /// # Errors
    /// [`HandshakeError::Setup`], which nothing from outside can cause.
    pub fn linked(
        identity: &Arc<PrivateKey>,
        psk: &Psk,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, HandshakeError> {
        let ephemeral = PrivateKey::generate(rng);
        let party = Party { initiator: false, local_static: Some(identity), remote_static: None, ephemeral };
        noise::build(Pattern::Nkpsk0, party, psk).map(Self).map_err(|_| HandshakeError::Setup)
    }

    /// Reads message 1 and answers it with message 2.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over then and the advert must not be used again.
    pub fn respond(mut self, message_1: &[u8]) -> Result<(Message, Established), HandshakeError> {
        read(&mut self.0, message_1)?;
        let message = write(&mut self.0)?;
        let keys = split(&mut self.0);
        let established = Established {
            sealer: Sealer::new(&keys.authenticator_to_client),
            opener: Opener::new(&keys.client_to_authenticator),
            hash: hash(&self.0)?,
        };
        Ok((message, established))
    }
}

/// Checks length and point before anything else looks at them: a QR-initiated message 1 involves no
/// Diffie-Hellman, so a bad point can come with a valid tag.
fn read(state: &mut HandshakeState, message: &[u8]) -> Result<(), HandshakeError> {
    let message: &Message = message.try_into().map_err(|_| HandshakeError::Length(message.len()))?;
    let point = message.first_chunk().ok_or(HandshakeError::Length(message.len()))?;
    PublicKey::from_uncompressed(point)?;
    match state.read_message(message, &mut []) {
        Ok(0) => Ok(()),
        _ => Err(HandshakeError::Authentication),
    }
}

fn write(state: &mut HandshakeState) -> Result<Message, HandshakeError> {
    let mut message = [0_u8; MESSAGE_LENGTH];
    match state.write_message(&[], &mut message) {
        Ok(MESSAGE_LENGTH) => Ok(message),
        _ => Err(HandshakeError::Setup),
    }
}

fn split(state: &mut HandshakeState) -> TrafficKeys {
    let (mut initiator, mut responder) = state.dangerously_get_raw_split();
    let keys = TrafficKeys {
        client_to_authenticator: TrafficKey::from_bytes(&initiator),
        authenticator_to_client: TrafficKey::from_bytes(&responder),
    };
    initiator.zeroize();
    responder.zeroize();
    keys
}

fn hash(state: &HandshakeState) -> Result<HandshakeHash, HandshakeError> {
    let bytes: &[u8; 32] = state.get_handshake_hash().try_into().map_err(|_| HandshakeError::Setup)?;
    Ok(HandshakeHash::from_bytes(bytes))
}

impl fmt::Debug for Initiator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Initiator(..)")
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder(..)")
    }
}

#[cfg(test)]
mod tests;
