//! Bytes as text without padding (RFC 4648 section 5), as WebAuthn's JSON has them.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Bytes that stand as base64url in JSON. Padding is not written, and read although it should not be there: many
/// servers write it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Base64Url(pub(super) Vec<u8>);

pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

impl<'de> Deserialize<'de> for Base64Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes());
        bytes.map(Self).map_err(|_| D::Error::custom("this text is not base64url"))
    }
}

impl Serialize for Base64Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}
