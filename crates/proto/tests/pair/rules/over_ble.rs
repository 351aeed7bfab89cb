//! The BLE data channel, as the client uses it: first, if the advert offers it, and with the tunnel to fall back to.

use hybridge_proto::{
    advert::Psm,
    channel::{ChannelId, DialFailure, Route, SightingId},
    client::ClientConfig,
    message::Message,
    packets::Framing,
};

use super::{ClientDesk, HandPhone, HandSession, client_desk::config, seconds};

fn with_ble() -> ClientConfig {
    let mut config = config();
    config.l2cap = true;
    config
}

/// A desk that dials a phone over BLE, with an empty log.
fn dialing() -> (ClientDesk, HandPhone, ChannelId) {
    dialing_with(Framing::CrLf)
}

fn dialing_with(framing: Framing) -> (ClientDesk, HandPhone, ChannelId) {
    let mut config = with_ble();
    config.l2cap_framing = framing;
    let mut desk = ClientDesk::new(config);
    let phone = HandPhone::scan(&desk.code(), 1);
    desk.hear(&phone.advert_with(Some(0x82)));
    assert_eq!(desk.log().iter().filter(|entry| *entry == "Dial over BLE channel 1").count(), 1);
    let channel = desk.channel();
    (desk, phone, channel)
}

/// The handshake over the channel that was dialed last.
fn finish(desk: &mut ClientDesk, phone: &HandPhone) -> HandSession {
    let channel = desk.channel();
    desk.opened(channel);
    let (message_2, session) = phone.respond(&desk.sent());
    desk.receive(channel, message_2);
    session
}

#[test]
fn an_offer_is_taken() {
    let (mut desk, phone, channel) = dialing();
    assert!(desk.code().effective_channels().l2cap());
    assert_eq!(desk.dials[0].1, Route::L2cap { psm: Psm(0x82), sighting: SightingId(1) });
    let mut session = finish(&mut desk, &phone);
    desk.receive(channel, session.describe());
    assert_eq!(desk.log().pop().expect("an event"), "Connected by code");
}

#[test]
fn an_offer_that_was_not_asked_for_is_ignored() {
    let mut desk = ClientDesk::new(config());
    let phone = HandPhone::scan(&desk.code(), 1);
    desk.hear(&phone.advert_with(Some(0x82)));
    assert!(matches!(desk.dials[0].1, Route::Tunnel(_)));
}

#[test]
fn a_malformed_offer_is_none() {
    for suffix in [&[0xa1][..], &[0xa0], &[0xa1, 1, 0x1a, 0, 1, 0, 0], &[1; 200]] {
        let mut desk = ClientDesk::new(with_ble());
        let mut advert = HandPhone::scan(&desk.code(), 1).advert();
        advert.extend_from_slice(suffix);
        desk.hear(&advert);
        assert!(matches!(desk.dials[0].1, Route::Tunnel(_)), "{suffix:x?}");
    }
}

#[test]
fn a_failed_dial_falls_back_to_the_tunnel() {
    let (mut desk, phone, channel) = dialing();
    desk.failed(channel, DialFailure::L2cap);
    assert_eq!(desk.log(), ["Dial channel 2"]);
    finish(&mut desk, &phone);
    assert!(desk.log().contains(&"StopScan".to_owned()));
}

#[test]
fn a_slow_dial_falls_back_to_the_tunnel_which_has_its_two_tries() {
    let (mut desk, _, _) = dialing();
    desk.wait(seconds(10));
    assert_eq!(desk.log(), ["Close channel 1 1001", "Dial channel 2"]);
    desk.failed(desk.channel(), DialFailure::Unreachable);
    assert_eq!(desk.log(), ["Dial channel 3"]);
    desk.failed(desk.channel(), DialFailure::Unreachable);
    assert_eq!(desk.log().pop().expect("an event"), "ShowQr");
}

#[test]
fn a_channel_that_dies_in_the_handshake_falls_back() {
    let (mut desk, phone, channel) = dialing();
    desk.opened(channel);
    desk.log();
    desk.closed(channel);
    assert_eq!(desk.log(), ["Dial channel 2"]);
    finish(&mut desk, &phone);
}

/// The offer is not covered by the advert's tag: anybody can put one of their own behind it.
#[test]
fn a_wrong_answer_over_ble_falls_back() {
    for answer in [vec![4; 81], vec![0; 100]] {
        let (mut desk, phone, channel) = dialing();
        desk.opened(channel);
        desk.log();
        desk.receive(channel, answer);
        assert_eq!(desk.log(), ["Close channel 1 1002", "Dial channel 2"]);
        let mut session = finish(&mut desk, &phone);
        desk.receive(desk.channel(), session.describe());
        assert_eq!(desk.log().pop().expect("an event"), "Connected by code");
    }
}

/// What is missing may still come, in another packet.
#[test]
fn an_incomplete_answer_over_ble_falls_back_when_its_time_is_over() {
    for answer in [Vec::new(), vec![4; 80]] {
        let (mut desk, _, channel) = dialing();
        desk.opened(channel);
        desk.log();
        desk.receive(channel, answer);
        assert!(desk.log().is_empty());
        desk.wait(seconds(15));
        assert_eq!(desk.log(), ["Close channel 1 1001", "Dial channel 2"]);
    }
}

/// A desk that awaits the description over BLE, with an empty log.
fn shaken() -> (ClientDesk, HandPhone, ChannelId, HandSession) {
    let (mut desk, phone, channel) = dialing();
    let session = finish(&mut desk, &phone);
    desk.log();
    (desk, phone, channel, session)
}

#[test]
fn a_phone_that_does_not_describe_itself_over_ble_gets_another_chance() {
    let (mut desk, phone, _, _) = shaken();
    desk.wait(seconds(15));
    assert_eq!(desk.log(), ["Close channel 1 1001", "Dial channel 2"]);
    let mut session = finish(&mut desk, &phone);
    desk.receive(desk.channel(), session.describe());
    assert_eq!(desk.log().pop().expect("an event"), "Connected by code");
}

#[test]
fn frames_that_never_open_over_ble_fall_back() {
    let (mut desk, _, channel, _) = shaken();
    desk.receive(channel, b"sixteen bytes and\r\n".repeat(100));
    assert_eq!(desk.log(), ["Close channel 1 1002", "Dial channel 2"]);
}

/// What the phone itself says is the same over either channel.
#[test]
fn a_phone_that_lacks_what_is_needed_gets_no_other_chance() {
    let (mut desk, _, channel, mut session) = shaken();
    desk.receive(channel, session.seal_bytes(&[0xa1, 3, 0x81, 0x62, b'd', b'c']));
    assert_eq!(desk.log(), ["Close channel 1 1001", "Failed(Unsupported)"]);
}

/// Whatever the client sends, the phone may answer in either form.
#[test]
fn messages_come_in_any_packets() {
    for size in [1, 3, 80, 81, 82, 83, 84, 85, 1_000] {
        for (ours, theirs) in FORMS {
            messages_come_in_packets(size, ours, theirs);
        }
    }
}

const FORMS: [(Framing, Framing); 4] = [
    (Framing::CrLf, Framing::CrLf),
    (Framing::CrLf, Framing::Length),
    (Framing::Length, Framing::CrLf),
    (Framing::Length, Framing::Length),
];

fn messages_come_in_packets(size: usize, ours: Framing, theirs: Framing) {
    let (mut desk, phone, channel) = dialing_with(ours);
    desk.opened(channel);
    // The desk sees to it that all that is sent has our form.
    let (message_2, mut session) = phone.respond(&desk.sent());
    let stream = [theirs.wrap(&message_2), theirs.wrap(&session.describe())].concat();
    for packet in stream.chunks(size) {
        assert!(!desk.log().contains(&"Connected by code".to_owned()));
        desk.receive(channel, packet.to_vec());
    }
    let last = desk.log().pop().expect("an event");
    assert_eq!(last, "Connected by code", "packets of {size} bytes, {ours:?} and {theirs:?}");
    assert_eq!(desk.request(&[4]), Ok(()));
    let request = session.open(desk.sent());
    assert_eq!(request, Message::Ctap(vec![4]));
    let reply = session.seal(&Message::Ctap(vec![0, 0xa0]));
    theirs.wrap(&reply).chunks(size).for_each(|packet| desk.receive(channel, packet.to_vec()));
    assert_eq!(desk.log().pop().expect("an event"), "CtapReply([0, 160])");
    desk.shutdown();
    assert_eq!(session.open(desk.sent()), Message::Shutdown);
}

/// A length that no handshake message has, before what it measures is there.
#[test]
fn a_wrong_length_over_ble_falls_back_at_once() {
    for length in [0_u32, 80, 82, 1 << 20, 0x00ff_ffff] {
        let (mut desk, phone, channel) = dialing();
        desk.opened(channel);
        desk.log();
        desk.receive(channel, length.to_be_bytes().to_vec());
        assert_eq!(desk.log(), ["Close channel 1 1002", "Dial channel 2"], "{length}");
        finish(&mut desk, &phone);
    }
}

/// What comes behind a length that no frame has is not waited for.
#[test]
fn a_wrong_length_of_a_frame_over_ble_falls_back_at_once() {
    for length in [0_u32, 16, (1 << 20) + 1, u32::MAX] {
        let (mut desk, phone, channel) = dialing();
        desk.opened(channel);
        let (message_2, _) = phone.respond(&desk.sent());
        desk.receive(channel, Framing::Length.wrap(&message_2));
        desk.log();
        desk.receive(channel, length.to_be_bytes().to_vec());
        assert_eq!(desk.log(), ["Close channel 1 1002", "Dial channel 2"], "{length}");
        finish(&mut desk, &phone);
    }
}

/// A phone that does not know our form may wait for what never comes.
#[test]
fn a_phone_that_waits_for_the_other_form_is_reached_through_the_tunnel() {
    for framing in [Framing::CrLf, Framing::Length] {
        let (mut desk, phone, channel) = dialing_with(framing);
        desk.opened(channel);
        desk.log();
        desk.wait(seconds(15));
        assert_eq!(desk.log(), ["Close channel 1 1001", "Dial channel 2"]);
        let mut session = finish(&mut desk, &phone);
        desk.receive(desk.channel(), session.describe());
        assert_eq!(desk.log().pop().expect("an event"), "Connected by code");
    }
}

#[test]
fn a_channel_that_dies_before_the_description_falls_back() {
    let (mut desk, phone, channel) = dialing();
    finish(&mut desk, &phone);
    desk.log();
    desk.closed(channel);
    assert_eq!(desk.log(), ["Dial channel 2"]);
    let mut session = finish(&mut desk, &phone);
    assert!(!desk.log().contains(&"StopScan".to_owned()), "scanning has stopped long ago");
    desk.receive(desk.channel(), session.describe());
    assert_eq!(desk.log(), ["Connected by code"]);
}

/// Nothing scans any more, so a code would lead nowhere.
#[test]
fn a_failed_fallback_is_the_end() {
    let (mut desk, phone, channel) = dialing();
    finish(&mut desk, &phone);
    desk.closed(channel);
    desk.log();
    desk.failed(desk.channel(), DialFailure::Refused(404));
    assert_eq!(
        desk.log(),
        ["AttemptFailed by code, channel 2: Dial(Refused(404))", "Failed(Attempt(Dial(Refused(404))))"]
    );
}

#[test]
fn nothing_can_be_added_to_a_fallback() {
    let (mut desk, phone, channel) = dialing();
    finish(&mut desk, &phone);
    desk.closed(channel);
    desk.log();
    desk.machine.show_code(desk.now());
    desk.settle();
    assert_eq!(desk.call(crate::pair::sim::Remembered::of(0).link()), None);
    assert!(desk.log().is_empty());
}
