//! Identifiers that meet on the wire: tunnel, routing, contact and link IDs.
//!
//! None of them is a key, but each one links a session to a person or a device, so `Debug` shows at most the
//! first byte and there is no `Display`.

use core::fmt;

use thiserror::Error;

use crate::secret::secret_bytes;

/// Why a textual identifier was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text has another length than the identifier's two hex digits a byte.
    #[error("the identifier has {actual} characters where {expected} hex digits belong")]
    Length {
        /// Characters that were given.
        actual: usize,
        /// Hex digits that belong there.
        expected: usize,
    },
    /// A character is not a hex digit.
    #[error("the identifier holds a character that is not a hex digit")]
    NotHex,
}

fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    let mut bytes = [0_u8; N];
    let expected = N.saturating_mul(2);
    if text.len() != expected {
        return Err(IdError::Length { actual: text.chars().count(), expected });
    }
    data_encoding::HEXUPPER_PERMISSIVE
        .decode_mut(text.as_bytes(), &mut bytes)
        .map_err(|_| IdError::NotHex)?;
    Ok(bytes)
}

macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident, $len:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LENGTH: usize = $len;

            /// Wraps the given bytes.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Draws a random value.
            pub fn generate(rng: &mut (impl rand_core::CryptoRng + ?Sized)) -> Self {
                let mut bytes = [0_u8; $len];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            }

            /// Reads exactly two hex digits a byte, in either case.
            ///
            /// # Errors
            /// [`IdError`] on any other length or character.
            pub fn from_hex(text: &str) -> Result<Self, IdError> {
                from_hex(text).map(Self)
            }

            /// Upper-case hex, as Chromium sends it.
            pub fn to_hex(self) -> String {
                data_encoding::HEXUPPER.encode(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [first, ..] = self.0;
                write!(f, concat!(stringify!($name), "({:02x}..)"), first)
            }
        }
    };
}

public_id!(
    /// Where client and authenticator meet at a tunnel service: 16 bytes, derived from the QR secret (CTAP 2.2
    /// section 11.5.1) or, for a remembered phone, chosen by the tunnel service.
    TunnelId,
    16
);
public_id!(
    /// What a tunnel service gives the authenticator so that the client reaches the same machine: 3 bytes.
    RoutingId,
    3
);
public_id!(
    /// Names one link at the authenticator: 8 bytes.
    LinkId,
    8
);
public_id!(
    /// Fresh random value of a state-assisted transaction: 16 bytes.
    ClientNonce,
    16
);

secret_bytes!(
    /// The random part of an advert's plaintext: 10 bytes, fresh for every advert. Part of the proof of
    /// proximity, so treated as a secret.
    AdvertNonce,
    10
);

/// Addresses a phone's push channel at its tunnel service: opaque bytes, at most [`ContactId::MAX_LENGTH`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ContactId(Vec<u8>);

/// A contact ID is empty or longer than [`ContactId::MAX_LENGTH`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a contact ID has 1 to {max} bytes, this one has {0}", max = ContactId::MAX_LENGTH)]
pub struct ContactIdLength(pub usize);

impl ContactId {
    /// Upper bound in bytes; deployed ones are near 200.
    pub const MAX_LENGTH: usize = 1024;

    /// Takes over the bytes.
    ///
    /// # Errors
    /// [`ContactIdLength`] when they are none or too many.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, ContactIdLength> {
        let bytes = bytes.into();
        if bytes.is_empty() || bytes.len() > Self::MAX_LENGTH {
            return Err(ContactIdLength(bytes.len()));
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Base64url without padding, as it stands in a URL.
    pub fn to_base64url(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.0)
    }
}

impl fmt::Debug for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContactId({} bytes)", self.0.len())
    }
}
