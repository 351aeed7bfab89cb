//! One end of a tunnel.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    error::Error,
    tls::Stream,
    wire::{Frame, Kind, Message, Wire, frame},
};

/// How much is read at once.
const PIECE: usize = 16 * 1024;

/// A connection that messages are sent and received on. It holds no memory until it is first read from.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) io: Stream,
    wire: Wire,
    /// Read and not looked at yet.
    inbox: Vec<u8>,
    /// The message that is being received, or was last.
    message: Vec<u8>,
}

/// What came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    Message,
    /// A close frame, with its code; the floor's is the end of the stream.
    Close(Option<u16>),
}

impl End {
    /// Takes over a connection that messages can be sent on. `inbox` was read from it before.
    pub(crate) const fn new(io: Stream, wire: Wire, inbox: Vec<u8>) -> Self {
        Self { io, wire, inbox, message: Vec::new() }
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.io.write_all(bytes).await.map_err(Error::Connection)?;
        self.io.flush().await.map_err(Error::Connection)
    }

    /// Receives one message and checks that it is `expected`.
    pub(crate) async fn expect(&mut self, expected: &Message) -> Result<(), Error> {
        match self.receive().await? {
            Received::Message if self.message == expected.payload => Ok(()),
            Received::Message => Err(Error::Corrupted),
            Received::Close(code) => Err(Error::Closed(code.unwrap_or(1005))),
        }
    }

    /// The message that was received last.
    pub(crate) fn message(&self) -> &[u8] {
        &self.message
    }

    /// Waits for a message or the closing, and answers pings on the way.
    pub(crate) async fn receive(&mut self) -> Result<Received, Error> {
        self.message.clear();
        loop {
            while let Some(frame) = Frame::find(self.wire, &self.inbox)? {
                if let Some(received) = self.take(frame).await? {
                    return Ok(received);
                }
            }
            self.inbox.reserve(PIECE);
            match self.io.read_buf(&mut self.inbox).await.map_err(Error::Connection)? {
                0 if self.wire == Wire::Raw && self.inbox.is_empty() => return Ok(Received::Close(None)),
                0 => return Err(Error::Ended),
                _ => {}
            }
        }
    }

    /// Takes a frame off the inbox.
    async fn take(&mut self, found: Frame) -> Result<Option<Received>, Error> {
        let end = found.payload.end;
        let payload = self.inbox.get(found.payload).unwrap_or_default();
        let received = match found.kind {
            Kind::Data { last } => {
                self.message.extend_from_slice(payload);
                last.then_some(Received::Message)
            }
            Kind::Close => {
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                Some(Received::Close(code))
            }
            Kind::Ping => {
                let pong = frame(0x8a, payload);
                self.send(&pong).await?;
                None
            }
            Kind::Pong => None,
        };
        self.inbox.drain(..end);
        Ok(received)
    }

    /// Begins the closing.
    pub(crate) async fn close(&mut self) -> Result<(), Error> {
        match self.wire {
            Wire::Websocket => self.send(&frame(0x88, &1000_u16.to_be_bytes())).await,
            Wire::Raw => self.io.shutdown().await.map_err(Error::Connection),
        }
    }

    /// Waits until the other side has closed too, and the connection is over.
    pub(crate) async fn closed(mut self) -> Result<(), Error> {
        while self.receive().await? == Received::Message {}
        self.over().await
    }

    /// Answers the closing of the other side, and waits until the connection is over.
    pub(crate) async fn answer_close(mut self) -> Result<(), Error> {
        while self.receive().await? == Received::Message {}
        self.close().await?;
        self.over().await
    }

    async fn over(mut self) -> Result<(), Error> {
        let mut rest = [0; 64];
        while self.wire == Wire::Websocket && self.io.read(&mut rest).await.map_err(Error::Connection)? > 0 {}
        Ok(())
    }
}
