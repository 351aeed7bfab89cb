//! The head of a frame.

use thiserror::Error;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// A rule that a peer broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    /// The framing itself: a reserved bit or opcode, a missing mask, a control frame that is fragmented or long, a
    /// message within a message.
    #[error("broken websocket framing")]
    Framing,
    /// A text message.
    #[error("a text message")]
    Text,
    /// A message above the size limit.
    #[error("a message above the size limit")]
    Size,
    /// More bytes than the peer may send.
    #[error("more bytes than allowed")]
    Quota,
    /// More messages than the peer may send.
    #[error("more messages than allowed")]
    Messages,
}

impl Violation {
    /// The code that the peer is closed with.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::Framing => CloseCode::Protocol,
            Self::Text => CloseCode::Unsupported,
            Self::Size => CloseCode::Size,
            Self::Quota | Self::Messages => CloseCode::Policy,
        }
    }
}

/// The longest head of a masked frame in bytes.
pub(super) const MAX_HEAD: usize = 14;

/// The head of a masked frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    pub(super) payload: u64,
    pub(super) mask: [u8; 4],
    /// Its length in bytes, mask included.
    pub(super) length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Head {
    /// Reads a head from the front of `bytes`; `None` if there is not enough of it yet.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, Violation> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        let opcode = opcode(*first)?;
        let fin = first & 0x80 != 0;
        if second & 0x80 == 0 {
            return Err(Violation::Framing);
        }
        let (payload, extended) = match second & 0x7f {
            126 => (rest.first_chunk::<2>().map(|length| u64::from(u16::from_be_bytes(*length))), 2),
            127 => (rest.first_chunk::<8>().map(|length| u64::from_be_bytes(*length)), 8),
            short => (Some(u64::from(short)), 0),
        };
        let is_control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
        if is_control && (!fin || second & 0x7f > 125) {
            return Err(Violation::Framing);
        }
        let mask = rest.get(extended..).and_then(|rest| rest.first_chunk::<4>());
        let (Some(payload), Some(mask)) = (payload, mask) else { return Ok(None) };
        Ok(Some(Self { fin, opcode, payload, mask: *mask, length: 2 + extended + 4 }))
    }
}

fn opcode(first: u8) -> Result<Opcode, Violation> {
    if first & 0x70 != 0 {
        return Err(Violation::Framing);
    }
    match first & 0x0f {
        0x0 => Ok(Opcode::Continuation),
        0x1 => Err(Violation::Text),
        0x2 => Ok(Opcode::Binary),
        0x8 => Ok(Opcode::Close),
        0x9 => Ok(Opcode::Ping),
        0xa => Ok(Opcode::Pong),
        _ => Err(Violation::Framing),
    }
}
