//! A connected client, as the authenticator sees it.

use core::time::Duration;

use hybridge_proto::{
    authenticator::{AuthenticatorConfig, AuthenticatorError, IncomingCall, ReplyError},
    frame::MAX_PLAINTEXT,
    handshake::Initiator,
    ids::{ClientNonce, LinkId, RoutingId, TunnelId},
    link::{ClientPayload, LinkingInfo},
    message::{Features, Message, MessageKind, PostHandshake, Update},
    qr::Hint,
};

use super::{HandLaptop, HandSession, PhoneDesk, phone_desk::config, seconds};
use crate::pair::sim::{Remembered, machine_rng};

fn connected() -> (PhoneDesk, hybridge_proto::channel::ChannelId, HandSession) {
    let (desk, channel, mut session, frames) = PhoneDesk::connected(config(), &HandLaptop::new());
    let [description] = <[Vec<u8>; 1]>::try_from(frames).expect("one frame");
    assert_eq!(PostHandshake::decode(&session.open_bytes(description)), Ok(config().description));
    (desk, channel, session)
}

fn failed(error: AuthenticatorError) -> [String; 2] {
    ["Close channel 1 1002".to_owned(), format!("Failed({error:?})")]
}

fn request() -> Message {
    Message::Ctap(vec![2, 0xa0])
}

fn reply(desk: &mut PhoneDesk, payload: &[u8]) -> Result<(), ReplyError> {
    let result = desk.machine.reply(desk.now(), payload);
    desk.settle();
    result
}

#[test]
fn requests_are_answered_one_after_the_other() {
    let (mut desk, channel, mut session) = connected();
    for answer in [&[0, 0xa0][..], &[0x2e]] {
        desk.receive(channel, session.seal(&request()));
        assert_eq!(desk.log(), ["CtapRequest([2, 160])"]);
        assert_eq!(reply(&mut desk, answer), Ok(()));
        assert_eq!(session.open(desk.sent().remove(0)), Message::Ctap(answer.to_vec()));
        desk.log();
    }
    desk.receive(channel, session.seal(&Message::Shutdown));
    assert_eq!(desk.log(), ["Close channel 1 1000", "Finished"]);
}

#[test]
fn a_second_request_while_serving_is_fatal() {
    let (mut desk, channel, mut session) = connected();
    desk.receive(channel, session.seal(&request()));
    desk.log();
    desk.receive(channel, session.seal(&request()));
    assert_eq!(desk.log(), failed(AuthenticatorError::Unexpected(MessageKind::Ctap)));
    assert_eq!(reply(&mut desk, &[0]), Err(ReplyError::NoRequest));
}

#[test]
fn a_request_of_a_kind_that_was_not_offered_is_fatal() {
    let (mut desk, channel, mut session) = connected();
    desk.receive(channel, session.seal(&Message::Json(b"{}".to_vec())));
    assert_eq!(desk.log(), failed(AuthenticatorError::Unexpected(MessageKind::Json)));
}

#[test]
fn json_is_answered_with_json() {
    let mut config = config();
    config.description.features = Features { ctap: true, digital_credentials: true };
    let (mut desk, channel, mut session, frames) = PhoneDesk::connected(config, &HandLaptop::new());
    session.open_bytes(frames[0].clone());
    desk.receive(channel, session.seal(&Message::Json(b"{}".to_vec())));
    assert_eq!(desk.log(), ["JsonRequest([123, 125])"]);
    assert_eq!(reply(&mut desk, b"[]"), Ok(()));
    assert_eq!(session.open(desk.sent().remove(0)), Message::Json(b"[]".to_vec()));
}

#[test]
fn replies_that_cannot_be_sent_change_nothing() {
    let (mut desk, channel, mut session) = connected();
    assert_eq!(reply(&mut desk, &[0]), Err(ReplyError::NoRequest));
    desk.receive(channel, session.seal(&request()));
    assert_eq!(reply(&mut desk, &[]), Err(ReplyError::Empty));
    assert!(matches!(reply(&mut desk, &vec![0; MAX_PLAINTEXT]), Err(ReplyError::TooLarge(_))));
    assert_eq!(reply(&mut desk, &[0]), Ok(()));
    assert_eq!(reply(&mut desk, &[0]), Err(ReplyError::NoRequest));
    assert_eq!(session.open(desk.sent().remove(0)), Message::Ctap(vec![0]));
}

#[test]
fn what_a_client_tells_in_updates_is_ignored() {
    let (mut desk, channel, mut session) = connected();
    desk.receive(channel, session.seal(&Message::Update(Update::default().encode())));
    desk.receive(channel, session.seal(&Message::Update(b"no map".to_vec())));
    assert!(desk.log().is_empty());
    desk.receive(channel, session.seal(&request()));
    assert_eq!(desk.log(), ["CtapRequest([2, 160])"]);
}

#[test]
fn malformed_messages_and_frames_are_fatal() {
    for plaintext in [&b""[..], &[1], &[9]] {
        let (mut desk, channel, mut session) = connected();
        desk.receive(channel, session.seal_bytes(plaintext));
        let log = desk.log();
        assert!(log[0] == "Close channel 1 1002" && log[1].starts_with("Failed(Message("), "{log:?}");
    }
    for frame in [Vec::new(), vec![0; 15], vec![0; 48]] {
        let (mut desk, channel, _) = connected();
        desk.receive(channel, frame);
        let log = desk.log();
        assert!(log[0] == "Close channel 1 1002" && log[1].starts_with("Failed(Frame("), "{log:?}");
    }
}

#[test]
fn a_frame_that_comes_twice_is_fatal() {
    let (mut desk, channel, mut session) = connected();
    let frame = session.seal(&Message::Update(Update::default().encode()));
    desk.receive(channel, frame.clone());
    assert!(desk.log().is_empty());
    desk.receive(channel, frame);
    assert_eq!(desk.log().pop().expect("an end"), "Failed(Frame(Authentication))");
}

#[test]
fn a_client_that_asks_for_nothing_is_given_up() {
    let (mut desk, _, _) = connected();
    desk.wait(seconds(120));
    assert_eq!(desk.log(), failed(AuthenticatorError::ClientSilent));
}

#[test]
fn a_client_that_was_served_and_stays_silent_has_finished() {
    let (mut desk, channel, mut session) = connected();
    desk.receive(channel, session.seal(&request()));
    desk.wait(seconds(10_000));
    reply(&mut desk, &[0]).expect("there is no limit on the person");
    desk.log();
    desk.wait(seconds(120));
    assert_eq!(desk.log(), ["Close channel 1 1000", "Finished"]);
}

#[test]
fn a_client_that_hangs_up() {
    let (mut desk, channel, _) = connected();
    desk.closed(channel);
    assert_eq!(desk.log(), ["Failed(ClientLeft)"]);

    let (mut desk, channel, mut session) = connected();
    desk.receive(channel, session.seal(&request()));
    desk.log();
    desk.closed(channel);
    assert_eq!(desk.log(), ["Failed(ClientLeft)"]);

    let (mut desk, channel, mut session) = connected();
    desk.receive(channel, session.seal(&request()));
    reply(&mut desk, &[0]).expect("a request waits");
    desk.log();
    desk.closed(channel);
    assert_eq!(desk.log(), ["Finished"]);
}

#[test]
fn ending_from_the_phone_closes() {
    let (mut desk, _, _) = connected();
    desk.shutdown();
    assert_eq!(desk.log(), ["Close channel 1 1000", "Finished"]);
}

fn linking() -> AuthenticatorConfig {
    let mut config = config();
    config.linking = Some(Remembered::of(1).offer());
    config
}

#[test]
fn a_client_that_can_remember_phones_gets_linking_information() {
    let mut laptop = HandLaptop::new();
    laptop.code.supports_linking = Some(true);
    let (_, _, mut session, frames) = PhoneDesk::connected(linking(), &laptop);
    session.open_bytes(frames[0].clone());
    assert_eq!(frames[1].len(), 528);
    let Message::Update(ref map) = session.open(frames[1].clone()) else { panic!("not an update") };
    let update = Update::decode(map).expect("a map");
    let info = LinkingInfo::verify(update.linking_info.expect("information"), laptop.key(), &session.hash);
    assert_eq!(info.expect("well signed").link, Remembered::of(1).info().link);
}

/// The size of the update does not tell whether there is something in it.
#[test]
fn without_linking_information_the_update_is_as_long() {
    let mut laptop = HandLaptop::new();
    laptop.code.supports_linking = Some(true);
    let (_, _, mut session, frames) = PhoneDesk::connected(config(), &laptop);
    session.open_bytes(frames[0].clone());
    assert_eq!(frames[1].len(), 528);
    let Message::Update(ref map) = session.open(frames[1].clone()) else { panic!("not an update") };
    assert_eq!(Update::decode(map).expect("a map").linking_info, None);
}

#[test]
fn a_client_that_cannot_remember_phones_gets_nothing() {
    for supports in [None, Some(false)] {
        let mut laptop = HandLaptop::new();
        laptop.code.supports_linking = supports;
        let (_, _, _, frames) = PhoneDesk::connected(linking(), &laptop);
        assert_eq!(frames.len(), 1);
    }
}

#[test]
fn a_call_needs_no_routing_id_and_gives_no_linking_information() {
    let remembered = Remembered::of(1);
    let nonce = ClientNonce::from_bytes([3; 16]);
    let payload = ClientPayload::new(LinkId::from_bytes([1; 8]), nonce, Hint::GetAssertion);
    let (tunnel, routing) = (TunnelId::from_bytes([5; 16]), RoutingId::from_bytes([6; 3]));
    let identity = remembered.identity.clone();
    let mut desk = PhoneDesk::called(
        linking(),
        IncomingCall::new(tunnel, routing, payload, remembered.secret(), identity),
    );
    let channel = desk.channel();
    desk.opened(channel, None);
    assert_eq!(desk.log(), ["Dial channel 1", "Advertise false", "Advertising"]);

    let advert = hybridge_proto::advert::Advert::from_service_data(&desk.adverts[0]).expect("20 bytes");
    let plaintext = hybridge_proto::advert::open(&remembered.secret().eid_key(&nonce), &advert);
    let psk = remembered.secret().psk(&plaintext.expect("an advert of this call"));
    let (initiator, message_1) =
        Initiator::linked(remembered.identity.public_key(), &psk, &mut *machine_rng(1, 1)).expect("set up");
    desk.receive(channel, message_1.to_vec());
    let sent = desk.sent();
    assert_eq!(sent.len(), 2, "message 2 and the description");
    assert!(initiator.finish(&sent[0]).is_ok());
}

#[test]
fn times_without_end_are_possible() {
    let mut config = config();
    config.timing.connect = Duration::MAX;
    config.timing.advertise = Duration::MAX;
    config.timing.idle = Duration::MAX;
    let (mut desk, _, _, _) = PhoneDesk::connected(config, &HandLaptop::new());
    desk.wait(seconds(1_000_000));
    assert!(desk.log().is_empty());
}
