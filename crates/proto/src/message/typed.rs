//! Typed messages: every frame after the first.

use core::fmt;

use minicbor::Encoder;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::cbor::{CborError, Entries, Key, check_map};

/// What a message is, its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    /// 0: the client is done. Nothing follows from it.
    Shutdown,
    /// 1: a CTAP request (command byte, CBOR) or reply (status byte, CBOR).
    Ctap,
    /// 2: something the authenticator tells unasked.
    Update,
    /// 3: digital credentials, UTF-8 JSON.
    Json,
}

impl MessageKind {
    /// The first byte of the message.
    pub const fn as_byte(self) -> u8 {
        match self {
            Self::Shutdown => 0,
            Self::Ctap => 1,
            Self::Update => 2,
            Self::Json => 3,
        }
    }

    /// The kind that a first byte stands for.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Shutdown),
            1 => Some(Self::Ctap),
            2 => Some(Self::Update),
            3 => Some(Self::Json),
            _ => None,
        }
    }
}

/// Why a plaintext is not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MessageError {
    /// No bytes at all.
    #[error("an empty message")]
    Empty,
    /// A first byte above 3.
    #[error("a message of unknown type {0}")]
    UnknownType(u8),
    /// A CTAP message with neither command nor status byte.
    #[error("a CTAP message without a command or status byte")]
    EmptyCtap,
    /// An update that is not a canonical CBOR map. The session can go on without it.
    #[error("an update that is not a map: {0}")]
    Update(CborError),
}

/// A typed message. Payloads are wiped on drop and never shown.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
#[non_exhaustive]
pub enum Message {
    /// The client is done.
    Shutdown,
    /// Command or status byte, then CBOR, untouched.
    Ctap(Vec<u8>),
    /// The CBOR map of an update.
    Update(Vec<u8>),
    /// JSON text, not yet parsed.
    Json(Vec<u8>),
}

impl Message {
    /// Reads a frame's plaintext.
    ///
    /// # Errors
    /// [`MessageError`]; all but [`MessageError::Update`] are fatal for the session.
    pub fn decode(plaintext: &[u8]) -> Result<Self, MessageError> {
        let (kind, payload) = plaintext.split_first().ok_or(MessageError::Empty)?;
        match MessageKind::from_byte(*kind).ok_or(MessageError::UnknownType(*kind))? {
            MessageKind::Shutdown => Ok(Self::Shutdown),
            MessageKind::Ctap if payload.is_empty() => Err(MessageError::EmptyCtap),
            MessageKind::Ctap => Ok(Self::Ctap(payload.to_vec())),
            MessageKind::Update => {
                check_map(payload).map_err(MessageError::Update)?;
                Ok(Self::Update(payload.to_vec()))
            }
            MessageKind::Json => Ok(Self::Json(payload.to_vec())),
        }
    }

    /// Writes a frame's plaintext.
    pub fn encode(&self) -> Vec<u8> {
        let payload: &[u8] = match self {
            Self::Shutdown => &[],
            Self::Ctap(payload) | Self::Update(payload) | Self::Json(payload) => payload,
        };
        let mut plaintext = Vec::with_capacity(payload.len().saturating_add(1));
        plaintext.push(self.kind().as_byte());
        plaintext.extend_from_slice(payload);
        plaintext
    }

    /// The kind.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Shutdown => MessageKind::Shutdown,
            Self::Ctap(_) => MessageKind::Ctap,
            Self::Update(_) => MessageKind::Update,
            Self::Json(_) => MessageKind::Json,
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown => f.write_str("Shutdown"),
            Self::Ctap(payload) => write!(f, "Ctap({} bytes)", payload.len()),
            Self::Update(payload) => write!(f, "Update({} bytes)", payload.len()),
            Self::Json(payload) => write!(f, "Json({} bytes)", payload.len()),
        }
    }
}

/// The length in bytes to which an update is filled, so that its size does not tell whether it has content.
const UPDATE_LENGTH: usize = 510;

/// The contents of an update, `{0: padding, 1: linking information}`. Other keys are ignored.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Update<'b> {
    /// The encoded linking information, if there is some. Not yet checked.
    pub linking_info: Option<&'b [u8]>,
}

impl<'b> Update<'b> {
    /// Reads the map of an update.
    ///
    /// # Errors
    /// [`CborError`] when it is not a canonical map.
    pub fn decode(map: &'b [u8]) -> Result<Self, CborError> {
        check_map(map)?;
        let mut update = Self::default();
        for (key, value) in Entries::new(map) {
            if key == Key::Uint(1) {
                update.linking_info = Some(value.as_encoded());
            }
        }
        Ok(update)
    }

    /// Writes the map with zeros under key 0, so that the padded frame has 512 bytes of plaintext whether or not
    /// there is linking information (as long as that has at most some 480 bytes).
    pub fn encode(&self) -> Vec<u8> {
        let unpadded = self.encode_with(0);
        // The byte string's own head grows from 1 to 3 bytes beyond 255 zeros, to 2 beyond 23.
        let missing = UPDATE_LENGTH.saturating_sub(unpadded.len());
        let zeros = match missing {
            0..=23 => missing,
            24..=256 => missing.saturating_sub(1),
            _ => missing.saturating_sub(2),
        };
        self.encode_with(zeros)
    }

    fn encode_with(&self, zeros: usize) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::with_capacity(UPDATE_LENGTH));
        let pairs = 1 + u64::from(self.linking_info.is_some());
        // Writing to a vector cannot fail.
        let _ = encoder.map(pairs).and_then(|encoder| encoder.u8(0)?.bytes(&vec![0; zeros]));
        let mut map = encoder.into_writer();
        if let Some(info) = self.linking_info {
            map.push(1);
            map.extend_from_slice(info);
        }
        map
    }
}

impl fmt::Debug for Update<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update").field("linking_info", &self.linking_info.map(<[u8]>::len)).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn updates_have_one_size() {
        let infos: Vec<Vec<u8>> = (0..=484)
            .map(|length| {
                let mut encoder = Encoder::new(Vec::new());
                encoder.bytes(&vec![7; length]).unwrap();
                encoder.into_writer()
            })
            .collect();
        let with_info = infos.iter().map(|info| Update { linking_info: Some(info) });
        for update in with_info.chain([Update::default()]) {
            let map = update.encode();
            assert_eq!(
                crate::frame::padded_length(Message::Update(map.clone()).encode().len()),
                512,
                "{update:?}"
            );
            assert_eq!(Update::decode(&map), Ok(update));
        }
    }

    proptest! {
        #[test]
        fn messages_survive(payload in proptest::collection::vec(any::<u8>(), 1..50)) {
            for message in [Message::Shutdown, Message::Ctap(payload.clone()), Message::Json(payload)] {
                prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
            }
        }

        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(Message::Update(map)) = Message::decode(&bytes).as_ref() {
                prop_assert!(Update::decode(map).is_ok());
            }
        }
    }
}
