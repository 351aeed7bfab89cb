//! The BLE data channel, as the authenticator offers it.

use hybridge_proto::{
    advert::Psm, authenticator::AuthenticatorConfig, channel::DialFailure, message::Message, qr::Channels,
};

use super::{HandLaptop, HandSession, PhoneDesk, phone_desk, seconds};

pub(super) fn config() -> AuthenticatorConfig {
    let mut config = phone_desk::config();
    config.l2cap = true;
    config
}

pub(super) fn laptop(channels: &[u64]) -> HandLaptop {
    let mut laptop = HandLaptop::new();
    laptop.code.channels = Some(Channels::from_numbers(channels));
    laptop
}

pub(super) fn scanned(laptop: &HandLaptop) -> PhoneDesk {
    PhoneDesk::scan(config(), &laptop.code).expect("everything fits")
}

pub(super) fn listens(desk: &mut PhoneDesk, psm: Option<u16>) {
    let now = desk.now();
    match psm {
        Some(psm) => desk.machine.handle_l2cap_listening(now, Psm(psm)),
        None => desk.machine.handle_l2cap_unavailable(now),
    }
    desk.settle();
}

#[test]
fn the_offer_is_made_to_clients_that_ask_for_it() {
    let laptop = laptop(&[0, 1]);
    let mut desk = scanned(&laptop);
    assert_eq!(desk.log(), ["ListenL2cap", "Dial channel 1"]);
    desk.opened(desk.channel(), Some([1, 2, 3]));
    assert!(desk.log().is_empty(), "the advert needs the number");
    listens(&mut desk, Some(0x82));
    assert_eq!(desk.log(), ["Advertise true", "Advertising"]);
    assert_eq!(desk.adverts[0][20..], [0xa1, 1, 0x18, 0x82]);

    let mut desk = scanned(&HandLaptop::new());
    assert_eq!(desk.log(), ["Dial channel 1"]);
}

#[test]
fn a_client_may_come_either_way() {
    for over_ble in [true, false] {
        let laptop = laptop(&[0, 1]);
        let mut desk = scanned(&laptop);
        let tunnel = desk.channel();
        listens(&mut desk, Some(0x82));
        desk.opened(tunnel, Some([1, 2, 3]));
        let ble = desk.machine.handle_l2cap_accepted().expect("a client is expected");
        desk.log();
        let (initiator, message_1) = laptop.start(&desk.adverts[0]);
        let (used, other) = if over_ble { (ble, tunnel) } else { (tunnel, ble) };
        desk.receive(used, message_1);
        let mut log = desk.log();
        assert_eq!(log.remove(0), "StopAdvertising");
        // The client may still fall back to the tunnel, and not to BLE.
        let closes_other = format!("Close {other} 1001");
        assert_eq!(log.contains(&closes_other), !over_ble);
        let mut session = HandSession::new(initiator.finish(&desk.sent()[0]).expect("the phone"));
        assert_eq!(desk.machine.handle_l2cap_accepted(), None, "nobody else is expected");
        desk.receive(used, session.seal(&Message::Ctap(vec![4])));
        assert_eq!(desk.log().contains(&closes_other), over_ble);
        assert_eq!(desk.machine.reply(desk.now(), &[0, 0xa0]), Ok(()));
    }
}

#[test]
fn without_ble_the_tunnel_has_to_do() {
    let laptop = laptop(&[0, 1]);
    let mut desk = scanned(&laptop);
    listens(&mut desk, None);
    desk.opened(desk.channel(), Some([1, 2, 3]));
    assert_eq!(desk.log()[2..], ["Advertise false", "Advertising"]);
    assert_eq!(desk.adverts[0].len(), 20);
    assert_eq!(desk.machine.handle_l2cap_accepted(), None);
}

#[test]
fn ble_alone_works_without_a_tunnel() {
    let laptop = laptop(&[1]);
    let mut desk = scanned(&laptop);
    assert_eq!(desk.log(), ["ListenL2cap"]);
    listens(&mut desk, Some(0x82));
    assert_eq!(desk.log(), ["Advertise true", "Advertising"]);

    let mut desk = scanned(&laptop);
    desk.log();
    listens(&mut desk, None);
    assert_eq!(desk.log(), ["Failed(Dial(L2cap))"]);
}

/// The phone's system may never say whether it listens.
#[test]
fn listening_has_a_time_limit() {
    let with_tunnel = laptop(&[0, 1]);
    let mut desk = scanned(&with_tunnel);
    desk.opened(desk.channel(), Some([1, 2, 3]));
    desk.log();
    desk.wait(seconds(10));
    assert_eq!(desk.log(), ["StopAdvertising", "Advertise false", "Advertising"]);

    let mut desk = scanned(&laptop(&[1]));
    desk.log();
    desk.wait(seconds(10));
    assert_eq!(desk.log(), ["StopAdvertising", "Failed(Dial(L2cap))"]);
}

#[test]
fn listening_stops_when_nothing_comes_of_it() {
    let laptop = laptop(&[0, 1]);
    let mut desk = scanned(&laptop);
    desk.log();
    desk.shutdown();
    assert_eq!(desk.log(), ["StopAdvertising", "Close channel 1 1001", "Finished"]);
}

/// Where there is no network, BLE may do. The routing ID is drawn: a client that takes the tunnel all the same finds
/// nothing there.
#[test]
fn without_the_tunnel_ble_has_to_do() {
    let laptop = laptop(&[0, 1]);
    for listens_first in [true, false] {
        let mut desk = scanned(&laptop);
        let failures: [&dyn Fn(&mut PhoneDesk); 3] = [
            &|desk| desk.failed(desk.channel(), DialFailure::Refused(404)),
            &|desk| desk.opened(desk.channel(), None),
            &|desk| (0..2).for_each(|_| desk.failed(desk.channel(), DialFailure::Unreachable)),
        ];
        for fails in failures {
            desk = scanned(&laptop);
            if listens_first {
                listens(&mut desk, Some(0x82));
                fails(&mut desk);
            } else {
                fails(&mut desk);
                listens(&mut desk, Some(0x82));
            }
            let log = desk.log();
            let [.., advertise, reason, advertising] = log.as_slice() else { panic!("{log:?}") };
            assert_eq!([advertise, advertising], ["Advertise true", "Advertising"]);
            assert!(reason.starts_with("TunnelUnavailable(Dial("), "{reason}");
            assert_eq!(desk.adverts[0][20..], [0xa1, 1, 0x18, 0x82]);
        }
        let ble = desk.machine.handle_l2cap_accepted().expect("a client is expected");
        let (_, message_1) = laptop.start(&desk.adverts[0]);
        desk.receive(ble, message_1);
        assert!(desk.log().contains(&"ClientConnected".to_owned()));
    }
}

#[test]
fn without_either_the_tunnels_failure_counts() {
    let laptop = laptop(&[0, 1]);
    for listens_first in [true, false] {
        let mut desk = scanned(&laptop);
        if listens_first {
            listens(&mut desk, None);
        }
        desk.failed(desk.channel(), DialFailure::Refused(404));
        if !listens_first {
            listens(&mut desk, None);
        }
        assert_eq!(desk.log().pop().expect("the end"), "Failed(Dial(Refused(404)))");
    }
    let mut desk = scanned(&laptop);
    desk.failed(desk.channel(), DialFailure::Refused(404));
    desk.log();
    desk.wait(seconds(10));
    assert_eq!(desk.log(), ["StopAdvertising", "Failed(Dial(Refused(404)))"]);
}

#[test]
fn a_radio_that_stops_listening_leaves_the_tunnel_if_there_is_one() {
    let laptop = laptop(&[0, 1]);
    for with_tunnel in [true, false] {
        let mut desk = scanned(&laptop);
        let tunnel = desk.channel();
        listens(&mut desk, Some(0x82));
        if with_tunnel {
            desk.opened(tunnel, Some([1, 2, 3]));
        } else {
            desk.failed(tunnel, DialFailure::Refused(404));
        }
        desk.log();
        listens(&mut desk, None);
        assert_eq!(desk.machine.handle_l2cap_accepted(), None);
        if with_tunnel {
            assert!(desk.log().is_empty());
        } else {
            assert_eq!(desk.log(), ["StopAdvertising", "Failed(Dial(L2cap))"]);
        }
    }
}

#[test]
fn a_lost_tunnel_leaves_ble() {
    let laptop = laptop(&[0, 1]);
    let mut desk = scanned(&laptop);
    let tunnel = desk.channel();
    listens(&mut desk, Some(0x82));
    desk.opened(tunnel, Some([1, 2, 3]));
    desk.log();
    desk.closed(tunnel);
    assert!(desk.log().is_empty());
    let ble = desk.machine.handle_l2cap_accepted().expect("a client is expected");
    desk.closed(ble);
    assert!(desk.log().is_empty(), "another may come");
    let ble = desk.machine.handle_l2cap_accepted().expect("a client is expected");
    let (_, message_1) = laptop.start(&desk.adverts[0]);
    desk.receive(ble, message_1);
    assert!(desk.log().contains(&"ClientConnected".to_owned()));
}
