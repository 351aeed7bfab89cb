//! Whoever is in range can connect to an authenticator that offers BLE. That is no reason to give up.

use hybridge_proto::{channel::ChannelId, message::Message, packets::Framing};

use super::{
    HandLaptop, HandSession, PhoneDesk,
    listening::{laptop, listens, scanned},
    seconds,
};

/// A desk on the air with a tunnel and BLE, and an empty log.
fn on_air() -> (PhoneDesk, HandLaptop, ChannelId) {
    let laptop = laptop(&[0, 1]);
    let mut desk = scanned(&laptop);
    let tunnel = desk.channel();
    listens(&mut desk, Some(0x82));
    desk.opened(tunnel, Some([1, 2, 3]));
    desk.log();
    (desk, laptop, tunnel)
}

fn connects(desk: &mut PhoneDesk) -> ChannelId {
    let channel = desk.machine.handle_l2cap_accepted().expect("somebody is expected");
    desk.settle();
    channel
}

/// The handshake over BLE.
fn shakes_hands(desk: &mut PhoneDesk, laptop: &HandLaptop, channel: ChannelId) -> HandSession {
    meets(desk, laptop, channel, |message| Framing::CrLf.wrap(message))
}

/// The handshake in the tunnel.
fn comes_back(desk: &mut PhoneDesk, laptop: &HandLaptop, channel: ChannelId) -> HandSession {
    meets(desk, laptop, channel, <[u8]>::to_vec)
}

fn meets(
    desk: &mut PhoneDesk,
    laptop: &HandLaptop,
    channel: ChannelId,
    ended: fn(&[u8]) -> Vec<u8>,
) -> HandSession {
    let (initiator, message_1) = laptop.start(&desk.adverts[0]);
    drop(desk.sent());
    desk.receive(channel, ended(&message_1));
    HandSession::new(initiator.finish(&desk.sent()[0]).expect("the phone"))
}

#[test]
fn garbage_ends_its_own_connection_only() {
    let (mut desk, laptop, _) = on_air();
    for garbage in [vec![4; 81], vec![0; 5_000], b"\r\n".repeat(50)] {
        let channel = connects(&mut desk);
        desk.receive(channel, garbage);
        assert_eq!(desk.log(), [format!("Close {channel} 1002")]);
    }
    let channel = connects(&mut desk);
    drop(shakes_hands(&mut desk, &laptop, channel));
    assert!(desk.log().contains(&"ClientConnected".to_owned()));
}

#[test]
fn after_eight_failures_the_tunnel_has_to_do() {
    let (mut desk, laptop, tunnel) = on_air();
    for _ in 0..8 {
        let channel = connects(&mut desk);
        desk.receive(channel, vec![4; 83]);
    }
    desk.log();
    assert_eq!(desk.machine.handle_l2cap_accepted(), None);
    let (_, message_1) = laptop.start(&desk.adverts[0]);
    desk.receive(tunnel, message_1);
    assert!(desk.log().contains(&"ClientConnected".to_owned()));
}

#[test]
fn after_eight_failures_without_a_tunnel_it_is_over() {
    let (mut desk, _, tunnel) = on_air();
    desk.closed(tunnel);
    for _ in 0..8 {
        let channel = connects(&mut desk);
        desk.receive(channel, vec![4; 81]);
    }
    let log = desk.log();
    let [.., stop, failed] = log.as_slice() else { panic!("{log:?}") };
    assert_eq!(stop, "StopAdvertising");
    assert!(failed.starts_with("Failed(Handshake("), "{failed}");
}

#[test]
fn those_who_connect_and_fall_silent_make_room() {
    let (mut desk, laptop, _) = on_air();
    let silent: Vec<ChannelId> = (0..4).map(|_| connects(&mut desk)).collect();
    assert!(desk.log().is_empty());
    let fifth = connects(&mut desk);
    assert_eq!(desk.log(), [format!("Close {} 1001", silent[0])]);
    drop(shakes_hands(&mut desk, &laptop, fifth));
    let log = desk.log();
    for channel in &silent[1..] {
        assert!(log.contains(&format!("Close {channel} 1001")), "{log:?}");
    }
}

/// A wrong message 1 in the tunnel comes from somebody who knows the code, or from the tunnel service.
#[test]
fn garbage_in_the_tunnel_ends_the_session() {
    let (mut desk, _, tunnel) = on_air();
    let device = connects(&mut desk);
    desk.receive(tunnel, vec![4; 81]);
    let log = desk.log();
    assert!(log.contains(&format!("Close {device} 1001")), "{log:?}");
    assert!(log.last().expect("the end").starts_with("Failed(Handshake("), "{log:?}");
}

/// A desk with a client over BLE that has said nothing yet.
fn connected() -> (PhoneDesk, HandLaptop, ChannelId, ChannelId, HandSession) {
    let (mut desk, laptop, tunnel) = on_air();
    let device = connects(&mut desk);
    let session = shakes_hands(&mut desk, &laptop, device);
    desk.log();
    (desk, laptop, tunnel, device, session)
}

fn is_served(desk: &mut PhoneDesk, channel: ChannelId, session: &mut HandSession) {
    desk.receive(channel, session.seal(&Message::Ctap(vec![4])));
    assert_eq!(desk.machine.reply(desk.now(), &[0, 0xa0]), Ok(()));
    desk.settle();
}

#[test]
fn a_client_that_lost_ble_comes_back_through_the_tunnel() {
    let (mut desk, laptop, tunnel, device, _) = connected();
    desk.closed(device);
    assert!(desk.log().is_empty());
    let mut session = comes_back(&mut desk, &laptop, tunnel);
    let log = desk.log();
    assert!(log.contains(&"ClientConnected".to_owned()) && !log.contains(&"StopAdvertising".to_owned()));
    is_served(&mut desk, tunnel, &mut session);
}

/// The phone may not have noticed yet that BLE is gone.
#[test]
fn a_client_that_gave_ble_up_takes_the_tunnel() {
    let (mut desk, laptop, tunnel, device, _) = connected();
    let mut session = comes_back(&mut desk, &laptop, tunnel);
    assert_eq!(desk.log()[..2], [format!("Close {device} 1001"), format!("Send {tunnel}")]);
    is_served(&mut desk, tunnel, &mut session);
}

#[test]
fn frames_that_never_open_leave_the_tunnel() {
    let (mut desk, laptop, tunnel, device, _) = connected();
    desk.receive(device, b"sixteen bytes and\r\n".repeat(100));
    assert_eq!(desk.log(), [format!("Close {device} 1002")]);
    let mut session = comes_back(&mut desk, &laptop, tunnel);
    is_served(&mut desk, tunnel, &mut session);
}

#[test]
fn garbage_in_the_tunnel_does_not_disturb_a_client_over_ble() {
    let (mut desk, _, tunnel, device, mut session) = connected();
    desk.receive(tunnel, vec![4; 81]);
    assert_eq!(desk.log(), [format!("Close {tunnel} 1002")]);
    is_served(&mut desk, device, &mut session);
}

#[test]
fn a_client_that_has_spoken_has_no_other_chance() {
    let (mut desk, _, tunnel, device, mut session) = connected();
    desk.receive(device, session.seal(&Message::Ctap(vec![4])));
    assert!(desk.log().contains(&format!("Close {tunnel} 1001")));
    desk.closed(device);
    assert_eq!(desk.log(), ["Failed(ClientLeft)"]);
}

#[test]
fn a_client_that_does_not_come_back_is_waited_for_as_long_as_any() {
    let (mut desk, _, tunnel, device, _) = connected();
    desk.closed(device);
    desk.wait(seconds(120));
    assert_eq!(desk.log(), [format!("Close {tunnel} 1001"), "Failed(NobodyCame)".to_owned()]);
}

#[test]
fn without_its_tunnel_a_lost_client_is_lost() {
    let (mut desk, _, tunnel, device, _) = connected();
    desk.closed(tunnel);
    desk.closed(device);
    assert_eq!(desk.log(), ["Failed(ClientLeft)"]);
}

/// Two clients with different forms may be connected at once; each is answered in its own.
#[test]
fn a_client_is_answered_in_its_form() {
    for framing in [Framing::CrLf, Framing::Length] {
        let (mut desk, laptop, _) = on_air();
        let other = connects(&mut desk);
        let begun: &[u8] = if framing == Framing::CrLf { &[0, 0, 0] } else { &[4; 80] };
        desk.receive(other, begun.to_vec());
        let device = connects(&mut desk);
        desk.framing = framing;
        let (initiator, message_1) = laptop.start(&desk.adverts[0]);
        for packet in framing.wrap(&message_1).chunks(30) {
            desk.receive(device, packet.to_vec());
        }
        let sent = desk.sent();
        let mut session = HandSession::new(initiator.finish(&sent[0]).expect("the phone"));
        session.open_bytes(sent[1].clone());
        let request = session.seal(&Message::Ctap(vec![4]));
        framing.wrap(&request).chunks(7).for_each(|packet| desk.receive(device, packet.to_vec()));
        assert_eq!(desk.machine.reply(desk.now(), &[0, 0xa0]), Ok(()));
        desk.settle();
        let reply = session.open(desk.sent().remove(0));
        assert_eq!(reply, Message::Ctap(vec![0, 0xa0]));
    }
}
