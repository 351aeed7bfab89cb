//! Calls of remembered phones, as the client makes them.

use hybridge_proto::{
    channel::{ChannelId, DialFailure, Route},
    client::AttemptError,
    domain::DomainId,
    link::ClientPayload,
    message::{Message, Update},
    service::{CLIENT_PAYLOAD_HEADER, ServicePath},
};

use super::{ClientDesk, HandPhone, client_desk::config, seconds};
use crate::pair::sim::Remembered;

/// A desk that calls a phone, with an empty log.
fn calling() -> (ClientDesk, ChannelId) {
    let mut desk = ClientDesk::without_code(config());
    assert!(desk.call(Remembered::of(0).link()).is_some());
    assert_eq!(desk.log(), ["StartScan", "Dial channel 2"]);
    let channel = desk.channel();
    (desk, channel)
}

/// What the latest call says.
fn payload(desk: &ClientDesk) -> ClientPayload {
    let Some((_, Route::Tunnel(request))) = desk.dials.last() else { panic!("not a tunnel") };
    assert!(matches!(request.path, ServicePath::Contact { .. }));
    let header = request.headers.iter().find(|header| header.0 == CLIENT_PAYLOAD_HEADER);
    ClientPayload::from_header(&header.expect("a payload").1).expect("well-formed")
}

/// The phone that the latest call rings.
fn phone(desk: &ClientDesk) -> HandPhone {
    HandPhone::called(&Remembered::of(0), &payload(desk), 1)
}

fn ends_connected(mut desk: ClientDesk, channel: ChannelId, phone: &HandPhone) {
    let (message_2, mut session) = phone.respond(&desk.sent());
    desk.receive(channel, message_2);
    desk.receive(channel, session.describe());
    assert_eq!(desk.log().pop().expect("an event"), "Connected by call");
}

const NEARBY: &str = "PhoneNearby by call";
const HANDSHAKING: &str = "Handshaking by call";

#[test]
fn the_advert_may_come_after_the_tunnel_is_open() {
    let (mut desk, channel) = calling();
    desk.opened(channel);
    desk.wait(seconds(60));
    assert!(desk.log().is_empty());
    let phone = phone(&desk);
    desk.hear(&phone.advert());
    assert_eq!(desk.log(), ["Send channel 2", NEARBY, HANDSHAKING]);
    ends_connected(desk, channel, &phone);
}

#[test]
fn the_advert_may_come_before_the_tunnel_is_open() {
    let (mut desk, channel) = calling();
    let phone = phone(&desk);
    desk.hear(&phone.advert());
    assert_eq!(desk.log(), [NEARBY]);
    desk.opened(channel);
    assert_eq!(desk.log(), ["Send channel 2", HANDSHAKING]);
    ends_connected(desk, channel, &phone);
}

#[test]
fn the_signal_may_come_before_the_advert() {
    let (mut desk, channel) = calling();
    desk.opened_with(channel, true);
    desk.receive(channel, vec![0]);
    assert_eq!(desk.log(), ["PhoneJoined"]);
    let phone = phone(&desk);
    desk.hear(&phone.advert());
    ends_connected(desk, channel, &phone);
}

#[test]
fn the_signal_may_come_after_message_1() {
    let (mut desk, channel) = calling();
    desk.opened_with(channel, true);
    let phone = phone(&desk);
    desk.hear(&phone.advert());
    desk.log();
    desk.receive(channel, vec![0]);
    assert_eq!(desk.log(), ["PhoneJoined"]);
    ends_connected(desk, channel, &phone);
}

#[test]
fn anything_else_in_the_signals_place_is_an_error() {
    for message in [Vec::new(), vec![1], vec![0, 0], vec![4; 81]] {
        let (mut desk, channel) = calling();
        desk.opened_with(channel, true);
        desk.hear(&phone(&desk).advert());
        desk.log();
        desk.receive(channel, message);
        let failed = "AttemptFailed by call, channel 2: Signal";
        assert_eq!(desk.log(), ["Close channel 2 1002", "StopScan", failed, "Failed(Attempt(Signal))"]);
    }
}

#[test]
fn a_signal_that_was_not_agreed_on_is_an_error() {
    let (mut desk, channel) = calling();
    desk.opened(channel);
    desk.receive(channel, vec![0]);
    assert_eq!(desk.log().pop().expect("an end"), "Failed(Attempt(Signal))");
}

#[test]
fn a_phone_that_is_gone_is_to_be_forgotten() {
    let (mut desk, channel) = calling();
    desk.failed(channel, DialFailure::Gone);
    let failed = "AttemptFailed by call, channel 2: Dial(Gone)";
    let log = desk.log();
    assert_eq!(log, ["StopScan", "LinkGone", failed, "Failed(Attempt(Dial(Gone)))"]);
}

#[test]
fn no_other_failure_makes_a_phone_forgotten() {
    for failure in [DialFailure::Refused(404), DialFailure::Refused(503), DialFailure::Unreachable] {
        let (mut desk, _) = calling();
        desk.failed(desk.channel(), failure);
        desk.failed(desk.channel(), failure);
        let log = desk.log();
        assert!(!log.iter().any(|entry| entry.starts_with("LinkGone")), "{log:?}");
        assert!(log.last().expect("an end").starts_with("Failed("), "{log:?}");
    }
}

#[test]
fn a_second_try_is_another_call() {
    let (mut desk, first) = calling();
    let (early, old) = (phone(&desk), payload(&desk));
    desk.hear(&early.advert());
    desk.failed(first, DialFailure::Unreachable);
    let fresh = payload(&desk);
    assert!(fresh.nonce != old.nonce && fresh.link == old.link);
    // The phone answers the second call with another advert, which is the one that counts.
    desk.hear(&early.advert());
    let channel = desk.channel();
    desk.opened(channel);
    let phone = phone(&desk);
    desk.hear(&phone.advert());
    ends_connected(desk, channel, &phone);
}

#[test]
fn a_called_phone_has_two_minutes() {
    let (mut desk, channel) = calling();
    desk.wait(seconds(5));
    desk.opened(channel);
    desk.wait(seconds(119));
    assert!(desk.log().is_empty());
    desk.wait(seconds(1));
    assert_eq!(
        desk.log().pop().expect("an end"),
        format!("Failed(Attempt({:?}))", AttemptError::CallTimeout)
    );
}

#[test]
fn the_domain_in_a_called_phones_advert_says_nothing() {
    let (mut desk, channel) = calling();
    desk.opened(channel);
    // `HandPhone::called` names a tunnel service that nobody knows.
    let phone = phone(&desk);
    desk.hear(&phone.advert());
    ends_connected(desk, channel, &phone);
}

#[test]
fn another_phone_with_the_link_secret_is_refused() {
    let (mut desk, channel) = calling();
    desk.opened(channel);
    let mut thief = Remembered::of(0);
    thief.identity = Remembered::of(1).identity;
    let thief = HandPhone::called(&thief, &payload(&desk), 1);
    desk.hear(&thief.advert());
    desk.log();
    // It cannot open message 1 without the identity key, and anything it makes up fails.
    let mut made_up = desk.sent();
    made_up[80] ^= 1;
    desk.receive(channel, made_up);
    assert_eq!(desk.log().pop().expect("an end"), "Failed(Attempt(Handshake(Authentication)))");
}

/// There is no code that the linking information could be signed for.
#[test]
fn a_called_phone_cannot_give_another_link() {
    let mut config = config();
    config.accept_linking = true;
    let mut desk = ClientDesk::without_code(config);
    desk.call(Remembered::of(0).link());
    let channel = desk.channel();
    desk.opened(channel);
    let phone = phone(&desk);
    desk.hear(&phone.advert());
    let (message_2, mut session) = phone.respond(&desk.sent());
    desk.receive(channel, message_2);
    desk.receive(channel, session.describe());
    desk.log();
    let remembered = Remembered::of(1);
    let key = remembered.identity.public_key();
    let info = remembered.info().encode(&remembered.identity, key, &session.hash);
    desk.receive(channel, session.seal(&Message::Update(Update { linking_info: Some(&info) }.encode())));
    desk.receive(channel, session.seal(&Message::Update(b"no map".to_vec())));
    assert!(desk.log().is_empty());
    desk.shutdown();
    assert_eq!(desk.log().pop().expect("an end"), "Finished", "there is nothing to wait for");
}

#[test]
fn a_code_and_a_call_live_in_one_search() {
    let mut desk = ClientDesk::new(config());
    assert!(desk.call(Remembered::of(0).link()).is_some());
    let call = desk.channel();
    desk.log();
    desk.failed(call, DialFailure::Gone);
    assert_eq!(desk.log()[0], "LinkGone");
    assert!(!desk.machine.is_closed(), "the code is still there");
    desk.shake_hands(&HandPhone::scan(&desk.code(), 1));
    assert!(desk.log().contains(&"StopScan".to_owned()));
    assert_eq!(desk.call(Remembered::of(0).link()), None, "a phone is found");
}

#[test]
fn a_link_to_an_unassigned_tunnel_service_cannot_be_called() {
    let mut desk = ClientDesk::new(config());
    let mut link = Remembered::of(0).link();
    link.domain = DomainId::new(9);
    let now = desk.now();
    assert!(desk.machine.call(now, link).is_err());
    desk.log();
    desk.settle();
    assert!(desk.log().is_empty());
}
