//! Frames after the handshake (CTAP 2.2 section 11.5.1.3): padding, counters and AES-256-GCM.
//!
//! ```text
//! padded = message | zeros(z) | byte(z)     z = smallest that makes the length a multiple of 32
//! nonce  = 8 zero bytes | BE32(counter)     one counter a direction, from 0
//! frame  = AES-256-GCM(key, nonce, no associated data, padded)
//! ```
//!
//! This is what the standard's earlier text calls revision 1 (v2.1). A frame that fails to open is fatal: there is
//! no re-ordering and no retransmission in a tunnel.

use core::fmt;

use aes_gcm::{
    Aes256Gcm, Nonce, Tag,
    aead::{AeadInOut, KeyInit},
};
use thiserror::Error;
use zeroize::Zeroize;

use crate::{secret::secret_bytes, service::MAX_MESSAGE};

secret_bytes!(
    /// The key of one direction of one session: 32 bytes.
    TrafficKey,
    32
);

/// The last counter that may be used, 2^24 - 1.
pub const MAX_COUNTER: u32 = (1 << 24) - 1;
/// Length in bytes of the tag at the end of a frame.
pub const TAG_LENGTH: usize = 16;
/// Padded lengths are multiples of this many bytes.
pub const PADDING_MULTIPLE: usize = 32;

/// The longest message in bytes that fits into a frame: padding needs at least one byte, and padded lengths are
/// multiples of 32.
pub const MAX_PLAINTEXT: usize = MAX_MESSAGE - PADDING_MULTIPLE - 1;

/// Why a frame could not be sealed or opened. All but `TooLarge` on sealing end the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame is larger than [`MAX_MESSAGE`].
    #[error("a frame of {0} bytes is over the limit of {max}", max = MAX_MESSAGE)]
    TooLarge(usize),
    /// The frame is too short to hold a tag.
    #[error("a frame of {0} bytes is too short")]
    TooShort(usize),
    /// The tag does not verify: the frame was changed, repeated, reordered, or is another session's.
    #[error("a frame failed authentication")]
    Authentication,
    /// The padding is longer than the frame, or there is none.
    #[error("a frame has malformed padding")]
    Padding,
    /// The counter of this direction is used up.
    #[error("the session has used up its frames")]
    Exhausted,
}

/// One direction's cipher and its counter.
struct Direction {
    cipher: Aes256Gcm,
    /// The counter of the next frame; beyond [`MAX_COUNTER`] there is none.
    counter: u32,
}

impl Direction {
    fn new(key: &TrafficKey, counter: u32) -> Self {
        Self { cipher: Aes256Gcm::new(key.expose_bytes().into()), counter }
    }

    fn nonce(&self) -> Result<Nonce<aes_gcm::aead::consts::U12>, FrameError> {
        if self.counter > MAX_COUNTER {
            return Err(FrameError::Exhausted);
        }
        let [a, b, c, d] = self.counter.to_be_bytes();
        Ok([0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d].into())
    }
}

/// Seals the frames of one direction.
pub struct Sealer(Direction);

impl Sealer {
    /// Starts at counter 0.
    pub fn new(key: &TrafficKey) -> Self {
        Self(Direction::new(key, 0))
    }

    /// Starts at another counter. Two frames with the same key and counter reveal both messages.
    pub fn dangerous_starting_at(key: &TrafficKey, counter: u32) -> Self {
        Self(Direction::new(key, counter))
    }

    /// Pads and encrypts the next message.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`], which uses up nothing, or [`FrameError::Exhausted`].
    pub fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, FrameError> {
        let nonce = self.0.nonce()?;
        let length = padded_length(message.len()).saturating_add(TAG_LENGTH);
        if length > MAX_MESSAGE {
            return Err(FrameError::TooLarge(length));
        }
        let mut frame = Vec::with_capacity(length);
        pad_into(message, &mut frame);
        let tag = self
            .0
            .cipher
            .encrypt_inout_detached(&nonce, &[], frame.as_mut_slice().into())
            .map_err(|_| FrameError::TooLarge(length))?;
        frame.extend_from_slice(&tag);
        self.0.counter = self.0.counter.saturating_add(1);
        Ok(frame)
    }
}

/// Opens the frames of one direction.
pub struct Opener(Direction);

impl Opener {
    /// Starts at counter 0.
    pub fn new(key: &TrafficKey) -> Self {
        Self(Direction::new(key, 0))
    }

    /// Starts at another counter.
    pub fn dangerous_starting_at(key: &TrafficKey, counter: u32) -> Self {
        Self(Direction::new(key, counter))
    }

    /// Decrypts the next frame in place and removes the padding. A failed frame leaves the counter as it is.
    ///
    /// # Errors
    /// [`FrameError`]; nothing of the frame is given out then.
    pub fn open(&mut self, mut frame: Vec<u8>) -> Result<Vec<u8>, FrameError> {
        if frame.len() > MAX_MESSAGE {
            return Err(FrameError::TooLarge(frame.len()));
        }
        let nonce = self.0.nonce()?;
        let too_short = FrameError::TooShort(frame.len());
        let (padded, tag) = frame.split_last_chunk_mut::<TAG_LENGTH>().ok_or(too_short)?;
        let tag = Tag::from(*tag);
        let opened = self.0.cipher.decrypt_inout_detached(&nonce, &[], padded.into(), &tag);
        if opened.is_err() {
            frame.zeroize();
            return Err(FrameError::Authentication);
        }
        self.0.counter = self.0.counter.saturating_add(1);
        let kept = unpad(padded).ok_or(FrameError::Padding)?.len();
        frame.truncate(kept);
        Ok(frame)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("counter", &self.0.counter).finish_non_exhaustive()
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("counter", &self.0.counter).finish_non_exhaustive()
    }
}

/// The padded length of a message: the next multiple of 32 that leaves room for the length byte.
pub const fn padded_length(message: usize) -> usize {
    message.saturating_add(1).next_multiple_of(PADDING_MULTIPLE)
}

/// Appends the message, zeros, and the number of zeros.
fn pad_into(message: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(message);
    let zeros = padded_length(message.len()).saturating_sub(message.len()).saturating_sub(1);
    out.resize(out.len().saturating_add(zeros), 0);
    out.push(u8::try_from(zeros).unwrap_or_default());
}

/// Pads a message.
pub fn pad(message: &[u8]) -> Vec<u8> {
    let mut padded = Vec::with_capacity(padded_length(message.len()));
    pad_into(message, &mut padded);
    padded
}

/// The message inside padded bytes, `None` if the padding is longer than they are. Neither alignment nor the
/// value of the padding bytes is checked, since deployed peers differ there.
pub fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let (zeros, rest) = padded.split_last()?;
    rest.get(..rest.len().checked_sub(usize::from(*zeros))?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(counter: u32) -> (Sealer, Opener) {
        let key = TrafficKey::from_bytes(&[5; 32]);
        (Sealer::dangerous_starting_at(&key, counter), Opener::dangerous_starting_at(&key, counter))
    }

    #[test]
    fn counters_end() {
        let (mut sealer, mut opener) = pair(MAX_COUNTER);
        let last = sealer.seal(b"last").unwrap();
        assert_eq!(opener.open(last.clone()).unwrap(), b"last");
        assert_eq!(sealer.seal(b"more"), Err(FrameError::Exhausted));
        assert_eq!(opener.open(last), Err(FrameError::Exhausted));
    }

    #[test]
    fn size_limit_holds_in_both_directions() {
        let (mut sealer, mut opener) = pair(0);
        let largest = MAX_PLAINTEXT;
        let frame = sealer.seal(&vec![1; largest]).unwrap();
        assert_eq!(frame.len(), MAX_MESSAGE - TAG_LENGTH);
        assert_eq!(opener.open(frame).unwrap().len(), largest);
        assert!(matches!(sealer.seal(&vec![1; largest + 1]), Err(FrameError::TooLarge(_))));
        assert!(matches!(opener.open(vec![1; MAX_MESSAGE + 1]), Err(FrameError::TooLarge(_))));
        assert_eq!(opener.open(vec![1; 15]), Err(FrameError::TooShort(15)));
    }

    proptest! {
        #[test]
        fn messages_survive_in_order(messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..6)) {
            let (mut sealer, mut opener) = pair(0);
            for message in messages {
                let frame = sealer.seal(&message).unwrap();
                prop_assert_eq!(frame.len(), padded_length(message.len()) + TAG_LENGTH);
                prop_assert_eq!(opener.open(frame).unwrap(), message);
            }
        }

        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let (_, mut opener) = pair(0);
            prop_assert!(opener.open(bytes.clone()).is_err());
            let _ = unpad(&bytes);
        }
    }
}
