//! The authenticator's first frame: what it is and what it can do.
//!
//! A bare CBOR map without a type byte: `{1: getInfo reply, 3: [features]}`. Key 0 may hold padding, key 2 linking
//! information in an old position.

use core::fmt;

use minicbor::Encoder;
use thiserror::Error;

use crate::cbor::{CborError, Entries, Key, Value, check_map};

/// Which requests an authenticator takes. Unknown features are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// `ctap`: CTAP requests, typed messages of kind 1.
    pub ctap: bool,
    /// `dc`: digital credentials, typed messages of kind 3.
    pub digital_credentials: bool,
}

impl Default for Features {
    /// What an authenticator that names no features can do: CTAP.
    fn default() -> Self {
        Self { ctap: true, digital_credentials: false }
    }
}

/// How the authenticator frames what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Revision {
    /// Old authenticators pad the post-handshake map and then send bare CTAP: no type bytes, no shutdown message,
    /// no updates.
    Untyped,
    /// Current: each later message has a type byte.
    #[default]
    Typed,
}

/// Why a post-handshake message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PostHandshakeError {
    /// It is not a canonical CBOR map, padded or not.
    #[error("the phone's first message is not a map: {0}")]
    Cbor(#[from] CborError),
    /// A known key has a value of the wrong type.
    #[error("the phone's first message has a malformed field {0}")]
    Field(u8),
    /// The authenticator offers CTAP and gives no getInfo.
    #[error("the phone's first message lacks its description")]
    MissingGetInfo,
    /// The authenticator gives a getInfo and does not offer CTAP.
    #[error("the phone describes itself as a passkey device and does not offer to be one")]
    UnexpectedGetInfo,
}

/// The post-handshake message.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostHandshake {
    /// The CBOR of the getInfo reply without its status byte, untouched. Present exactly if CTAP is offered.
    pub get_info: Option<Vec<u8>>,
    /// What the authenticator can do.
    pub features: Features,
    /// Encoded linking information in its old position, not yet checked.
    pub linking_info: Option<Vec<u8>>,
    /// How later messages are framed.
    pub revision: Revision,
}

impl PostHandshake {
    /// What an authenticator for passkeys sends.
    pub fn ctap(get_info: impl Into<Vec<u8>>) -> Self {
        Self {
            get_info: Some(get_info.into()),
            features: Features::default(),
            linking_info: None,
            revision: Revision::Typed,
        }
    }

    /// Reads a frame's plaintext. If it is not a map as it stands, the padding of old authenticators is removed:
    /// either the last two bytes are the little-endian number of zeros before them in a multiple of 512 bytes, or
    /// the last byte is in a multiple of 256.
    ///
    /// # Errors
    /// [`PostHandshakeError`].
    pub fn decode(plaintext: &[u8]) -> Result<Self, PostHandshakeError> {
        let error = match check_map(plaintext) {
            Ok(()) => return Self::from_map(plaintext, Revision::Typed),
            Err(error) => error,
        };
        let candidates = [unpad_512(plaintext), unpad_256(plaintext)];
        let map = candidates.into_iter().flatten().find(|map| check_map(map).is_ok()).ok_or(error)?;
        Self::from_map(map, Revision::Untyped)
    }

    fn from_map(map: &[u8], revision: Revision) -> Result<Self, PostHandshakeError> {
        let mut message =
            Self { get_info: None, features: Features::default(), linking_info: None, revision };
        for (key, value) in Entries::new(map) {
            match key {
                Key::Uint(1) => {
                    message.get_info = Some(value.bytes().ok_or(PostHandshakeError::Field(1))?.to_vec());
                }
                Key::Uint(2) if value.is_map() => message.linking_info = Some(value.as_encoded().to_vec()),
                Key::Uint(3) => message.features = read_features(value)?,
                _ => {}
            }
        }
        match (message.features.ctap, &message.get_info) {
            (true, None) => Err(PostHandshakeError::MissingGetInfo),
            (false, Some(_)) => Err(PostHandshakeError::UnexpectedGetInfo),
            _ => Ok(message),
        }
    }

    /// Writes the plaintext as current authenticators do: getInfo, and the features where they are not the
    /// default.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector cannot fail.
        let _ = self.encode_into(&mut encoder);
        encoder.into_writer()
    }

    fn encode_into(
        &self,
        encoder: &mut Encoder<Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<core::convert::Infallible>> {
        let names: Vec<&str> = [(self.features.ctap, "ctap"), (self.features.digital_credentials, "dc")]
            .into_iter()
            .filter_map(|(has, name)| has.then_some(name))
            .collect();
        let name_features = self.features != Features::default();
        encoder.map(u64::from(self.get_info.is_some()) + u64::from(name_features))?;
        if let Some(get_info) = &self.get_info {
            encoder.u8(1)?.bytes(get_info)?;
        }
        if name_features {
            encoder.u8(3)?.array(u64::try_from(names.len()).unwrap_or_default())?;
            names.iter().try_for_each(|name| encoder.str(name).map(drop))?;
        }
        Ok(())
    }
}

impl fmt::Debug for PostHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostHandshake")
            .field("get_info", &self.get_info.as_ref().map(Vec::len))
            .field("features", &self.features)
            .field("linking_info", &self.linking_info.as_ref().map(Vec::len))
            .field("revision", &self.revision)
            .finish()
    }
}

fn read_features(value: Value<'_>) -> Result<Features, PostHandshakeError> {
    let names = value.array().ok_or(PostHandshakeError::Field(3))?;
    let has = |feature| names.iter().any(|name| name.text() == Some(feature));
    Ok(Features { ctap: has("ctap"), digital_credentials: has("dc") })
}

fn unpad_512(padded: &[u8]) -> Option<&[u8]> {
    if !padded.len().is_multiple_of(512) {
        return None;
    }
    let (rest, count) = padded.split_last_chunk::<2>()?;
    strip_zeros(rest, usize::from(u16::from_le_bytes(*count)))
}

fn unpad_256(padded: &[u8]) -> Option<&[u8]> {
    if !padded.len().is_multiple_of(256) {
        return None;
    }
    let (count, rest) = padded.split_last()?;
    strip_zeros(rest, usize::from(*count))
}

fn strip_zeros(bytes: &[u8], count: usize) -> Option<&[u8]> {
    let (kept, zeros) = bytes.split_at_checked(bytes.len().checked_sub(count)?)?;
    zeros.iter().all(|zero| *zero == 0).then_some(kept)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn old_padding_is_recognised() {
        let map = PostHandshake::ctap([0xa0]).encode();
        let mut padded = map.clone();
        padded.resize(510, 0);
        padded.extend_from_slice(&u16::try_from(510 - map.len()).unwrap().to_le_bytes());
        let decoded = PostHandshake::decode(&padded).unwrap();
        assert_eq!((decoded.revision, decoded.get_info), (Revision::Untyped, Some(vec![0xa0])));

        let mut padded = map.clone();
        padded.resize(255, 0);
        padded.push(u8::try_from(255 - map.len()).unwrap());
        assert_eq!(PostHandshake::decode(&padded).unwrap().revision, Revision::Untyped);
        padded[100] = 1;
        assert!(matches!(PostHandshake::decode(&padded), Err(PostHandshakeError::Cbor(_))));
    }

    proptest! {
        #[test]
        fn messages_survive(get_info in proptest::collection::vec(any::<u8>(), 0..100), dc: bool, ctap: bool) {
            let mut message = PostHandshake::ctap(get_info);
            message.features = Features { ctap, digital_credentials: dc };
            if !ctap {
                message.get_info = None;
            }
            prop_assert_eq!(PostHandshake::decode(&message.encode()), Ok(message));
        }

        #[test]
        fn any_bytes_give_an_answer(mut bytes in proptest::collection::vec(any::<u8>(), 0..100), pad: bool) {
            if pad {
                bytes.resize(512, 0);
            }
            let _ = PostHandshake::decode(&bytes);
        }
    }
}
