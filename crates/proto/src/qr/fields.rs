//! The fields of a QR code: their types, how they are read, and how a code is written.

use minicbor::Encoder;

use super::{QrCode, QrError};
use crate::{advert::CHANNEL_L2CAP, cbor::Value, keys::QrSecret};

/// What the client is going to ask for, so that the phone can show the right screen early. It restricts nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Hint {
    /// `ga`: sign in with a passkey.
    #[default]
    GetAssertion,
    /// `mc`: make a passkey.
    MakeCredential,
    /// `dcp`: present a digital credential.
    DigitalPresentation,
    /// `dci`: issue a digital credential.
    DigitalIssuance,
    /// A hint that this crate does not know; to be treated like `ga`.
    Unknown(String),
}

impl Hint {
    /// Reads the wire's text.
    pub fn from_wire(text: &str) -> Self {
        match text {
            "ga" => Self::GetAssertion,
            "mc" => Self::MakeCredential,
            "dcp" => Self::DigitalPresentation,
            "dci" => Self::DigitalIssuance,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The wire's text.
    pub fn as_wire(&self) -> &str {
        match self {
            Self::GetAssertion => "ga",
            Self::MakeCredential => "mc",
            Self::DigitalPresentation => "dcp",
            Self::DigitalIssuance => "dci",
            Self::Unknown(text) => text,
        }
    }

    /// The hint to act on: an unknown one counts as [`Hint::GetAssertion`].
    pub fn effective(&self) -> Self {
        match self {
            Self::Unknown(_) => Self::GetAssertion,
            known => known.clone(),
        }
    }
}

/// The data channels of key 6 (CTAP 2.3): 0 is the websocket tunnel, 1 is BLE L2CAP, others are kept and ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channels(Vec<u64>);

const CHANNEL_WEBSOCKET: u64 = 0;

impl Channels {
    /// Exactly these channel numbers, in this order.
    pub fn from_numbers(numbers: impl Into<Vec<u64>>) -> Self {
        Self(numbers.into())
    }

    /// The websocket tunnel and BLE L2CAP.
    pub fn websocket_and_l2cap() -> Self {
        Self(vec![CHANNEL_WEBSOCKET, CHANNEL_L2CAP])
    }

    /// The numbers as they stand in the code.
    pub fn numbers(&self) -> &[u64] {
        &self.0
    }

    /// Whether the client can use a tunnel service.
    pub fn websocket(&self) -> bool {
        self.0.contains(&CHANNEL_WEBSOCKET)
    }

    /// Whether the client can use BLE L2CAP.
    pub fn l2cap(&self) -> bool {
        self.0.contains(&CHANNEL_L2CAP)
    }

    /// Before CTAP 2.3 the key was a boolean of another meaning in some clients: only an array of unsigned
    /// integers is a list of channels, everything else counts as absent.
    pub(super) fn from_wire(value: Value<'_>) -> Option<Self> {
        value.array()?.into_iter().map(Value::uint).collect::<Option<Vec<_>>>().map(Self)
    }
}

impl Default for Channels {
    /// The websocket tunnel alone.
    fn default() -> Self {
        Self(vec![CHANNEL_WEBSOCKET])
    }
}

pub(super) fn read_key(value: Value<'_>) -> Result<[u8; 33], QrError> {
    value.bytes().and_then(|bytes| bytes.try_into().ok()).ok_or(QrError::Field(0))
}

pub(super) fn read_secret(value: Value<'_>) -> Result<QrSecret, QrError> {
    let bytes: &[u8; 16] = value.bytes().and_then(|bytes| bytes.try_into().ok()).ok_or(QrError::Field(1))?;
    Ok(QrSecret::from_bytes(bytes))
}

pub(super) fn read_uint(value: Value<'_>, field: u8) -> Result<u64, QrError> {
    value.uint().ok_or(QrError::Field(field))
}

pub(super) fn read_bool(value: Value<'_>, field: u8) -> Result<bool, QrError> {
    value.bool().ok_or(QrError::Field(field))
}

pub(super) fn read_text(value: Value<'_>, field: u8) -> Result<&str, QrError> {
    value.text().ok_or(QrError::Field(field))
}

/// Writes the map. Writing to a vector cannot fail, so the results say nothing.
pub(super) fn encode(code: &QrCode) -> Vec<u8> {
    // Enough for every field, so that growing leaves no copy of the secret behind.
    let mut encoder = Encoder::new(Vec::with_capacity(256));
    let _ = encode_into(code, &mut encoder);
    encoder.into_writer()
}

type Written = Result<(), minicbor::encode::Error<core::convert::Infallible>>;

fn encode_into(code: &QrCode, encoder: &mut Encoder<Vec<u8>>) -> Written {
    let optional = [
        code.known_domains.is_some(),
        code.timestamp.is_some(),
        code.supports_linking.is_some(),
        code.hint.is_some(),
        code.channels.is_some(),
    ];
    let pairs = optional.iter().fold(2, |pairs, present| pairs + u64::from(*present));
    encoder.map(pairs)?.u8(0)?.bytes(&code.public_key.to_compressed())?;
    encoder.u8(1)?.bytes(code.secret.expose_bytes())?;
    if let Some(known) = code.known_domains {
        encoder.u8(2)?.u64(known)?;
    }
    if let Some(timestamp) = code.timestamp {
        encoder.u8(3)?.u64(timestamp)?;
    }
    if let Some(linking) = code.supports_linking {
        encoder.u8(4)?.bool(linking)?;
    }
    if let Some(hint) = &code.hint {
        encoder.u8(5)?.str(hint.as_wire())?;
    }
    if let Some(channels) = &code.channels {
        encoder.u8(6)?.array(u64::try_from(channels.0.len()).unwrap_or_default())?;
        channels.0.iter().try_for_each(|number| encoder.u64(*number).map(drop))?;
    }
    Ok(())
}
