//! A channel over an L2CAP connection (CTAP 2.3 section 11.5).

use std::sync::Arc;

use hybridge_ble::{RadioError, l2cap::DynL2capSocket};

use super::{ChannelReceiver, ChannelSender, DataChannel};
use crate::error::ChannelError;

pub(super) struct Sender {
    socket: Arc<dyn DynL2capSocket>,
    /// A message was begun and not sent to its end.
    cut_off: bool,
}

pub(super) struct Receiver(Arc<dyn DynL2capSocket>);

pub(super) fn open(socket: Box<dyn DynL2capSocket>) -> DataChannel {
    let socket: Arc<dyn DynL2capSocket> = socket.into();
    let sender = Sender { socket: Arc::clone(&socket), cut_off: false };
    DataChannel {
        sender: ChannelSender(super::Sender::L2cap(sender)),
        receiver: ChannelReceiver(super::Receiver::L2cap(Receiver(socket))),
    }
}

impl Sender {
    /// Sends a message, with the mark of its end in it already, in one packet if it fits.
    pub(super) async fn send(&mut self, message: &[u8]) -> Result<(), ChannelError> {
        if self.cut_off {
            return Err(ChannelError::Vanished);
        }
        self.cut_off = true;
        for packet in message.chunks(self.socket.send_mtu_dyn().max(1)) {
            self.socket.send_dyn(packet).await.map_err(ending)?;
        }
        self.cut_off = false;
        Ok(())
    }
}

impl Receiver {
    /// The next packet, as it came.
    pub(super) async fn receive(&self) -> Result<Vec<u8>, ChannelError> {
        self.0.receive_dyn().await.map_err(ending)
    }
}

fn ending(error: RadioError) -> ChannelError {
    match error {
        RadioError::Disconnected => ChannelError::Vanished,
        other => ChannelError::Radio(other),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hybridge_ble::{
        Advertisement, Advertiser, Scan, Scanner, ServiceUuid,
        l2cap::{L2capConnector, L2capListener, L2capListening},
        sim::{Adapter, Air, AirOptions, SimDevice},
    };
    use tokio::time::timeout;

    use super::*;

    /// Two ends of a connection, and the device at the second one.
    async fn ends(mtu: usize) -> (DataChannel, DataChannel, SimDevice) {
        let mut options = AirOptions::default();
        options.mtu = mtu;
        let air = Air::with_options(1, &options);
        let (laptop, phone) = (air.device("laptop"), air.device("phone"));
        let mut listening = phone.listen().await.unwrap();
        let advert = Advertisement::new(ServiceUuid::Fido, [1; 20]).connectable();
        let _advert = phone.advertise(advert).await.unwrap();
        let device = laptop.scan().await.unwrap().next().await.unwrap().device;
        let near = laptop.connect(device, listening.psm()).await.unwrap();
        let far = listening.accept().await.unwrap();
        (DataChannel::l2cap(Box::new(near)), DataChannel::l2cap(Box::new(far)), phone)
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_leaves_as_it_is_in_one_packet_if_it_fits() {
        let message: Vec<u8> = (0..83).collect();
        for (mtu, lengths) in [(83, vec![83]), (82, vec![82, 1]), (40, vec![40, 40, 3]), (672, vec![83])] {
            let (mut near, mut far, _) = ends(mtu).await;
            near.send(&message).await.unwrap();
            let mut received = Vec::new();
            for length in lengths {
                let packet = far.receive().await.unwrap();
                assert_eq!(packet.len(), length, "packets of {mtu} bytes");
                received.extend(packet);
            }
            assert_eq!(received, message);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_was_cut_off_is_the_last() {
        let (mut near, mut far, _) = ends(23).await;
        let sending = timeout(Duration::from_secs(1), near.send(&[7; 1_000]));
        assert!(sending.await.is_err(), "nobody reads");
        while timeout(Duration::from_secs(1), far.receive()).await.is_ok() {}
        assert!(matches!(near.send(b"more").await, Err(ChannelError::Vanished)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_channel_ends_when_both_halves_are_dropped() {
        let (near, mut far, _) = ends(672).await;
        let (mut sender, receiver) = near.split();
        sender.send(b"last").await.unwrap();
        sender.close(crate::CloseCode::NORMAL).await;
        assert_eq!(far.receive().await.unwrap(), b"last");
        assert!(timeout(Duration::from_secs(1), far.receive()).await.is_err());
        drop(receiver);
        assert!(matches!(far.receive().await, Err(ChannelError::Vanished)));
        assert!(matches!(far.send(b"who?").await, Err(ChannelError::Vanished)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_radio_that_fails_says_why() {
        let (_near, mut far, phone) = ends(672).await;
        phone.set_adapter(Adapter::PoweredOff);
        assert!(matches!(far.receive().await, Err(ChannelError::Radio(RadioError::PoweredOff))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_message_is_refused_and_the_channel_stays_good() {
        let (mut near, mut far, _) = ends(672).await;
        let large = vec![1; (1 << 20) + 1];
        assert!(matches!(near.send(&large).await, Err(ChannelError::MessageTooLarge)));
        near.send(b"small").await.unwrap();
        assert_eq!(far.receive().await.unwrap(), b"small");
    }
}
