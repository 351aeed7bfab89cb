//! Packets that the kernel holds for a connection, up to the last one.
//!
//! When the other side ends a connection, the kernel tells that as an error before anything else, even if packets came
//! in before: the error comes first and the packets behind it. It is told once, to whoever asks next, which may be
//! somebody who sends.

use std::io;

use crate::RadioError;

/// The kernel's end of a connection.
pub(super) trait Channel {
    /// Waits for a packet, or for the end of the connection: then it gives an error once, or no bytes. To be called on
    /// a connection that has ended only if there [is a packet](Self::has_packet).
    async fn take(&self, packet: &mut [u8]) -> io::Result<usize>;

    /// Whether a packet waits to be taken. An empty one need not count.
    fn has_packet(&self) -> bool;

    /// Whether there still is somebody at the other end.
    fn is_connected(&self) -> bool;
}

/// The next packet of at most so many bytes. The end of the connection comes after all of them.
pub(super) async fn next_packet(channel: &impl Channel, size: usize) -> Result<Vec<u8>, RadioError> {
    if is_over(channel) {
        return Err(RadioError::Disconnected);
    }
    let mut packet = vec![0; size];
    let taken = match channel.take(&mut packet).await {
        // The error is told now, and what came in before it can be taken.
        Err(_) if channel.has_packet() => channel.take(&mut packet).await,
        taken => taken,
    };
    let length = taken.map_err(super::l2cap::over)?;
    // The kernel gives no bytes for an empty packet and for the end; only at the end there is no peer any more.
    if length == 0 && is_over(channel) {
        return Err(RadioError::Disconnected);
    }
    packet.truncate(length);
    Ok(packet)
}

fn is_over(channel: &impl Channel) -> bool {
    !channel.is_connected() && !channel.has_packet()
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd, OwnedFd};

    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::ioctl_fionread,
        net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair},
    };
    use tokio::net::UnixDatagram;

    use super::*;

    const SIZE: usize = 64;

    /// A socket that keeps packets apart, as those of L2CAP do, and is reset when its peer leaves without having read
    /// everything.
    struct Local(UnixDatagram);

    impl Channel for Local {
        async fn take(&self, packet: &mut [u8]) -> io::Result<usize> {
            self.0.recv(packet).await
        }

        fn has_packet(&self) -> bool {
            ioctl_fionread(&self.0).is_ok_and(|length| length > 0)
        }

        fn is_connected(&self) -> bool {
            let mut polled = [PollFd::new(&self.0, PollFlags::RDHUP)];
            poll(&mut polled, Some(&Default::default())).unwrap();
            !polled[0].revents().intersects(PollFlags::HUP | PollFlags::RDHUP)
        }
    }

    fn pair() -> (Local, OwnedFd) {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        (Local(UnixDatagram::from_std(near.into()).unwrap()), far)
    }

    fn put(socket: impl AsFd, packet: &[u8]) {
        assert_eq!(send(socket, packet, SendFlags::empty()).unwrap(), packet.len());
    }

    async fn ends(near: &Local) {
        for _ in 0..3 {
            assert!(matches!(next_packet(near, SIZE).await, Err(RadioError::Disconnected)));
        }
    }

    /// The peer says its last words and leaves without reading ours, which resets the connection.
    #[tokio::test]
    async fn packets_come_before_a_reset() {
        let (near, far) = pair();
        put(&near.0, b"unread");
        put(&far, b"last");
        put(&far, b"words");
        drop(far);
        assert_eq!(next_packet(&near, SIZE).await.unwrap(), b"last");
        assert_eq!(next_packet(&near, SIZE).await.unwrap(), b"words");
        ends(&near).await;
    }

    /// The error was told to somebody who sent.
    #[tokio::test]
    async fn packets_come_after_a_send_that_failed() {
        let (near, far) = pair();
        put(&near.0, b"unread");
        put(&far, b"last");
        drop(far);
        assert!(send(&near.0, b"too late", SendFlags::NOSIGNAL).is_err());
        assert_eq!(next_packet(&near, SIZE).await.unwrap(), b"last");
        ends(&near).await;
    }

    #[tokio::test]
    async fn packets_come_before_a_plain_end() {
        let (near, far) = pair();
        put(&far, b"last");
        drop(far);
        assert_eq!(next_packet(&near, SIZE).await.unwrap(), b"last");
        ends(&near).await;
    }

    #[tokio::test]
    async fn an_empty_packet_is_no_end() {
        let (near, far) = pair();
        put(&far, b"");
        assert_eq!(next_packet(&near, SIZE).await.unwrap(), b"");
        put(&far, b"");
        put(&far, b"behind");
        drop(far);
        assert_eq!(next_packet(&near, SIZE).await.unwrap(), b"");
        assert_eq!(next_packet(&near, SIZE).await.unwrap(), b"behind");
        ends(&near).await;
    }

    #[tokio::test]
    async fn a_reset_while_waiting_is_the_end() {
        let (near, far) = pair();
        put(&near.0, b"unread");
        let leaves = async {
            tokio::task::yield_now().await;
            drop(far);
        };
        let (received, ()) = tokio::join!(next_packet(&near, SIZE), leaves);
        assert!(matches!(received, Err(RadioError::Disconnected)));
        ends(&near).await;
    }
}
