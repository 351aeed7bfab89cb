//! A channel over a client's websocket.

use std::{
    future::poll_fn,
    io,
    sync::{Arc, OnceLock},
    task::Poll,
};

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hybridge_proto::service::MAX_MESSAGE;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Bytes, Error, Message,
        error::ProtocolError,
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};

use super::{ChannelReceiver, ChannelSender, CloseCode, DataChannel};
use crate::{connect::BoxStream, error::ChannelError};

/// Bytes of the read buffer. Protocol messages are near 100 bytes; longer ones grow it.
const READ_BUFFER: usize = 4 * 1024;

pub(super) struct Sender {
    sink: SplitSink<WebSocketStream<BoxStream>, Message>,
    closed: Arc<OnceLock<CloseCode>>,
}

pub(super) struct Receiver {
    stream: SplitStream<WebSocketStream<BoxStream>>,
    closed: Arc<OnceLock<CloseCode>>,
    over: bool,
}

/// A channel on a connection after its upgrade. `early` is what the service sent right behind its answer.
pub(crate) async fn open(io: BoxStream, early: Vec<u8>) -> DataChannel {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let websocket = WebSocketStream::from_partially_read(io, early, Role::Client, Some(config)).await;
    let (sink, stream) = websocket.split();
    let closed = Arc::<OnceLock<CloseCode>>::default();
    let receiver = Receiver { stream, closed: Arc::clone(&closed), over: false };
    DataChannel {
        sender: ChannelSender(super::Sender::WebSocket(Sender { sink, closed })),
        receiver: ChannelReceiver(super::Receiver::WebSocket(receiver)),
    }
}

impl Sender {
    pub(super) async fn send(&mut self, message: &[u8]) -> Result<(), ChannelError> {
        let message = Message::Binary(Bytes::copy_from_slice(message));
        self.sink.send(message).await.map_err(|error| ending(error, &self.closed))
    }

    pub(super) async fn close(mut self, code: CloseCode) {
        let frame = CloseFrame { code: code.get().into(), reason: "".into() };
        let frame = Some(frame).filter(|_| code != CloseCode::NO_STATUS);
        let _ = self.sink.send(Message::Close(frame)).await;
    }
}

impl Receiver {
    pub(super) async fn receive(&mut self) -> Result<Vec<u8>, ChannelError> {
        if self.over {
            return Err(over(&self.closed));
        }
        let result = self.next().await;
        self.over = result.is_err();
        result
    }

    async fn next(&mut self) -> Result<Vec<u8>, ChannelError> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Binary(message))) => return Ok(message.into()),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Text(_))) => return Err(ChannelError::TextMessage),
                Some(Ok(Message::Close(frame))) => {
                    let code =
                        frame.map_or(CloseCode::NO_STATUS, |frame| CloseCode::received(frame.code.into()));
                    let _ = self.closed.set(code);
                    self.answer_close().await;
                    return Err(ChannelError::Closed { code });
                }
                Some(Err(error)) => return Err(ending(error, &self.closed)),
                None => return Err(over(&self.closed)),
            }
        }
    }

    /// Sends the answer to a close frame, which is queued and leaves with the next look at the websocket.
    async fn answer_close(&mut self) {
        poll_fn(|context| {
            let _ = self.stream.poll_next_unpin(context);
            Poll::Ready(())
        })
        .await;
    }
}

fn over(closed: &OnceLock<CloseCode>) -> ChannelError {
    closed.get().map_or(ChannelError::Vanished, |code| ChannelError::Closed { code: *code })
}

/// What an error of the websocket means for the channel.
fn ending(error: Error, closed: &OnceLock<CloseCode>) -> ChannelError {
    match error {
        Error::Capacity(_) => ChannelError::MessageTooLarge,
        // Close reasons are read as UTF-8 too, but none that deployed services send is anything else.
        Error::Utf8(_) => ChannelError::TextMessage,
        Error::Io(error) if is_a_break(error.kind()) => over(closed),
        Error::Io(error) => ChannelError::Io(error),
        Error::ConnectionClosed | Error::AlreadyClosed => over(closed),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => {
            over(closed)
        }
        _ => ChannelError::Malformed,
    }
}

/// Whether the connection broke, as opposed to some fault on this side.
fn is_a_break(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::TimedOut
    )
}
