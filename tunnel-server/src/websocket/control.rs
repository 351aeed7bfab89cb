//! Control frames: what a peer's mean, and the ones the service sends.

use core::fmt;

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::Violation;

/// A control frame of a peer that the service has to act on. `Debug` shows the length of a payload only.
#[derive(Clone, PartialEq, Eq)]
pub enum Control {
    /// To be answered with the same 0 to 125 bytes.
    Ping(Vec<u8>),
    /// The peer is done; the code, if it gave one.
    Close(Option<CloseCode>),
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ping(payload) => write!(f, "Ping({} bytes)", payload.len()),
            Self::Close(code) => f.debug_tuple("Close").field(code).finish(),
        }
    }
}

impl Control {
    /// Reads the payload of a close frame.
    pub(super) fn close(payload: &[u8]) -> Result<Self, Violation> {
        match payload {
            [] => Ok(Self::Close(None)),
            [high, low, reason @ ..] => {
                let code = CloseCode::from(u16::from_be_bytes([*high, *low]));
                let valid = code.is_allowed() && core::str::from_utf8(reason).is_ok();
                if valid { Ok(Self::Close(Some(code))) } else { Err(Violation::Framing) }
            }
            [_] => Err(Violation::Framing),
        }
    }
}

/// An unmasked close frame without a reason.
pub(crate) fn close_frame(code: Option<CloseCode>) -> Vec<u8> {
    match code.map(|code| u16::from(code).to_be_bytes()) {
        Some([high, low]) => vec![0x88, 2, high, low],
        None => vec![0x88, 0],
    }
}

/// An unmasked pong frame.
pub(crate) fn pong_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len().saturating_add(2));
    frame.extend([0x8a, u8::try_from(payload.len()).unwrap_or_default()]);
    frame.extend_from_slice(payload);
    frame
}
