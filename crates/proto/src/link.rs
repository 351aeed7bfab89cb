//! Linking: how a client remembers a phone (CTAP 2.2 section 11.5.1.5), and the payload with which it calls one.
//!
//! | key of linking information | type | meaning |
//! |---|---|---|
//! | 1 | bytes | contact ID, the phone's push address |
//! | 2 | bytes (8) | link ID |
//! | 3 | bytes (32) | link secret |
//! | 4 | bytes (65) | the authenticator's identity key, uncompressed |
//! | 5 | text | the phone's name |
//! | 6 | bytes (32) | signature |
//!
//! ```text
//! signature = HMAC-SHA256(key = ECDH(authenticator's identity, client's QR key), handshake hash)
//! ```
//!
//! Linking information is only accepted in the QR session whose handshake it signs.

use core::fmt;

use hmac::{KeyInit, Mac};
use minicbor::Encoder;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    cbor::{CborError, Entries, Key, Value, check_map},
    handshake::HandshakeHash,
    ids::{ClientNonce, ContactId, LinkId},
    keys::{LinkSecret, PrivateKey, PublicKey},
    qr::Hint,
    secret::secret_bytes,
};

secret_bytes!(
    /// Proof that linking information comes from the authenticator of this handshake: 32 bytes.
    LinkSignature,
    32
);

/// The longest phone name in bytes that is kept; the rest is cut off.
pub const MAX_NAME_LENGTH: usize = 128;

/// Why linking information was refused. The session can go on without it, and no stored link is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Not a canonical CBOR map.
    #[error("linking information is not a map: {0}")]
    Cbor(#[from] CborError),
    /// A required field is missing or has the wrong type or length.
    #[error("field {0} of the linking information is missing or malformed")]
    Field(u8),
    /// The identity key is not a point on the curve.
    #[error("the linking information's key is not usable")]
    Point,
    /// The signature is not made with the keys and the handshake of this session.
    #[error("the linking information is not signed by the phone of this session")]
    Signature,
}

/// What a client keeps in order to call a phone without a new QR code.
#[derive(Debug)]
#[non_exhaustive]
pub struct LinkingInfo {
    /// The phone's push address at its tunnel service.
    pub contact: ContactId,
    /// Which link of the phone this is.
    pub link: LinkId,
    /// The shared secret.
    pub secret: LinkSecret,
    /// The phone's identity key, the responder's static key of later handshakes.
    pub identity: PublicKey,
    /// The phone's name for people to read, without control or direction characters, at most
    /// [`MAX_NAME_LENGTH`] bytes.
    pub name: String,
}

impl LinkingInfo {
    /// Puts the fields together; the name is cleaned as on receiving.
    pub fn new(
        contact: ContactId,
        link: LinkId,
        secret: LinkSecret,
        identity: PublicKey,
        name: &str,
    ) -> Self {
        Self { contact, link, secret, identity, name: clean_name(name) }
    }

    /// Reads linking information and verifies that it belongs to this session.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn verify(map: &[u8], code_key: &PrivateKey, hash: &HandshakeHash) -> Result<Self, LinkError> {
        let (info, signature) = Self::decode(map)?;
        let expected = sign(code_key, &info.identity, hash);
        if !bool::from(expected.ct_eq(&signature)) {
            return Err(LinkError::Signature);
        }
        Ok(info)
    }

    fn decode(map: &[u8]) -> Result<(Self, LinkSignature), LinkError> {
        check_map(map)?;
        let mut fields: [Option<Value<'_>>; 6] = [None; 6];
        for (key, value) in Entries::new(map) {
            let Key::Uint(number @ 1..=6) = key else { continue };
            let slot = usize::try_from(number).ok().and_then(|number| fields.get_mut(number.checked_sub(1)?));
            if let Some(slot) = slot {
                *slot = Some(value);
            }
        }
        let [contact, link, secret, identity, name, signature] = fields;
        let identity: &[u8; 65] = read_bytes(identity, 4)?;
        let contact = contact.and_then(Value::bytes).ok_or(LinkError::Field(1))?;
        let info = Self {
            contact: ContactId::new(contact).map_err(|_| LinkError::Field(1))?,
            link: LinkId::from_bytes(*read_bytes(link, 2)?),
            secret: LinkSecret::from_bytes(read_bytes(secret, 3)?),
            identity: PublicKey::from_uncompressed(identity).map_err(|_| LinkError::Point)?,
            name: clean_name(name.and_then(Value::text).ok_or(LinkError::Field(5))?),
        };
        Ok((info, LinkSignature::from_bytes(read_bytes(signature, 6)?)))
    }

    /// Signs for the client of a session and writes the map.
    pub fn encode(
        &self,
        identity: &PrivateKey,
        client: &PublicKey,
        hash: &HandshakeHash,
    ) -> Zeroizing<Vec<u8>> {
        let signature = sign(identity, client, hash);
        // Enough for every field, so that growing leaves no copy of the secret behind.
        let capacity = self.contact.as_bytes().len().saturating_add(512);
        let mut encoder = Encoder::new(Vec::with_capacity(capacity));
        // Writing to a vector cannot fail.
        let _ = self.encode_into(&signature, &mut encoder);
        Zeroizing::new(encoder.into_writer())
    }

    fn encode_into(
        &self,
        signature: &LinkSignature,
        encoder: &mut Encoder<Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<core::convert::Infallible>> {
        encoder.map(6)?.u8(1)?.bytes(self.contact.as_bytes())?;
        encoder.u8(2)?.bytes(self.link.as_bytes())?;
        encoder.u8(3)?.bytes(self.secret.expose_bytes())?;
        encoder.u8(4)?.bytes(self.identity.to_uncompressed())?;
        encoder.u8(5)?.str(&self.name)?;
        encoder.u8(6)?.bytes(signature.expose_bytes())?;
        Ok(())
    }
}

fn read_bytes<'b, const N: usize>(value: Option<Value<'b>>, field: u8) -> Result<&'b [u8; N], LinkError> {
    value.and_then(Value::bytes).and_then(|bytes| bytes.try_into().ok()).ok_or(LinkError::Field(field))
}

/// The signature that both sides can compute: one from its private key and the other's public key.
pub fn sign(own: &PrivateKey, other: &PublicKey, hash: &HandshakeHash) -> LinkSignature {
    let shared = own.diffie_hellman(other);
    let mut block = Zeroizing::new([0_u8; 64]);
    block.iter_mut().zip(shared.expose_bytes()).for_each(|(to, from)| *to = *from);
    let mac = hmac::Hmac::<sha2::Sha256>::new((&*block).into()).chain_update(hash.expose_bytes()).finalize();
    LinkSignature::from_bytes(&mac.into_bytes().into())
}

/// Names come from a peer and are shown to people: no control or direction characters, no surrounding space, no
/// more than [`MAX_NAME_LENGTH`] bytes.
fn clean_name(name: &str) -> String {
    let mut clean = String::new();
    for character in name.chars().filter(|character| is_plain(*character)) {
        if clean.is_empty() && character.is_whitespace() {
            continue;
        }
        if clean.len().saturating_add(character.len_utf8()) > MAX_NAME_LENGTH {
            break;
        }
        clean.push(character);
    }
    clean.truncate(clean.trim_end().len());
    clean
}

fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
}

/// What a client sends to `/cable/contact`, so that the phone finds the link: `{1: link ID, 2: nonce, 3: hint}`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientPayload {
    /// Which link the client means.
    pub link: LinkId,
    /// Fresh for every call; salts the advert's key.
    pub nonce: ClientNonce,
    /// What the client will ask for.
    pub hint: Hint,
}

/// Why a client payload was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The header is not hex, or longer than any payload.
    #[error("the client payload is not hex")]
    Hex,
    /// Not a canonical CBOR map.
    #[error("the client payload is not a map: {0}")]
    Cbor(#[from] CborError),
    /// A required field is missing or has the wrong type or length.
    #[error("field {0} of the client payload is missing or malformed")]
    Field(u8),
}

/// The longest header value in characters that is looked at.
const MAX_PAYLOAD_HEX: usize = 1024;

impl ClientPayload {
    /// Puts the fields together.
    pub const fn new(link: LinkId, nonce: ClientNonce, hint: Hint) -> Self {
        Self { link, nonce, hint }
    }

    /// The canonical CBOR map.
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = encoder
            .map(3)
            .and_then(|encoder| encoder.u8(1)?.bytes(self.link.as_bytes()))
            .and_then(|encoder| encoder.u8(2)?.bytes(self.nonce.as_bytes()))
            .and_then(|encoder| encoder.u8(3)?.str(self.hint.as_wire()));
        encoder.into_writer()
    }

    /// The value of the request header, upper-case hex.
    pub fn to_header(&self) -> String {
        data_encoding::HEXUPPER.encode(&self.to_cbor())
    }

    /// Reads the map; unknown keys are ignored.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn from_cbor(map: &[u8]) -> Result<Self, PayloadError> {
        check_map(map)?;
        let (mut link, mut nonce, mut hint) = (None, None, None);
        for (key, value) in Entries::new(map) {
            match key {
                Key::Uint(1) => link = value.bytes().and_then(|bytes| bytes.try_into().ok()),
                Key::Uint(2) => nonce = value.bytes().and_then(|bytes| bytes.try_into().ok()),
                Key::Uint(3) => hint = value.text().map(Hint::from_wire),
                _ => {}
            }
        }
        Ok(Self {
            link: LinkId::from_bytes(link.ok_or(PayloadError::Field(1))?),
            nonce: ClientNonce::from_bytes(nonce.ok_or(PayloadError::Field(2))?),
            hint: hint.ok_or(PayloadError::Field(3))?,
        })
    }

    /// Reads the value of the request header, hex in either case.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn from_header(text: &str) -> Result<Self, PayloadError> {
        if text.len() > MAX_PAYLOAD_HEX {
            return Err(PayloadError::Hex);
        }
        let map =
            data_encoding::HEXUPPER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| PayloadError::Hex)?;
        Self::from_cbor(&map)
    }
}

impl fmt::Display for ClientPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a call of a remembered phone ({})", self.hint.as_wire())
    }
}

#[cfg(test)]
mod tests;
