//! Messages on a channel that carries packets: the BLE L2CAP channel (CTAP 2.3 section 11.5).
//!
//! ```text
//! message 1 (81) | CR LF          client to authenticator
//! message 2 (81) | CR LF          authenticator to client
//! frame | CR LF | frame | CR LF   both ways, from then on
//! ```
//!
//! How these bytes fall into packets, which Bluetooth calls service data units, is the sender's choice. Deployed peers
//! send one message with its CR LF in one packet if it fits, and so does this crate; others send CR LF in a packet of
//! its own, or leave it out and count on one packet for each message. [`PacketReader`] understands them all.
//!
//! Frames are ciphertext and may hold CR LF themselves, so a frame ends where its authentication tag says so: every CR
//! LF, and every end of a packet, is a possible end, and the frame that opens under the current counter is the one
//! that was sent. One that does not open uses up nothing.
//!
//! # What a hostile peer can cost
//!
//! A try costs one run over the bytes so far, so tries are counted. In honest frames CR LF occurs by chance once in
//! 65,536 bytes, sixteen times in the largest; [`MAX_TRIES`] for each frame are far above that. Ends of packets as such
//! are tried for the first [`MAX_BARE_TRIES`] packets of a frame only. At most one frame of [`MAX_MESSAGE`] bytes and
//! one packet are held in memory.

use core::fmt;

use crate::{
    frame::{FrameError, Opener, TAG_LENGTH},
    handshake::{self, HandshakeError},
    service::MAX_MESSAGE,
};

/// What follows every message.
pub const TERMINATOR: [u8; 2] = *b"\r\n";
/// How many times the bytes so far may fail to open as a frame, before the channel is given up.
pub const MAX_TRIES: u32 = 96;
/// For how many packets of one frame the end of the packet itself is tried as the end of the frame.
pub const MAX_BARE_TRIES: u32 = 8;

/// A message as it goes on the channel: followed by CR LF.
pub fn terminated(message: &[u8]) -> Vec<u8> {
    [message, &TERMINATOR].concat()
}

/// Finds the messages in the packets of one direction.
///
/// Every packet that comes in is [pushed](Self::push), and then everything is read that is there:
/// [`handshake_message`](Self::handshake_message) once, and after it [`open_frame`](Self::open_frame) until it gives
/// nothing more.
#[derive(Default)]
pub struct PacketReader {
    /// What was not read yet. Its end is the end of a packet.
    buffer: Vec<u8>,
    /// No frame ends before this position, or at it unless CR LF follows.
    searched: usize,
    /// Whether something came in since the last search.
    fresh: bool,
    /// The last message came without its CR LF, which may begin the buffer.
    terminator_due: bool,
    tries: u32,
    bare_tries: u32,
}

impl PacketReader {
    /// A reader at the beginning of a channel.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a packet, however long.
    pub fn push(&mut self, packet: &[u8]) {
        self.buffer.extend_from_slice(packet);
        self.fresh |= !packet.is_empty();
    }

    /// The handshake message that begins the channel, once its 81 bytes are there.
    ///
    /// # Errors
    /// [`HandshakeError::Length`] when neither CR LF nor the end of a packet follows them. The channel is of no further
    /// use then.
    pub fn handshake_message(&mut self) -> Result<Option<handshake::Message>, HandshakeError> {
        let Some((message, behind)) = self.buffer.split_first_chunk() else { return Ok(None) };
        let (message, length) = (*message, self.buffer.len());
        if !behind.starts_with(&TERMINATOR) && !TERMINATOR.starts_with(behind) {
            return Err(HandshakeError::Length(length));
        }
        self.consume(message.len());
        Ok(Some(message))
    }

    /// Opens the next frame, if it is there.
    ///
    /// # Errors
    /// [`FrameError::Authentication`] when too many possible ends have not led to a frame,
    /// [`FrameError::TooLarge`] when more has come than a frame can have, and what [`Opener::open`] says of a frame
    /// with a valid tag. The channel is of no further use then.
    pub fn open_frame(&mut self, opener: &mut Opener) -> Result<Option<Vec<u8>>, FrameError> {
        if !core::mem::take(&mut self.fresh) {
            return Ok(None);
        }
        let length = self.buffer.len();
        let last = self.end_from(length.saturating_sub(TERMINATOR.len()).max(self.searched));
        // The end of the packet first: nearly always it is the one.
        if let Some(end) = last
            && let Some(plaintext) = self.open_until(end, opener)?
        {
            return Ok(Some(plaintext));
        }
        let mut from = self.searched;
        while let Some(end) = self.end_from(from).filter(|end| Some(*end) != last) {
            if let Some(plaintext) = self.open_until(end, opener)? {
                return Ok(Some(plaintext));
            }
            from = end.saturating_add(1);
        }
        if self.bare_tries < MAX_BARE_TRIES {
            self.bare_tries = self.bare_tries.saturating_add(1);
            if let Some(plaintext) = self.open_until(length, opener)? {
                return Ok(Some(plaintext));
            }
        }
        self.searched = length.saturating_sub(1);
        if length > MAX_MESSAGE.saturating_add(2 * TERMINATOR.len()) {
            return Err(FrameError::TooLarge(length));
        }
        Ok(None)
    }

    /// The first position of CR LF at or behind this one.
    fn end_from(&self, from: usize) -> Option<usize> {
        let pairs = self.buffer.get(from..)?.windows(TERMINATOR.len());
        pairs.into_iter().position(|pair| pair == TERMINATOR).map(|at| from.saturating_add(at))
    }

    /// Opens the frame that ends before this position, if it is one.
    fn open_until(&mut self, end: usize, opener: &mut Opener) -> Result<Option<Vec<u8>>, FrameError> {
        let behind_terminator = self.terminator_due && self.buffer.starts_with(&TERMINATOR);
        let starts = behind_terminator.then_some(TERMINATOR.len()).into_iter().chain([0]);
        for start in starts {
            let Some(frame) = self.buffer.get(start..end) else { continue };
            if frame.len() <= TAG_LENGTH || frame.len() > MAX_MESSAGE {
                continue;
            }
            if self.tries >= MAX_TRIES {
                return Err(FrameError::Authentication);
            }
            self.tries = self.tries.saturating_add(1);
            match opener.open(frame.to_vec()) {
                Err(FrameError::Authentication) => {}
                Err(error) => return Err(error),
                Ok(plaintext) => {
                    self.consume(end);
                    return Ok(Some(plaintext));
                }
            }
        }
        Ok(None)
    }

    /// Removes a message up to this position, and the CR LF behind it.
    fn consume(&mut self, end: usize) {
        self.terminator_due = !self.buffer.get(end..).unwrap_or_default().starts_with(&TERMINATOR);
        let end = if self.terminator_due { end } else { end.saturating_add(TERMINATOR.len()) };
        self.buffer.drain(..end.min(self.buffer.len()));
        (self.searched, self.tries, self.bare_tries) = (0, 0, 0);
        self.fresh = !self.buffer.is_empty();
    }
}

impl fmt::Debug for PacketReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketReader").field("unread", &self.buffer.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
