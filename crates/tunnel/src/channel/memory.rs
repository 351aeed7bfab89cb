//! A channel within one process, with the ending rules of a websocket.

use std::sync::{Arc, OnceLock};

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};

use super::{ChannelReceiver, ChannelSender, CloseCode, DataChannel};
use crate::error::ChannelError;

/// What travels. Only messages of a sender hold room; a close frame always fits.
enum Item {
    Message(Vec<u8>, Option<OwnedSemaphorePermit>),
    Close(CloseCode),
}

/// One end of a channel, held by both of its halves so that it lives as long as either.
pub(crate) struct End {
    outgoing: mpsc::UnboundedSender<Item>,
    outgoing_room: Arc<Semaphore>,
    incoming: Mutex<mpsc::UnboundedReceiver<Item>>,
    /// The code of the close frame that came in.
    closed: OnceLock<CloseCode>,
}

pub(super) struct Sender(Arc<End>);
pub(super) struct Receiver(Arc<End>);

/// Two connected ends.
pub(crate) fn pair(capacity: usize) -> (End, End) {
    let (to_b, from_a) = mpsc::unbounded_channel();
    let (to_a, from_b) = mpsc::unbounded_channel();
    (End::new(capacity, to_b, from_b), End::new(capacity, to_a, from_a))
}

impl End {
    fn new(
        capacity: usize,
        outgoing: mpsc::UnboundedSender<Item>,
        incoming: mpsc::UnboundedReceiver<Item>,
    ) -> Self {
        let outgoing_room = Arc::new(Semaphore::new(capacity.clamp(1, Semaphore::MAX_PERMITS)));
        Self { outgoing, outgoing_room, incoming: Mutex::new(incoming), closed: OnceLock::new() }
    }

    pub(crate) fn into_channel(self) -> DataChannel {
        Arc::new(self).share()
    }

    /// A channel on this end, which lives on in the caller's other references to it.
    pub(crate) fn share(self: Arc<Self>) -> DataChannel {
        DataChannel {
            sender: ChannelSender(super::Sender::Memory(Sender(Arc::clone(&self)))),
            receiver: ChannelReceiver(super::Receiver::Memory(Receiver(self))),
        }
    }

    /// Whether the other end is gone.
    pub(crate) fn peer_is_gone(&self) -> bool {
        self.outgoing.is_closed()
    }

    /// Sends a message past the capacity.
    pub(crate) fn inject(&self, message: Vec<u8>) {
        let _ = self.outgoing.send(Item::Message(message, None));
    }

    fn over(&self) -> ChannelError {
        self.closed.get().map_or(ChannelError::Vanished, |code| ChannelError::Closed { code: *code })
    }
}

impl Sender {
    pub(super) async fn send(&self, message: &[u8]) -> Result<(), ChannelError> {
        if self.0.closed.get().is_some() {
            return Err(self.0.over());
        }
        let room = Arc::clone(&self.0.outgoing_room).acquire_owned().await.map_err(|_| self.0.over())?;
        self.0.outgoing.send(Item::Message(message.to_vec(), Some(room))).map_err(|_| self.0.over())
    }

    pub(super) fn close(self, code: CloseCode) {
        let _ = self.0.outgoing.send(Item::Close(code));
    }
}

impl Receiver {
    pub(super) async fn receive(&self) -> Result<Vec<u8>, ChannelError> {
        if self.0.closed.get().is_some() {
            return Err(self.0.over());
        }
        match self.0.incoming.lock().await.recv().await {
            Some(Item::Message(message, _room)) => Ok(message),
            Some(Item::Close(code)) => {
                let _ = self.0.closed.set(code);
                // The answer of RFC 6455 section 5.5.1; a peer that closed first is done when it comes.
                let _ = self.0.outgoing.send(Item::Close(code));
                // Wakes a sender that waits for room.
                self.0.outgoing_room.close();
                Err(self.0.over())
            }
            None => Err(self.0.over()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages_arrive_in_order_and_room_is_limited() {
        let (mut a, mut b) = DataChannel::pair(2);
        a.send(b"one").await.unwrap();
        a.send(b"two").await.unwrap();
        assert!(timeout(Duration::from_secs(1), a.send(b"lost")).await.is_err());
        assert_eq!(b.receive().await.unwrap(), b"one");
        a.send(b"three").await.unwrap();
        assert_eq!(b.receive().await.unwrap(), b"two");
        assert_eq!(b.receive().await.unwrap(), b"three");
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_frame_comes_last_and_is_answered() {
        let (a, mut b) = DataChannel::pair(1);
        let (mut sender, mut receiver) = a.split();
        sender.send(b"last").await.unwrap();
        sender.close(CloseCode::POLICY).await;
        b.send(b"crossing").await.unwrap();
        assert_eq!(b.receive().await.unwrap(), b"last");
        for _ in 0..2 {
            assert!(matches!(b.receive().await, Err(ChannelError::Closed { code: CloseCode::POLICY })));
        }
        assert!(matches!(b.send(b"late").await, Err(ChannelError::Closed { code: CloseCode::POLICY })));
        assert_eq!(receiver.receive().await.unwrap(), b"crossing");
        assert!(matches!(receiver.receive().await, Err(ChannelError::Closed { code: CloseCode::POLICY })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_vanishes_when_both_of_its_halves_are_dropped() {
        let (a, mut b) = DataChannel::pair(1);
        let (mut sender, receiver) = a.split();
        sender.send(b"last").await.unwrap();
        drop(sender);
        b.send(b"unread").await.unwrap();
        assert_eq!(b.receive().await.unwrap(), b"last");
        assert!(timeout(Duration::from_secs(1), b.receive()).await.is_err());
        let (mut sender, mut receiving) = b.split();
        let blocked = tokio::spawn(async move { sender.send(b"blocked").await });
        tokio::task::yield_now().await;
        drop(receiver);
        assert!(matches!(receiving.receive().await, Err(ChannelError::Vanished)));
        assert!(matches!(blocked.await.unwrap(), Err(ChannelError::Vanished)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_frame_ends_a_wait_for_room() {
        let (a, b) = DataChannel::pair(1);
        let (closing, _unread) = a.split();
        let (mut sender, mut receiver) = b.split();
        sender.send(b"unread").await.unwrap();
        let blocked = tokio::spawn(async move { sender.send(b"blocked").await });
        tokio::task::yield_now().await;
        closing.close(CloseCode::NORMAL).await;
        assert!(matches!(receiver.receive().await, Err(ChannelError::Closed { code: CloseCode::NORMAL })));
        let sent = timeout(Duration::from_secs(1), blocked).await.unwrap().unwrap();
        assert!(matches!(sent, Err(ChannelError::Closed { code: CloseCode::NORMAL })));
    }

    #[tokio::test]
    async fn a_large_message_is_refused_and_the_channel_stays_good() {
        let (mut a, mut b) = DataChannel::pair(1);
        let large = vec![1; (1 << 20) + 1];
        assert!(matches!(a.send(&large).await, Err(ChannelError::MessageTooLarge)));
        a.send(large.get(1..).unwrap()).await.unwrap();
        assert_eq!(b.receive().await.unwrap().len(), 1 << 20);
    }

    #[tokio::test(start_paused = true)]
    async fn receiving_can_be_cancelled() {
        let (mut a, mut b) = DataChannel::pair(1);
        assert!(timeout(Duration::from_secs(1), b.receive()).await.is_err());
        a.send(b"kept").await.unwrap();
        assert_eq!(b.receive().await.unwrap(), b"kept");
    }
}
