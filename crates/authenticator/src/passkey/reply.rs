//! From an answer to bytes: status byte and canonical CBOR.

use hybridge_proto::cbor::{CborError, canonicalize};
use passkey_types::ctap2::{Ctap2Error, StatusCode};
use thiserror::Error;

/// Why a request gets an error status.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error("the request has no command byte")]
    Empty,
    #[error("command {0:#04x} is not one of this authenticator's")]
    UnknownCommand(u8),
    #[error("the request is not canonical CBOR: {0}")]
    Malformed(#[from] CborError),
    #[error("the request has CBOR that does not decode")]
    Undecodable,
    #[error("the request is not a map, or a member of it has a wrong type")]
    WrongType,
    #[error("the request lacks member {0}")]
    Missing(u8),
    #[error("the request asks for an assertion without the user's presence")]
    Silent,
    #[error("the request's allow list names no public key credential")]
    NothingAllowed,
    #[error("the authenticator answered {0:?}")]
    Authenticator(StatusCode),
    #[error("the authenticator's answer does not encode")]
    Unencodable,
}

impl From<StatusCode> for Refusal {
    fn from(status: StatusCode) -> Self {
        Self::Authenticator(status)
    }
}

impl Refusal {
    /// The status byte that tells the client. It never is the one of success.
    fn status(self) -> u8 {
        let status = match self {
            Self::Empty => Ctap2Error::InvalidLength,
            Self::UnknownCommand(_) => Ctap2Error::InvalidCommand,
            Self::Malformed(_) | Self::Undecodable => Ctap2Error::InvalidCbor,
            Self::WrongType => Ctap2Error::CborUnexpectedType,
            Self::Missing(_) => Ctap2Error::MissingParameter,
            Self::Silent => Ctap2Error::UnsupportedOption,
            Self::NothingAllowed => Ctap2Error::NoCredentials,
            // A store or user interface that reports success as an error.
            Self::Authenticator(StatusCode::Known(Ctap2Error::Ok)) | Self::Unencodable => Ctap2Error::Other,
            Self::Authenticator(status) => return status.into(),
        };
        status.into()
    }
}

/// Canonical CBOR of a response. `passkey-types` writes text keys in the order of its fields.
pub(super) fn encode(response: &impl serde::Serialize) -> Result<Vec<u8>, Refusal> {
    let mut cbor = Vec::new();
    ciborium::into_writer(response, &mut cbor).map_err(|_| Refusal::Unencodable)?;
    canonicalize(&cbor).map_err(|_| Refusal::Unencodable)
}

/// The reply to a request that was granted.
pub(super) fn success(cbor: Vec<u8>) -> Vec<u8> {
    let mut reply = cbor;
    reply.insert(0, Ctap2Error::Ok.into());
    reply
}

/// The reply to a request that was not.
pub(super) fn failure(refusal: Refusal) -> Vec<u8> {
    vec![refusal.status()]
}

#[cfg(test)]
mod tests {
    use ciborium::cbor;
    use hybridge_proto::cbor::check_canonical;

    use super::*;

    #[test]
    fn every_refusal_has_its_status() {
        let not_canonical = check_canonical(&[0x18, 0x00]).unwrap_err();
        for (refusal, status) in [
            (Refusal::Empty, 0x03),
            (Refusal::UnknownCommand(0x06), 0x01),
            (Refusal::Malformed(not_canonical), 0x12),
            (Refusal::Undecodable, 0x12),
            (Refusal::WrongType, 0x11),
            (Refusal::Missing(1), 0x14),
            (Refusal::Silent, 0x2B),
            (Refusal::NothingAllowed, 0x2E),
            (StatusCode::from(0x19).into(), 0x19),
            (StatusCode::from(0x27).into(), 0x27),
            (StatusCode::from(0xF1).into(), 0xF1),
            (StatusCode::from(0x00).into(), 0x7F),
            (Refusal::Unencodable, 0x7F),
        ] {
            let told = refusal.to_string();
            assert_eq!(failure(refusal), [status], "{told}");
        }
    }

    #[test]
    fn text_keys_come_out_sorted() {
        let unsorted = cbor!({ "type" => "public-key", "id" => 1 }).unwrap();
        let cbor = encode(&unsorted).unwrap();
        assert_eq!(cbor, b"\xa2\x62id\x01\x64type\x6apublic-key");
        assert_eq!(success(vec![0xA0]), [0x00, 0xA0]);
    }
}
