//! How a side of a tunnel ends.

use std::future::poll_fn;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::{Io, Peer, pump::discard};
use crate::{
    config::Config,
    websocket::{Violation, close_frame},
};

/// The most bytes that are read and dropped after the last answer.
const LINGER_BYTES: u64 = 8 * 1024 * 1024;

/// Why a side of a tunnel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Its peer closed the websocket, with a code or without.
    Closed(Option<CloseCode>),
    /// Its peer is gone without a close frame.
    Vanished,
    /// Its peer broke a rule.
    Misbehaved(Violation),
    /// The other side left; this one is closed with the code that it left behind.
    OtherSide(CloseCode),
    /// Its time is over, waiting or altogether.
    Expired,
    /// Its peer sent more than it may.
    Quota,
    /// The service is stopping.
    Stopping,
}

impl End {
    /// The frame to close this side's websocket with; none where its peer is gone.
    fn close_frame(self) -> Option<Vec<u8>> {
        let code = match self {
            Self::Vanished => return None,
            // The same back, which ends the closing that the peer began.
            Self::Closed(code) => code,
            Self::OtherSide(code) => Some(code),
            Self::Misbehaved(violation) => Some(violation.close_code()),
            Self::Expired | Self::Quota => Some(CloseCode::Policy),
            Self::Stopping => Some(CloseCode::Away),
        };
        Some(close_frame(code))
    }

    /// The code that the other side is closed with.
    pub(super) fn farewell(self) -> CloseCode {
        match self {
            Self::Closed(code) => code.unwrap_or(CloseCode::Normal),
            Self::OtherSide(code) => code,
            Self::Vanished | Self::Stopping => CloseCode::Away,
            Self::Misbehaved(_) | Self::Expired | Self::Quota => CloseCode::Policy,
        }
    }
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        match violation {
            Violation::Quota => Self::Quota,
            other => Self::Misbehaved(other),
        }
    }
}

impl Peer {
    /// Sends what is still waiting, closes the websocket as the end asks for, and waits a bounded time for the peer to
    /// take note.
    pub(crate) async fn finish(mut self: Box<Self>, end: End, config: &Config) {
        let closing = async {
            if let Some(frame) = end.close_frame().filter(|_| self.is_whole()) {
                self.queue(&frame);
            }
            let sent = poll_fn(|context| self.poll_send(context)).await.is_ok();
            if sent && matches!(end, End::OtherSide(_) | End::Expired | End::Quota | End::Stopping) {
                poll_fn(|context| discard(&mut self, context)).await;
            }
            linger(&mut self.io).await;
        };
        let _ = timeout(config.close_timeout, closing).await;
    }
}

/// Ends the sending direction, then reads and drops what still comes in.
///
/// A socket that is dropped with unread bytes is reset, and a reset destroys answers that the peer has not read.
pub(crate) async fn linger(io: &mut (impl Io + ?Sized)) {
    if io.shutdown().await.is_ok() {
        let _ = tokio::io::copy(&mut io.take(LINGER_BYTES), &mut tokio::io::sink()).await;
    }
}
