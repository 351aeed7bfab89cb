//! What a channel has brought and nobody has read yet, and how messages leave on it: the same for both kinds of channel.

use crate::{
    frame::{FrameError, Opener},
    handshake::HandshakeError,
    packets::{Framing, PacketReader},
};

pub(crate) enum Inbox {
    /// A tunnel brings one message at a time, whole.
    Tunnel(Option<Vec<u8>>),
    /// A BLE channel brings packets.
    L2cap {
        packets: PacketReader,
        /// How messages leave, unless in the peer's form.
        own: Option<Framing>,
    },
}

impl Inbox {
    pub(crate) const fn tunnel() -> Self {
        Self::Tunnel(None)
    }

    /// For whoever speaks first, in this form.
    pub(crate) fn l2cap(own: Framing) -> Self {
        Self::L2cap { packets: PacketReader::new(), own: Some(own) }
    }

    /// For whoever answers, in the peer's form.
    pub(crate) fn answering_l2cap() -> Self {
        Self::L2cap { packets: PacketReader::new(), own: None }
    }

    /// A message as it leaves.
    pub(crate) fn outgoing(&self, message: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Tunnel(_) => message,
            Self::L2cap { packets, own } => own.or(packets.framing()).unwrap_or_default().wrap(&message),
        }
    }

    /// Takes what came in. It is read at once, as far as it can be.
    pub(crate) fn push(&mut self, bytes: Vec<u8>) {
        match self {
            Self::Tunnel(message) => *message = Some(bytes),
            Self::L2cap { packets, .. } => packets.push(&bytes),
        }
    }

    /// The next message before the frames.
    pub(crate) fn message(&mut self) -> Result<Option<Vec<u8>>, HandshakeError> {
        match self {
            Self::Tunnel(message) => Ok(message.take()),
            Self::L2cap { packets, .. } => Ok(packets.handshake_message()?.map(Vec::from)),
        }
    }

    /// The next frame, opened.
    pub(crate) fn frame(&mut self, opener: &mut Opener) -> Result<Option<Vec<u8>>, FrameError> {
        match self {
            Self::Tunnel(message) => message.take().map(|frame| opener.open(frame)).transpose(),
            Self::L2cap { packets, .. } => packets.open_frame(opener),
        }
    }

    pub(crate) const fn is_l2cap(&self) -> bool {
        matches!(self, Self::L2cap { .. })
    }
}
