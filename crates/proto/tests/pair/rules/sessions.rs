//! A connected phone, as the client sees it: the description, what the phone may say, and the end.

use hybridge_proto::{
    frame::{MAX_COUNTER, Opener, Sealer, TrafficKey},
    message::{Features, Message, PostHandshake, Update},
    service::MAX_MESSAGE,
};

use super::{ClientDesk, HandPhone, client_desk::config, hand::GET_INFO, seconds};

const NOTHING: [&str; 0] = [];

/// Lets a phone describe itself with this plaintext and gives what the client makes of it.
fn described(plaintext: &[u8]) -> Vec<String> {
    let mut desk = ClientDesk::new(config());
    let phone = HandPhone::scan(&desk.code(), 1);
    let (channel, mut session) = desk.shake_hands(&phone);
    desk.log();
    desk.receive(channel, session.seal_bytes(plaintext));
    desk.log()
}

#[test]
fn malformed_descriptions_are_fatal() {
    for plaintext in [&b""[..], &[0x00], &[0xa1, 1], &[0xa1, 1, 1], &[0xa0], &[0x80]] {
        let log = described(plaintext);
        assert_eq!(log[0], "Close channel 1 1002", "{plaintext:x?}");
        assert!(log[1].starts_with("Failed(PostHandshake("), "{log:?}");
    }
}

#[test]
fn a_phone_without_a_required_feature_is_of_no_use() {
    let mut only_documents = PostHandshake::ctap(GET_INFO);
    only_documents.get_info = None;
    only_documents.features = Features { ctap: false, digital_credentials: true };
    assert_eq!(described(&only_documents.encode()), ["Close channel 1 1001", "Failed(Unsupported)"]);
}

#[test]
fn a_phone_that_leaves_before_it_describes_itself() {
    let mut desk = ClientDesk::new(config());
    let phone = HandPhone::scan(&desk.code(), 1);
    let (channel, _) = desk.shake_hands(&phone);
    desk.log();
    desk.closed(channel);
    assert_eq!(desk.log(), ["Failed(PhoneLeft)"]);
}

/// An old phone pads its description, and uses no type bytes and no shutdown message afterwards.
#[test]
fn an_untyped_phone_works() {
    let mut desk = ClientDesk::new(config());
    let phone = HandPhone::scan(&desk.code(), 1);
    let (channel, mut session) = desk.shake_hands(&phone);
    let mut padded = PostHandshake::ctap(GET_INFO).encode();
    let zeros = u16::try_from(510 - padded.len()).expect("short");
    padded.resize(510, 0);
    padded.extend_from_slice(&zeros.to_le_bytes());
    desk.receive(channel, session.seal_bytes(&padded));
    desk.log();

    for request in [&[2, 0xa0][..], &[1]] {
        assert_eq!(desk.request(request), Ok(()));
        assert_eq!(session.open_bytes(desk.sent()), request);
        desk.receive(channel, session.seal_bytes(&[0, 0xa0]));
    }
    desk.shutdown();
    let reply = "CtapReply([0, 160])";
    assert_eq!(
        desk.log(),
        ["Send channel 1", reply, "Send channel 1", reply, "Close channel 1 1000", "Finished"]
    );
}

#[test]
fn an_untyped_phone_that_says_nothing_at_length_zero() {
    let mut desk = ClientDesk::new(config());
    let phone = HandPhone::scan(&desk.code(), 1);
    let (channel, mut session) = desk.shake_hands(&phone);
    let mut padded = PostHandshake::ctap(GET_INFO).encode();
    let zeros = u8::try_from(255 - padded.len()).expect("short");
    padded.resize(255, 0);
    padded.push(zeros);
    desk.receive(channel, session.seal_bytes(&padded));
    assert_eq!(desk.request(&[1]), Ok(()));
    desk.log();
    desk.receive(channel, session.seal_bytes(b""));
    assert_eq!(desk.log(), ["Close channel 1 1002", "Failed(Message(EmptyCtap))"]);
}

#[test]
fn an_unsolicited_reply_is_fatal() {
    for message in [Message::Ctap(vec![0]), Message::Json(b"{}".to_vec())] {
        let (mut desk, channel, mut session) = ClientDesk::connected(config());
        desk.receive(channel, session.seal(&message));
        let failed = format!("Failed(Unsolicited({:?}))", message.kind());
        assert_eq!(desk.log(), ["Close channel 1 1002", failed.as_str()]);
    }
}

#[test]
fn a_reply_of_another_kind_is_fatal() {
    let (mut desk, channel, mut session) = ClientDesk::connected(config());
    desk.request(&[2]).expect("sent");
    desk.log();
    desk.receive(channel, session.seal(&Message::Json(b"{}".to_vec())));
    assert_eq!(desk.log(), ["Close channel 1 1002", "Failed(Unsolicited(Json))"]);
}

#[test]
fn a_second_reply_is_fatal() {
    let (mut desk, channel, mut session) = ClientDesk::connected(config());
    desk.request(&[2]).expect("sent");
    desk.receive(channel, session.seal(&Message::Ctap(vec![0])));
    desk.log();
    desk.receive(channel, session.seal(&Message::Ctap(vec![0])));
    assert_eq!(desk.log(), ["Close channel 1 1002", "Failed(Unsolicited(Ctap))"]);
}

#[test]
fn a_reply_after_the_callers_time_is_not_given_out() {
    let (mut desk, channel, mut session) = ClientDesk::connected(config());
    desk.request(&[2]).expect("sent");
    let request = desk.sent();
    desk.log();
    desk.wait(seconds(60));
    assert_eq!(desk.log(), ["Send channel 1", "Close channel 1 1001", "Failed(ReplyTimeout)"]);
    session.open(request);
    assert_eq!(session.open(desk.sent()), Message::Shutdown, "the phone is told");
    desk.receive(channel, session.seal(&Message::Ctap(vec![0])));
    assert_eq!(desk.log(), NOTHING);
}

#[test]
fn malformed_messages_are_fatal() {
    for (plaintext, error) in
        [(&b""[..], "Empty"), (&[1], "EmptyCtap"), (&[4, 0], "UnknownType(4)"), (&[255], "UnknownType(255)")]
    {
        let (mut desk, channel, mut session) = ClientDesk::connected(config());
        desk.receive(channel, session.seal_bytes(plaintext));
        let failed = format!("Failed(Message({error}))");
        assert_eq!(desk.log(), ["Close channel 1 1002", failed.as_str()]);
    }
}

#[test]
fn broken_frames_are_fatal() {
    let oversize = vec![0; MAX_MESSAGE + 1];
    for (frame, error) in [
        (Vec::new(), "TooShort(0)".to_owned()),
        (vec![0; 15], "TooShort(15)".to_owned()),
        (vec![0; 48], "Authentication".to_owned()),
        (oversize, format!("TooLarge({})", MAX_MESSAGE + 1)),
    ] {
        let (mut desk, channel, _) = ClientDesk::connected(config());
        desk.receive(channel, frame);
        let failed = format!("Failed(Frame({error}))");
        assert_eq!(desk.log(), ["Close channel 1 1002", failed.as_str()]);
    }
}

/// No session can come near it, so this looks at the frames alone.
#[test]
fn the_last_counter_ends_a_direction() {
    let key = TrafficKey::from_bytes(&[9; 32]);
    let mut sealer = Sealer::dangerous_starting_at(&key, MAX_COUNTER);
    let mut opener = Opener::dangerous_starting_at(&key, MAX_COUNTER);
    let last = sealer.seal(&Message::Ctap(vec![0]).encode()).expect("the last frame");
    assert!(opener.open(last.clone()).is_ok());
    assert!(opener.open(last).is_err(), "the counter does not wrap");
    assert!(sealer.seal(b"one too many").is_err());
}

#[test]
fn updates_that_are_no_maps_are_dropped() {
    let mut config = config();
    config.accept_linking = true;
    let (mut desk, channel, mut session) = ClientDesk::connected(config);
    desk.request(&[2]).expect("sent");
    desk.log();
    desk.receive(channel, session.seal(&Message::Update(b"no map".to_vec())));
    desk.receive(channel, session.seal(&Message::Update(Update::default().encode())));
    desk.receive(channel, session.seal(&Message::Ctap(vec![0])));
    let log = desk.log();
    assert!(log[0].starts_with("LinkRefused(Cbor("), "{log:?}");
    assert_eq!(log[1..], ["CtapReply([0])"]);
}

#[test]
fn a_phone_that_hangs_up_between_requests_has_finished() {
    let (mut desk, channel, _) = ClientDesk::connected(config());
    desk.closed(channel);
    assert_eq!(desk.log(), ["Finished"]);
}

#[test]
fn a_phone_that_hangs_up_with_a_request_has_left() {
    let (mut desk, channel, mut session) = ClientDesk::connected(config());
    desk.request(&[2]).expect("sent");
    desk.log();
    desk.closed(channel);
    assert_eq!(desk.log(), ["Failed(PhoneLeft)"]);

    // By a message that only clients should send.
    let (mut desk, channel, mut other) = ClientDesk::connected(config());
    desk.request(&[2]).expect("sent");
    desk.log();
    desk.receive(channel, other.seal(&Message::Shutdown));
    assert_eq!(desk.log(), ["Close channel 1 1002", "Failed(PhoneLeft)"]);
    drop(session.seal(&Message::Shutdown));
}

#[test]
fn ending_says_goodbye() {
    let (mut desk, _, mut session) = ClientDesk::connected(config());
    desk.shutdown();
    assert_eq!(desk.log(), ["Send channel 1", "Close channel 1 1000", "Finished"]);
    assert_eq!(session.open(desk.sent()), Message::Shutdown);
}
