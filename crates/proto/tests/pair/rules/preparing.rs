//! The authenticator up to message 1: whom it can answer, how it reaches its tunnel, and what ends the wait.

use hybridge_proto::{
    authenticator::{AuthenticatorConfig, AuthenticatorError, StartError},
    channel::DialFailure,
    domain::DomainId,
    handshake::HandshakeError,
    qr::Channels,
};

use super::{HandLaptop, PhoneDesk, phone_desk::config, seconds};

fn at(domain: u16) -> AuthenticatorConfig {
    AuthenticatorConfig::new(DomainId::new(domain), [0xa0])
}

fn scanned() -> (PhoneDesk, HandLaptop) {
    let laptop = HandLaptop::new();
    let mut desk = PhoneDesk::scan(config(), &laptop.code).expect("everything fits");
    assert_eq!(desk.log(), ["Dial channel 1"]);
    (desk, laptop)
}

#[test]
fn tunnel_services_that_the_client_does_not_know_are_refused() {
    let mut laptop = HandLaptop::new();
    for (known, domain, refused) in [
        (Some(2), 1, None),
        (Some(1), 1, Some(StartError::UnknownToClient(DomainId::APPLE))),
        (None, 0, Some(StartError::UnknownToClient(DomainId::GOOGLE))),
        (None, 300, None),
        (Some(2), 2, Some(StartError::UnknownToClient(DomainId::new(2)))),
        (Some(9), 2, Some(StartError::Unassigned(DomainId::new(2)))),
    ] {
        laptop.code.known_domains = known;
        assert_eq!(PhoneDesk::scan(at(domain), &laptop.code).err(), refused);
    }
}

#[test]
fn a_data_channel_in_common_is_needed() {
    let mut laptop = HandLaptop::new();
    for (channels, fits) in [(&[0][..], true), (&[0, 1], true), (&[1], false), (&[], false), (&[7], false)] {
        laptop.code.channels = Some(Channels::from_numbers(channels));
        let refused = PhoneDesk::scan(config(), &laptop.code).err();
        assert_eq!(refused, (!fits).then_some(StartError::NoCommonChannel));
    }
}

#[test]
fn it_advertises_once_the_tunnel_is_open() {
    let (mut desk, laptop) = scanned();
    desk.wait(seconds(9));
    assert!(desk.log().is_empty());
    let channel = desk.channel();
    desk.opened(channel, Some([1, 2, 3]));
    assert_eq!(desk.log(), ["Advertise false", "Advertising"]);
    desk.opened(channel, Some([1, 2, 3]));
    assert!(desk.log().is_empty());
    laptop.start(&desk.adverts[0]);
}

#[test]
fn a_tunnel_without_routing_id_is_none() {
    let (mut desk, _) = scanned();
    desk.opened(desk.channel(), None);
    assert_eq!(desk.log(), ["Close channel 1 1001", "Failed(Dial(NotATunnelService))"]);
}

#[test]
fn a_passing_dial_failure_is_retried_once() {
    let (mut desk, _) = scanned();
    desk.failed(desk.channel(), DialFailure::Refused(500));
    assert_eq!(desk.log(), ["Dial channel 2"]);
    desk.failed(desk.channel(), DialFailure::Unreachable);
    assert_eq!(desk.log(), ["Failed(Dial(Unreachable))"]);
}

#[test]
fn a_refusal_is_not_retried() {
    for failure in [DialFailure::Refused(409), DialFailure::Refused(404), DialFailure::NotATunnelService] {
        let (mut desk, _) = scanned();
        desk.failed(desk.channel(), failure);
        assert_eq!(desk.log(), [format!("Failed(Dial({failure:?}))")]);
    }
}

#[test]
fn a_dial_has_two_times_ten_seconds() {
    let (mut desk, _) = scanned();
    let first = desk.channel();
    desk.wait(seconds(20));
    assert_eq!(
        desk.log(),
        ["Close channel 1 1001", "Dial channel 2", "Close channel 2 1001", "Failed(DialTimeout)"]
    );
    desk.opened(first, Some([1, 2, 3]));
    assert!(desk.log().is_empty());
}

#[test]
fn it_advertises_for_two_minutes() {
    let laptop = HandLaptop::new();
    let (mut desk, _) = PhoneDesk::advertising(config(), &laptop);
    desk.wait(seconds(119));
    assert!(desk.log().is_empty());
    desk.wait(seconds(1));
    assert_eq!(desk.log(), ["StopAdvertising", "Close channel 1 1001", "Failed(NobodyCame)"]);
}

#[test]
fn a_lost_tunnel_is_the_end() {
    let laptop = HandLaptop::new();
    let (mut desk, channel) = PhoneDesk::advertising(config(), &laptop);
    desk.closed(channel);
    assert_eq!(desk.log(), ["StopAdvertising", "Failed(TunnelLost)"]);
}

#[test]
fn one_handshake_for_each_advert() {
    let laptop = HandLaptop::new();
    let (mut desk, channel) = PhoneDesk::advertising(config(), &laptop);
    let (_, good) = laptop.start(&desk.adverts[0]);
    let mut bad = good.clone();
    bad[80] ^= 1;
    desk.receive(channel, bad);
    let error = AuthenticatorError::Handshake(HandshakeError::Authentication);
    let failed = format!("Failed({error:?})");
    assert_eq!(desk.log(), ["Close channel 1 1002", "StopAdvertising", failed.as_str()]);
    desk.receive(channel, good);
    assert!(desk.log().is_empty());
    assert!(desk.machine.is_closed() && desk.sent().is_empty());
}

/// A relayed code without the advert: the PSK is a guess.
#[test]
fn a_client_that_has_not_heard_the_advert_is_refused() {
    let laptop = HandLaptop::new();
    let (first, _) = PhoneDesk::advertising(config(), &laptop);
    let mut config = config();
    config.domain = DomainId::new(300);
    let (mut desk, channel) = PhoneDesk::advertising(config, &laptop);
    let (_, message_1) = laptop.start(&first.adverts[0]);
    desk.receive(channel, message_1);
    assert_eq!(desk.log().pop().expect("an end"), "Failed(Handshake(Authentication))");
    assert!(desk.sent().is_empty());
}

#[test]
fn messages_of_any_length_end_in_an_error() {
    for length in [0, 1, 80, 82, 100_000] {
        let laptop = HandLaptop::new();
        let (mut desk, channel) = PhoneDesk::advertising(config(), &laptop);
        desk.receive(channel, vec![4; length]);
        assert_eq!(desk.log().pop().expect("an end"), format!("Failed(Handshake(Length({length})))"));
    }
}

#[test]
fn ending_puts_everything_away() {
    let (mut desk, _) = scanned();
    desk.shutdown();
    assert_eq!(desk.log(), ["Close channel 1 1001", "Finished"]);

    let laptop = HandLaptop::new();
    let (mut desk, _) = PhoneDesk::advertising(config(), &laptop);
    desk.shutdown();
    desk.shutdown();
    assert_eq!(desk.log(), ["StopAdvertising", "Close channel 1 1001", "Finished"]);
}
