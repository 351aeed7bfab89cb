//! Messages on a channel that carries packets: the BLE L2CAP channel (CTAP 2.3 section 11.5).
//!
//! ```text
//! message 1 (81) | CR LF                             client to authenticator
//! message 2 (81) | CR LF                             authenticator to client
//! frame | CR LF | frame | CR LF                      both ways, from then on
//!
//! BE32(81) | message 1                               the same with lengths
//! BE32(81) | message 2
//! BE32(length) | frame | BE32(length) | frame
//! ```
//!
//! Both forms are in the field, see [`Framing`]. How these bytes fall into packets, which Bluetooth calls service data
//! units, is the sender's choice.
//!
//! # Telling the forms apart
//!
//! The first byte of a direction's stream decides for the whole connection. Each direction begins with a handshake
//! message, and that with an uncompressed point, so with 04. A length begins with 00, as no message has 2^24 bytes.
//! (The 00 that a tunnel service may send before everything else is only sent to clients that call a remembered phone,
//! which is never over BLE.) Nothing later is looked at for this: frames are ciphertext and begin with any byte. The two
//! directions are judged one by one. An authenticator answers in the form that the client's first message had.
//!
//! # Where a message ends
//!
//! Behind a length, where the length says; packets do not matter. Without one, deployed peers send a message with its
//! CR LF in one packet if it fits, and so does this crate; others send CR LF in a packet of its own, or leave it out and
//! count on one packet for each message. [`PacketReader`] understands them all.
//!
//! Frames may hold CR LF themselves, so a frame without a length ends where its authentication tag says so: every CR
//! LF, and every end of a packet, is a possible end, and the frame that opens under the current counter is the one
//! that was sent. One that does not open uses up nothing.
//!
//! # What a hostile peer can cost
//!
//! A try costs one run over the bytes so far, so tries are counted. In honest frames CR LF occurs by chance once in
//! 65,536 bytes, sixteen times in the largest; [`MAX_TRIES`] for each frame are far above that. Ends of packets as such
//! are tried for the first [`MAX_BARE_TRIES`] packets of a frame only. A frame behind a length is tried once, and a length
//! above [`MAX_MESSAGE`] is refused as soon as it is there. At most one frame of [`MAX_MESSAGE`] bytes and one packet are
//! held in memory.

use core::fmt;

use crate::{
    frame::{FrameError, Opener, TAG_LENGTH},
    handshake::{self, HandshakeError},
    service::MAX_MESSAGE,
};

/// What follows every message of [`Framing::CrLf`].
pub const TERMINATOR: [u8; 2] = *b"\r\n";
/// How many times the bytes so far may fail to open as a frame, before the channel is given up.
pub const MAX_TRIES: u32 = 96;
/// For how many packets of one frame the end of the packet itself is tried as the end of the frame.
pub const MAX_BARE_TRIES: u32 = 8;

/// Bytes of a length before a message.
const LENGTH_BYTES: usize = 4;

/// How a sender marks the ends of its messages.
///
/// What CTAP 2.3 means is read in two ways. Receivers that understand one of them only do not understand the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Framing {
    /// CR LF behind each message. Google Play services on Android 16 take it: libwebauthn 0.5 to 0.10 sent it, and was
    /// tested with them.
    #[default]
    CrLf,
    /// The length before each message, in four bytes, big-endian. libwebauthn sends it since its transport is the crate
    /// pxp (0.11, pxp 0.1), and takes nothing else. Which phones do is not known.
    Length,
}

impl Framing {
    /// A message as it goes on the channel. It has at most [`MAX_MESSAGE`] bytes, as all messages have; receivers
    /// refuse a longer one.
    pub fn wrap(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::CrLf => [message, &TERMINATOR].concat(),
            Self::Length => {
                let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
                [&length.to_be_bytes(), message].concat()
            }
        }
    }

    /// The form of a stream that begins with this byte.
    const fn of_stream(first: u8) -> Self {
        // Anything but 04 and 00 is no handshake message either way, and fails as one.
        if first == 0 { Self::Length } else { Self::CrLf }
    }
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
    /// How the peer marks the ends of its messages, once its first byte is there.
    framing: Option<Framing>,
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

    /// How the peer marks the ends of its messages; `None` as long as nothing has come in.
    pub const fn framing(&self) -> Option<Framing> {
        self.framing
    }

    /// Takes a packet, however long.
    pub fn push(&mut self, packet: &[u8]) {
        if let (None, Some(first)) = (self.framing, packet.first()) {
            self.framing = Some(Framing::of_stream(*first));
        }
        self.buffer.extend_from_slice(packet);
        self.fresh |= !packet.is_empty();
    }

    /// The handshake message that begins the channel, once its 81 bytes are there.
    ///
    /// # Errors
    /// [`HandshakeError::Length`] when neither CR LF nor the end of a packet follows them, or the length before them is
    /// another. The channel is of no further use then.
    pub fn handshake_message(&mut self) -> Result<Option<handshake::Message>, HandshakeError> {
        if self.framing == Some(Framing::Length) {
            return self.measured_handshake_message();
        }
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
    /// [`FrameError::Authentication`] when too many possible ends have not led to a frame, or what a length measures is
    /// none; [`FrameError::TooLarge`] when more has come than a frame can have, or the length says so;
    /// [`FrameError::TooShort`] when the length leaves no room for a frame; and what [`Opener::open`] says of a frame
    /// with a valid tag. The channel is of no further use then.
    pub fn open_frame(&mut self, opener: &mut Opener) -> Result<Option<Vec<u8>>, FrameError> {
        if self.framing == Some(Framing::Length) {
            return self.open_measured(opener);
        }
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

    /// The length that the next message claims to have, once it is there.
    fn length(&self) -> Option<usize> {
        let length = u32::from_be_bytes(*self.buffer.first_chunk()?);
        Some(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Removes a message of this length, and its length, if it is all there.
    fn take_measured(&mut self, length: usize) -> Option<Vec<u8>> {
        let end = LENGTH_BYTES.checked_add(length).filter(|end| *end <= self.buffer.len())?;
        Some(self.buffer.drain(..end).skip(LENGTH_BYTES).collect())
    }

    fn measured_handshake_message(&mut self) -> Result<Option<handshake::Message>, HandshakeError> {
        let Some(length) = self.length() else { return Ok(None) };
        if length != handshake::MESSAGE_LENGTH {
            return Err(HandshakeError::Length(length));
        }
        let Some(message) = self.take_measured(length) else { return Ok(None) };
        message.try_into().map(Some).map_err(|_| HandshakeError::Length(length))
    }

    fn open_measured(&mut self, opener: &mut Opener) -> Result<Option<Vec<u8>>, FrameError> {
        match self.length() {
            None => Ok(None),
            Some(length) if length > MAX_MESSAGE => Err(FrameError::TooLarge(length)),
            Some(length) if length <= TAG_LENGTH => Err(FrameError::TooShort(length)),
            Some(length) => self.take_measured(length).map(|frame| opener.open(frame)).transpose(),
        }
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
