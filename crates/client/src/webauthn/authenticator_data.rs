//! Authenticator data (WebAuthn Level 3 section 6.1): what a passkey says and signs.

use super::{
    cbor::{self, Key},
    error::PhoneError,
};

/// Flag: attested credential data follows.
const ATTESTED: u8 = 0x40;

/// The parts in front.
pub(super) struct AuthenticatorData<'b> {
    pub(super) rp_id_hash: &'b [u8; 32],
    attested: Option<&'b [u8]>,
}

/// A new passkey, in the data about it (section 6.5.1).
pub(super) struct Attested<'b> {
    pub(super) aaguid: &'b [u8; 16],
    pub(super) id: &'b [u8],
    /// The COSE key.
    pub(super) key: &'b [u8],
    /// The key's algorithm.
    pub(super) algorithm: i64,
}

impl<'b> AuthenticatorData<'b> {
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Self, PhoneError> {
        Self::split(bytes).ok_or(PhoneError::Malformed("authenticator data"))
    }

    fn split(bytes: &'b [u8]) -> Option<Self> {
        let (rp_id_hash, rest) = bytes.split_first_chunk()?;
        let (flags, rest) = rest.split_first()?;
        let (_counter, rest) = rest.split_first_chunk::<4>()?;
        Some(Self { rp_id_hash, attested: (flags & ATTESTED != 0).then_some(rest) })
    }

    /// The new passkey.
    pub(super) fn attested(&self) -> Result<Attested<'b>, PhoneError> {
        let attested = self.attested.and_then(Attested::split);
        attested.ok_or(PhoneError::Malformed("new passkey"))
    }
}

impl<'b> Attested<'b> {
    fn split(bytes: &'b [u8]) -> Option<Self> {
        let (aaguid, rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (id, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let key = cbor::first(rest)?;
        let algorithm = cbor::number(key, Key::Number(3))?;
        (!id.is_empty()).then_some(Self { aaguid, id, key, algorithm })
    }
}
