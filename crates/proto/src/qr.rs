//! The QR code (CTAP 2.2 section 11.5.1): what a client shows and an authenticator scans.
//!
//! `FIDO:/` and decimal digits, which encode a canonical CBOR map:
//!
//! | key | type | meaning |
//! |---|---|---|
//! | 0 | bytes (33) | the client's public key, compressed; fresh for every code |
//! | 1 | bytes (16) | the QR secret |
//! | 2 | uint | number of assigned tunnel service domains the client knows |
//! | 3 | uint | the client's time, Unix seconds |
//! | 4 | bool | whether the client can remember the phone |
//! | 5 | text | what it will ask for: `ga`, `mc`, `dcp`, `dci` |
//! | 6 | array of uint | data channels: 0 websocket tunnel, 1 BLE L2CAP; a boolean in old codes, then ignored |
//!
//! Other keys are ignored; clients add some on purpose (GREASE) to keep it that way.
//!
//! **The text of a code is a secret**: whoever has it can answer in the phone's place. Do not log or store it.

use core::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    cbor::{CborError, Entries, Key, check_map},
    digits::{self, DigitsError},
    keys::{KeyError, PublicKey, QrSecret},
};

mod fields;

pub use self::fields::{Channels, Hint};
use self::fields::{read_bool, read_key, read_secret, read_text, read_uint};

const PREFIX: &str = "FIDO:/";

/// Why the text of a QR code was refused; each variant is one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QrError {
    /// It does not start with `FIDO:/` in any case.
    #[error("this is not a passkey sign-in code: it does not start with FIDO:/")]
    Prefix,
    /// Nothing follows the prefix.
    #[error("the code is empty; scan it again")]
    Empty,
    /// What follows is not the decimal encoding of bytes.
    #[error("the code is damaged ({0}); scan it again")]
    Digits(#[from] DigitsError),
    /// The bytes are not one canonical CBOR map.
    #[error("the code is malformed ({0}); show a new one")]
    Cbor(#[from] CborError),
    /// A required field is missing or a field has the wrong type or length.
    #[error("field {0} of the code is missing or malformed; show a new one")]
    Field(u8),
    /// The public key is not a point on the curve.
    #[error("the code's public key is unusable ({0}); show a new one")]
    Point(KeyError),
}

/// The contents of a QR code. `Debug` shows neither the secret nor the whole key.
#[derive(Debug)]
#[non_exhaustive]
pub struct QrCode {
    /// The client's public key, the initiator's static key of the handshake.
    pub public_key: PublicKey,
    /// The secret from which everything else of the session follows.
    pub secret: QrSecret,
    /// How many assigned tunnel service domains the client knows; `None` counts as 0.
    pub known_domains: Option<u64>,
    /// The client's clock when it made the code, Unix seconds. Informational.
    pub timestamp: Option<u64>,
    /// Whether the client can use linking information; `None` counts as no.
    pub supports_linking: Option<bool>,
    /// What the client will ask for; `None` counts as [`Hint::GetAssertion`].
    pub hint: Option<Hint>,
    /// The data channels the client supports; `None` counts as the websocket tunnel alone.
    pub channels: Option<Channels>,
}

impl QrCode {
    /// A code with the required fields, what this crate knows of domains, and an explicit "no" to linking, which
    /// old phones read as speaking the current frame format.
    pub fn new(public_key: PublicKey, secret: QrSecret) -> Self {
        Self {
            public_key,
            secret,
            known_domains: Some(u64::from(crate::domain::DomainId::ASSIGNED_COUNT)),
            timestamp: None,
            supports_linking: Some(false),
            hint: None,
            channels: None,
        }
    }

    /// Reads the text of a QR code.
    ///
    /// # Errors
    /// [`QrError`] with the first stage that fails.
    pub fn parse(text: &str) -> Result<Self, QrError> {
        let (prefix, digits) = text.split_at_checked(PREFIX.len()).ok_or(QrError::Prefix)?;
        if !prefix.eq_ignore_ascii_case(PREFIX) {
            return Err(QrError::Prefix);
        }
        if digits.is_empty() {
            return Err(QrError::Empty);
        }
        Self::from_cbor(&Zeroizing::new(digits::decode(digits)?))
    }

    /// Reads the CBOR map of a QR code.
    ///
    /// # Errors
    /// [`QrError`] with the first stage that fails.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, QrError> {
        check_map(bytes)?;
        let mut raw = RawFields::default();
        for (key, value) in Entries::new(bytes) {
            match key {
                Key::Uint(0) => raw.public_key = Some(read_key(value)?),
                Key::Uint(1) => raw.secret = Some(read_secret(value)?),
                Key::Uint(2) => raw.known_domains = Some(read_uint(value, 2)?),
                // Informational, and Chromium never reads it: a wrong type is as good as none.
                Key::Uint(3) => raw.timestamp = value.uint(),
                Key::Uint(4) => raw.supports_linking = Some(read_bool(value, 4)?),
                Key::Uint(5) => raw.hint = Some(Hint::from_wire(read_text(value, 5)?)),
                Key::Uint(6) => raw.channels = Channels::from_wire(value),
                _ => {}
            }
        }
        raw.into_code()
    }

    /// The canonical CBOR map.
    pub fn to_cbor(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(fields::encode(self))
    }

    /// The text for the QR picture.
    pub fn to_uri(&self) -> QrUri {
        let digits = Zeroizing::new(digits::encode(&self.to_cbor()));
        QrUri(format!("{PREFIX}{}", *digits))
    }

    /// [`Self::known_domains`] with its default.
    pub fn effective_known_domains(&self) -> u64 {
        self.known_domains.unwrap_or(0)
    }

    /// [`Self::supports_linking`] with its default.
    pub fn effective_linking(&self) -> bool {
        self.supports_linking.unwrap_or(false)
    }

    /// [`Self::hint`] with its default.
    pub fn effective_hint(&self) -> Hint {
        self.hint.clone().unwrap_or_default()
    }

    /// [`Self::channels`] with its default.
    pub fn effective_channels(&self) -> Channels {
        self.channels.clone().unwrap_or_default()
    }
}

#[derive(Default)]
struct RawFields {
    public_key: Option<[u8; 33]>,
    secret: Option<QrSecret>,
    known_domains: Option<u64>,
    timestamp: Option<u64>,
    supports_linking: Option<bool>,
    hint: Option<Hint>,
    channels: Option<Channels>,
}

impl RawFields {
    fn into_code(self) -> Result<QrCode, QrError> {
        let public_key = self.public_key.ok_or(QrError::Field(0))?;
        let secret = self.secret.ok_or(QrError::Field(1))?;
        Ok(QrCode {
            public_key: PublicKey::from_compressed(&public_key).map_err(QrError::Point)?,
            secret,
            known_domains: self.known_domains,
            timestamp: self.timestamp,
            supports_linking: self.supports_linking,
            hint: self.hint,
            channels: self.channels,
        })
    }
}

/// The text of a QR code, `FIDO:/` and digits. A secret: wiped on drop, redacted in `Debug`.
#[derive(Zeroize, ZeroizeOnDrop, PartialEq, Eq)]
pub struct QrUri(String);

impl QrUri {
    /// The text, to be drawn as a picture and nothing else.
    pub fn expose_text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for QrUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QrUri({} characters)", self.0.len())
    }
}

#[cfg(test)]
mod tests;
