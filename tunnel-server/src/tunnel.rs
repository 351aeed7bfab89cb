//! One side of a tunnel: moving messages between its websocket and the other side.
//!
//! Each side runs in its own connection's task. The two are tied by a [`Link`]: in each direction a queue of one
//! message and a cell for the close code. A side reads its websocket only when the queue has room, and the queue
//! gets room only when the other side's websocket took the message before; so a peer that does not read stops
//! the other one from being read. Pings are answered whenever the websocket is read.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Arc, OnceLock},
};

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Bytes, Error, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Bytes of the websocket's read buffer. Protocol messages are near 100 bytes; longer ones grow it.
const READ_BUFFER: usize = 4 * 1024;
/// What a waiting message counts beside its length, so that empty ones count too.
const MESSAGE_OVERHEAD: usize = 64;
/// The most bytes that are read and dropped after the last answer.
const LINGER_BYTES: u64 = 8 * 1024 * 1024;

/// Anything that one connection's bytes travel over.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// One side's end of the tie to the other side.
#[derive(Debug)]
pub(crate) struct Link {
    to_peer: mpsc::Sender<Bytes>,
    from_peer: mpsc::Receiver<Bytes>,
    /// Why this side left, for the other one. Without it, this side vanished.
    farewell: Arc<OnceLock<CloseCode>>,
    peer_farewell: Arc<OnceLock<CloseCode>>,
}

/// The two ends of a new tie.
pub(crate) fn link() -> (Link, Link) {
    let (to_b, from_a) = mpsc::channel(1);
    let (to_a, from_b) = mpsc::channel(1);
    let (a, b) = (Arc::<OnceLock<CloseCode>>::default(), Arc::<OnceLock<CloseCode>>::default());
    (
        Link { to_peer: to_b, from_peer: from_b, farewell: Arc::clone(&a), peer_farewell: Arc::clone(&b) },
        Link { to_peer: to_a, from_peer: from_a, farewell: b, peer_farewell: a },
    )
}

/// Why a side of a tunnel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Its peer closed the websocket with this code.
    Closed(CloseCode),
    /// Its peer is gone without a close frame.
    Vanished,
    /// Its peer broke a rule and is closed with this code.
    Misbehaved(CloseCode),
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
    /// The code to close this side's websocket with; none where its peer closed it or is gone.
    fn close_code(self) -> Option<CloseCode> {
        match self {
            Self::Closed(_) | Self::Vanished => None,
            Self::Misbehaved(code) | Self::OtherSide(code) => Some(code),
            Self::Expired | Self::Quota => Some(CloseCode::Policy),
            Self::Stopping => Some(CloseCode::Away),
        }
    }

    /// The code that the other side is closed with.
    fn farewell(self) -> CloseCode {
        match self {
            Self::Closed(code) | Self::OtherSide(code) => code,
            Self::Vanished | Self::Stopping => CloseCode::Away,
            Self::Misbehaved(_) | Self::Expired | Self::Quota => CloseCode::Policy,
        }
    }
}

/// One side's websocket and the rules it is under.
pub(crate) struct Side<'a, S> {
    websocket: WebSocketStream<S>,
    config: &'a Config,
    stop: &'a CancellationToken,
    ends: Instant,
    /// Bytes that the peer may still send.
    quota: u64,
}

impl<'a, S: Io> Side<'a, S> {
    /// Takes over a connection after its upgrade. `early` is what the peer sent right behind its request.
    pub(crate) async fn new(
        io: S,
        early: Vec<u8>,
        config: &'a Config,
        stop: &'a CancellationToken,
        ends: Instant,
    ) -> Self {
        let options = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(config.max_message))
            .max_frame_size(Some(config.max_message));
        let websocket = WebSocketStream::from_partially_read(io, early, Role::Server, Some(options)).await;
        Self { websocket, config, stop, ends, quota: config.max_tunnel_bytes }
    }

    /// Waits until the other side joins, and keeps the messages that come in meanwhile.
    pub(crate) async fn wait_for_peer(
        &mut self,
        joined: oneshot::Receiver<Link>,
        pending_until: Instant,
    ) -> Result<(Link, VecDeque<Bytes>), End> {
        let mut waiting = VecDeque::new();
        let mut room = self.config.max_pending_bytes;
        let mut joined = pin!(joined);
        loop {
            let message = tokio::select! {
                biased;
                link = &mut joined => return link.map(|link| (link, waiting)).map_err(|_| End::Expired),
                () = self.stop.cancelled() => return Err(End::Stopping),
                () = sleep_until(pending_until) => return Err(End::Expired),
                message = next_message(&mut self.websocket, &mut self.quota) => message?,
            };
            room = room.checked_sub(message.len().saturating_add(MESSAGE_OVERHEAD)).ok_or(End::Quota)?;
            waiting.push_back(message);
        }
    }

    /// Moves messages both ways until the tunnel ends, those that waited first, and tells the other side why.
    pub(crate) async fn forward(&mut self, link: Link, waiting: VecDeque<Bytes>) -> End {
        let Link { to_peer, mut from_peer, farewell, peer_farewell } = link;
        let (mut sink, mut stream) = (&mut self.websocket).split();
        let end = tokio::select! {
            end = inward(&mut stream, &to_peer, waiting, &mut self.quota) => end,
            end = outward(&mut sink, &mut from_peer, &peer_farewell) => end,
            () = self.stop.cancelled() => End::Stopping,
            () = sleep_until(self.ends) => End::Expired,
        };
        // Set before `to_peer` drops: the other side looks at it when its queue has ended.
        let _ = farewell.set(end.farewell());
        end
    }

    /// Closes the websocket as the end asks for, and waits a bounded time for the peer to take note.
    pub(crate) async fn finish(mut self, end: End) {
        let limit = self.config.close_timeout;
        let closing = async {
            let frame = end.close_code().map(|code| CloseFrame { code, reason: "".into() });
            let sent = match frame {
                Some(frame) => self.websocket.close(Some(frame)).await,
                // Sends the answer to the peer's close frame.
                None => SinkExt::close(&mut self.websocket).await,
            };
            if sent.is_ok() && !matches!(end, End::Misbehaved(_)) {
                while let Some(Ok(_)) = self.websocket.next().await {}
            }
            linger(self.websocket.into_inner()).await;
        };
        let _ = timeout(limit, closing).await;
    }
}

/// Ends the sending direction, then reads and drops what still comes in.
///
/// A socket that is dropped with unread bytes is reset, and a reset destroys answers that the peer has not read.
pub(crate) async fn linger(mut io: impl Io) {
    if io.shutdown().await.is_ok() {
        let _ = tokio::io::copy(&mut io.take(LINGER_BYTES), &mut tokio::io::sink()).await;
    }
}

/// Moves messages from the websocket to the other side.
async fn inward(
    stream: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
    to_peer: &mpsc::Sender<Bytes>,
    waiting: VecDeque<Bytes>,
    quota: &mut u64,
) -> End {
    let mut waiting = waiting.into_iter();
    loop {
        let Ok(room) = to_peer.reserve().await else {
            // The other side left, and the outward direction is about to find its farewell.
            return std::future::pending().await;
        };
        match waiting.next() {
            Some(message) => room.send(message),
            None => match next_message(stream, quota).await {
                Ok(message) => room.send(message),
                Err(end) => return end,
            },
        }
    }
}

/// Moves messages from the other side to the websocket.
async fn outward(
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    from_peer: &mut mpsc::Receiver<Bytes>,
    peer_farewell: &OnceLock<CloseCode>,
) -> End {
    while let Some(message) = from_peer.recv().await {
        if sink.send(Message::Binary(message)).await.is_err() {
            return End::Vanished;
        }
    }
    End::OtherSide(peer_farewell.get().copied().unwrap_or(CloseCode::Away))
}

/// The next binary message of the peer, within its quota.
///
/// # Cancel safety
/// No message is lost.
async fn next_message(
    stream: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
    quota: &mut u64,
) -> Result<Bytes, End> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Binary(message))) => {
                let length = u64::try_from(message.len()).unwrap_or(u64::MAX);
                *quota = quota.checked_sub(length).ok_or(End::Quota)?;
                return Ok(message);
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Ok(Message::Text(_))) => return Err(End::Misbehaved(CloseCode::Unsupported)),
            Some(Ok(Message::Close(frame))) => {
                return Err(End::Closed(frame.map_or(CloseCode::Normal, |frame| frame.code)));
            }
            Some(Err(error)) => return Err(end_of(&error)),
            None => return Err(End::Vanished),
        }
    }
}

/// What an error of the websocket means for the tunnel.
fn end_of(error: &Error) -> End {
    use tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
    match error {
        Error::Capacity(_) => End::Misbehaved(CloseCode::Size),
        // Only text messages and close reasons are read as UTF-8.
        Error::Utf8(_) => End::Misbehaved(CloseCode::Unsupported),
        Error::Protocol(ResetWithoutClosingHandshake) => End::Vanished,
        Error::Protocol(_) => End::Misbehaved(CloseCode::Protocol),
        _ => End::Vanished,
    }
}
