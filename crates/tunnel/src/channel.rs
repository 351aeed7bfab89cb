//! Data channels: ordered messages both ways, whatever carries them.

use std::fmt;

use hybridge_ble::l2cap::DynL2capSocket;
pub use hybridge_proto::channel::CloseCode;

use crate::error::ChannelError;

mod l2cap;
mod memory;
mod websocket;

pub(crate) use memory::{End, pair};
pub(crate) use websocket::open;

/// A two-way channel for messages of at most 1 MiB, in order and without loss until it ends (CTAP 2.2 section
/// 11.5.1). What is sent is not encrypted by the channel itself.
///
/// The channel lives until both halves are dropped, which closes the connection without a close frame; the peer
/// then sees [`ChannelError::Vanished`] or, behind a tunnel service, a close with code 1001. Say goodbye with
/// [`ChannelSender::close`].
///
/// Over L2CAP it carries packets: what is sent leaves as it is, in as few packets as possible, and what is received is
/// one packet as it came. Marking the ends of messages, and finding them, is for
/// [`Framing`](hybridge_proto::packets::Framing) and [`PacketReader`](hybridge_proto::packets::PacketReader), and so for
/// the two machines. There are no close frames either: a channel that is closed is dropped.
#[derive(Debug)]
pub struct DataChannel {
    sender: ChannelSender,
    receiver: ChannelReceiver,
}

/// The sending half of a [`DataChannel`].
pub struct ChannelSender(Sender);

/// The receiving half of a [`DataChannel`].
pub struct ChannelReceiver(Receiver);

enum Sender {
    L2cap(l2cap::Sender),
    WebSocket(websocket::Sender),
    Memory(memory::Sender),
}

enum Receiver {
    L2cap(l2cap::Receiver),
    WebSocket(websocket::Receiver),
    Memory(memory::Receiver),
}

impl DataChannel {
    /// Two ends of a channel within this process. Each direction holds `capacity` messages, at least one, that
    /// the peer has not received yet; sending more waits.
    pub fn pair(capacity: usize) -> (Self, Self) {
        let (a, b) = pair(capacity);
        (a.into_channel(), b.into_channel())
    }

    /// A channel over a Bluetooth connection.
    pub fn l2cap(socket: Box<dyn DynL2capSocket>) -> Self {
        l2cap::open(socket)
    }

    pub(crate) const fn is_l2cap(&self) -> bool {
        matches!(self.sender.0, Sender::L2cap(_))
    }

    /// The two halves, for use by different tasks.
    pub fn split(self) -> (ChannelSender, ChannelReceiver) {
        (self.sender, self.receiver)
    }

    /// Sends a message; see [`ChannelSender::send`].
    ///
    /// # Errors
    /// See [`ChannelSender::send`].
    pub async fn send(&mut self, message: &[u8]) -> Result<(), ChannelError> {
        self.sender.send(message).await
    }

    /// Receives a message; see [`ChannelReceiver::receive`].
    ///
    /// # Errors
    /// See [`ChannelReceiver::receive`].
    pub async fn receive(&mut self) -> Result<Vec<u8>, ChannelError> {
        self.receiver.receive().await
    }
}

impl ChannelSender {
    /// Sends one message and waits until the connection has taken it, which is not yet until the peer has it.
    ///
    /// # Errors
    /// [`ChannelError::MessageTooLarge`] above 1 MiB, after which the channel is still good; any other when the
    /// channel is over. `Closed` is reported only once the receiving half has seen the close frame.
    ///
    /// # Cancel safety
    /// When the future is dropped, the message was sent, or leaves with the next one, or is not sent at all;
    /// never in part, and never twice. A channel over L2CAP is over if a part had left.
    pub async fn send(&mut self, message: &[u8]) -> Result<(), ChannelError> {
        if message.len() > hybridge_proto::service::MAX_MESSAGE {
            return Err(ChannelError::MessageTooLarge);
        }
        match &mut self.0 {
            Sender::L2cap(sender) => sender.send(message).await,
            Sender::WebSocket(sender) => sender.send(message).await,
            Sender::Memory(sender) => sender.send(message).await,
        }
    }

    /// Sends a close frame with this code, behind all messages sent before. The receiving half may still bring
    /// messages, and then [`ChannelError::Closed`] once the peer has answered. A channel that is over already
    /// stays as it is.
    ///
    /// # Cancel safety
    /// When the future is dropped, the close frame was sent or not.
    pub async fn close(self, code: CloseCode) {
        match self.0 {
            // It ends when the other half is dropped too.
            Sender::L2cap(_) => {}
            Sender::WebSocket(sender) => sender.close(code).await,
            Sender::Memory(sender) => sender.close(code),
        }
    }
}

impl ChannelReceiver {
    /// Waits for the next message, or over L2CAP for the next packet.
    ///
    /// Keep calling it while the channel is in use, also when no message is expected: the peer's pings are
    /// answered within.
    ///
    /// # Errors
    /// How the channel ended. Messages that the peer sent before are delivered first. Later calls say `Closed`
    /// again if the channel was closed, else [`ChannelError::Vanished`].
    ///
    /// # Cancel safety
    /// When the future is dropped, no message is lost.
    pub async fn receive(&mut self) -> Result<Vec<u8>, ChannelError> {
        match &mut self.0 {
            Receiver::L2cap(receiver) => receiver.receive().await,
            Receiver::WebSocket(receiver) => receiver.receive().await,
            Receiver::Memory(receiver) => receiver.receive().await,
        }
    }
}

impl fmt::Debug for ChannelSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Sender::L2cap(_) => "ChannelSender(L2CAP)",
            Sender::WebSocket(_) => "ChannelSender(websocket)",
            Sender::Memory(_) => "ChannelSender(memory)",
        })
    }
}

impl fmt::Debug for ChannelReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Receiver::L2cap(_) => "ChannelReceiver(L2CAP)",
            Receiver::WebSocket(_) => "ChannelReceiver(websocket)",
            Receiver::Memory(_) => "ChannelReceiver(memory)",
        })
    }
}
