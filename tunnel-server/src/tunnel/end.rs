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
    metrics::Limit,
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
    /// The time to wait for the other side is over.
    Unjoined,
    /// Nothing was said for too long.
    Idle,
    /// The tunnel's time is over.
    Expired,
    /// Its peer sent more bytes than it may.
    Quota,
    /// Its peer sent more messages than it may.
    Messages,
    /// Its peer sent more than may wait for the other side.
    PendingBytes,
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
            _ => Some(self.farewell()),
        };
        Some(close_frame(code))
    }

    /// The code that the other side is closed with.
    pub(super) fn farewell(self) -> CloseCode {
        match self {
            Self::Closed(code) => code.unwrap_or(CloseCode::Normal),
            Self::OtherSide(code) => code,
            Self::Vanished => CloseCode::Away,
            Self::Stopping => CloseCode::Restart,
            Self::Misbehaved(_)
            | Self::Unjoined
            | Self::Idle
            | Self::Expired
            | Self::Quota
            | Self::Messages
            | Self::PendingBytes => CloseCode::Policy,
        }
    }

    /// Whether it is the service that closes, so that the peer may still be sending.
    const fn is_ours(self) -> bool {
        !matches!(self, Self::Closed(_) | Self::Vanished | Self::Misbehaved(_))
    }

    /// Of the ends of both sides, the one that brought the other about.
    pub(crate) const fn cause(self, other: Self) -> Self {
        if matches!(self, Self::OtherSide(_)) { other } else { self }
    }

    /// What it is called where ends are counted.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Closed(_) | Self::OtherSide(_) => "closed",
            Self::Vanished => "vanished",
            Self::Misbehaved(Violation::Text) => "text",
            Self::Misbehaved(Violation::Size) => "message_too_large",
            Self::Misbehaved(_) => "framing",
            Self::Unjoined => "not_joined",
            Self::Idle => "idle",
            Self::Expired => "expired",
            Self::Quota => "bytes",
            Self::Messages => "messages",
            Self::PendingBytes => "pending_bytes",
            Self::Stopping => "stopping",
        }
    }

    /// The limit that brought it about.
    pub(crate) const fn limit(self) -> Option<Limit> {
        Some(Limit(match self {
            Self::Misbehaved(Violation::Size) => "max_message",
            Self::Unjoined => "pending_lifetime",
            Self::Idle => "idle_lifetime",
            Self::Expired => "lifetime",
            Self::Quota => "max_tunnel_bytes",
            Self::Messages => "max_tunnel_messages",
            Self::PendingBytes => "max_pending_bytes",
            _ => return None,
        }))
    }
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        match violation {
            Violation::Quota => Self::Quota,
            Violation::Messages => Self::Messages,
            other => Self::Misbehaved(other),
        }
    }
}

impl Peer {
    /// Sends what is still waiting, closes the websocket as the end asks for, and waits a bounded time for the peer to
    /// take note. False where the peer takes longer.
    pub(crate) async fn finish(mut self: Box<Self>, end: End, config: &Config) -> bool {
        let closing = async {
            if let Some(frame) = end.close_frame().filter(|_| self.is_whole()) {
                self.queue(&frame);
            }
            let sent = poll_fn(|context| self.poll_send(context)).await.is_ok();
            if sent && end.is_ours() {
                poll_fn(|context| discard(&mut self, context)).await;
            }
            linger(&mut self.io).await;
        };
        timeout(config.close_timeout, closing).await.is_ok()
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
