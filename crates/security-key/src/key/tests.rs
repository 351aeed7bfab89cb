//! The key among programs, with the person and the phone played by the test.

use std::time::{Duration, Instant};

use super::*;
use crate::testing::{
    CANCEL, CBOR, Heard, INIT, KEEPALIVE, MSG, hear, message,
    requests::{HASH_OF_NOTHING, create, create_for, get, ids_in},
};

mod browsers;
mod simulation;

const SITE: &str = "site.example";

/// A key and its clock.
pub(super) struct Bench {
    pub(super) key: KeyMachine,
    pub(super) now: Instant,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { key: KeyMachine::new(), now: Instant::now() }
    }

    pub(super) fn open(&mut self) -> ChannelId {
        let heard = self.send(ChannelId::BROADCAST, INIT, b"nonceabc");
        ChannelId(u32::from_be_bytes(heard[0].2[8..12].try_into().unwrap()))
    }

    pub(super) fn send(&mut self, channel: ChannelId, command: u8, contents: &[u8]) -> Vec<Heard> {
        for report in message(channel, command, contents) {
            self.key.handle_report(&report, self.now);
        }
        self.heard()
    }

    pub(super) fn heard(&mut self) -> Vec<Heard> {
        hear(std::iter::from_fn(|| self.key.poll_report()))
    }

    /// Asks something that is answered at once, and without a window.
    pub(super) fn known(&mut self, channel: ChannelId, request: &[u8]) -> Vec<u8> {
        let mut heard = self.send(channel, CBOR, request);
        assert_eq!(self.key.poll_action(), None, "nobody is disturbed");
        assert_eq!(heard.len(), 1, "{heard:?}");
        let (to, command, reply) = heard.remove(0);
        assert_eq!((to, command), (channel, CBOR));
        reply
    }

    /// Asks for something that takes a person, and gives what is to be done.
    pub(super) fn asks(&mut self, channel: ChannelId, request: &[u8]) -> Action {
        let heard = self.send(channel, CBOR, request);
        assert!(matches!(heard.as_slice(), [(to, KEEPALIVE, _)] if *to == channel), "{heard:?}");
        self.key.poll_action().expect("a window")
    }

    pub(super) fn asks_phone(&mut self, channel: ChannelId, request: &[u8]) -> (Ticket, PhoneRequest) {
        match self.asks(channel, request) {
            Action::StartPhone { ticket, request } => (ticket, request),
            other => panic!("{other:?}"),
        }
    }

    fn asks_touch(&mut self, channel: ChannelId, request: &[u8]) -> Ticket {
        match self.asks(channel, request) {
            Action::AskForTouch { ticket } => ticket,
            other => panic!("{other:?}"),
        }
    }

    /// The reply that the program gets.
    pub(super) fn reply(&mut self, channel: ChannelId) -> Vec<u8> {
        let mut heard = self.heard();
        assert_eq!(heard.len(), 1, "{heard:?}");
        let (to, command, reply) = heard.remove(0);
        assert_eq!((to, command, self.key.poll_timeout()), (channel, CBOR, None));
        reply
    }
}

#[test]
fn a_sign_in_goes_to_the_phone_and_back_as_it_is() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let sent = get(SITE, &[vec![1; 16]], None);
    let (ticket, request) = bench.asks_phone(channel, &sent);
    assert_eq!((request.operation, request.rp_id.as_str(), request.user), (Operation::Get, SITE, None));
    assert_eq!(request.message, sent, "unknown extensions included");
    let reply = [&[0, 0xa2, 0x02, 0x41, 0x01, 0x18, 0x63], b"\x65hello".as_slice()].concat();
    bench.key.handle_phone_reply(ticket, reply.clone(), bench.now);
    assert_eq!(bench.reply(channel), reply, "unknown members included");
    bench.key.handle_phone_reply(ticket, vec![0], bench.now);
    assert_eq!(bench.heard(), [], "once");
}

#[test]
fn a_registration_says_for_whom() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let (ticket, request) = bench.asks_phone(channel, &create_for(SITE, &[]));
    assert_eq!((request.operation, request.user.as_deref()), (Operation::Create, Some("ada")));
    assert_eq!(request.message, create_for(SITE, &[]));
    assert_eq!(format!("{request:?}"), format!("PhoneRequest(Create, {} bytes)", request.message.len()));
    bench.key.handle_phone_reply(ticket, vec![0x19], bench.now);
    assert_eq!(bench.reply(channel), [0x19]);
}

#[test]
fn a_phone_announces_no_further_replies() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let (ticket, _) = bench.asks_phone(channel, &get(SITE, &[], None));
    bench.key.handle_phone_reply(ticket, vec![0, 0xa2, 0x02, 0x41, 0x01, 0x05, 0x03], bench.now);
    assert_eq!(bench.reply(channel), [0, 0xa1, 0x02, 0x41, 0x01]);
    assert_eq!(bench.known(channel, &[0x08]), [0x30], "and getNextAssertion is refused");
}

#[test]
fn what_needs_no_person_opens_no_window() {
    let mut bench = Bench::new();
    let channel = bench.open();
    assert_eq!(bench.known(channel, &[0x04])[0], 0);
    for (request, status) in [
        (&[0x07][..], 0x30),   // reset
        (&[0x06, 0xa0], 0x01), // clientPIN
        (&[0x0a], 0x01),       // credentialManagement
        (&[0x0c, 0xa0], 0x01), // largeBlobs
        (&[0x40], 0x01),
        (&[0x01], 0x12),
        (&[0x01, 0x80], 0x11),
        (&[0x02, 0xa0], 0x14),
        (&[0x02, 0xa1, 0x01, 0xf9, 0, 0], 0x12),
    ] {
        assert_eq!(bench.known(channel, request), [status], "{request:02x?}");
    }
    assert_eq!(bench.known(channel, &get(SITE, &[], Some(false))), [0x2e], "nobody knows what the phone has");
    assert_eq!(
        bench.known(channel, &get("\u{202e}elpmaxe", &[], None)),
        [0x02],
        "it would be shown to people"
    );
    assert_eq!(bench.send(channel, MSG, &[0, 3, 0, 0]), [(channel, MSG, vec![0x6d, 0])]);
}

#[test]
fn only_a_click_is_a_touch() {
    let dummy = |rp_id: &str, empty_pin| create(rp_id, &[], [9; 32], empty_pin);
    for (request, yes) in [
        (vec![0x0b], 0x00),
        (dummy("make.me.blink", true), 0x35),
        (dummy(".dummy", false), 0x35),
        (dummy(SITE, true), 0x35),
        (create("localhost", &[], HASH_OF_NOTHING, false), 0x35),
    ] {
        let mut bench = Bench::new();
        let channel = bench.open();
        for (agreed, status) in [(true, yes), (false, 0x27)] {
            let ticket = bench.asks_touch(channel, &request);
            bench.now += KEEPALIVE_TIME;
            bench.key.handle_timeout(bench.now);
            assert_eq!(bench.heard(), [(channel, KEEPALIVE, vec![2])]);
            bench.key.handle_touch(ticket, agreed);
            assert_eq!(bench.reply(channel), [status]);
        }
        let ticket = bench.asks_touch(channel, &request);
        assert_eq!(bench.send(channel, CANCEL, &[]), [(channel, CBOR, vec![0x2d])]);
        assert_eq!(bench.key.poll_action(), Some(Action::StopAsking { ticket }));
        bench.key.handle_touch(ticket, true);
        assert_eq!(bench.heard(), [], "too late");
        let ticket = bench.asks_touch(channel, &request);
        bench.now += TOUCH_PATIENCE;
        bench.key.handle_timeout(bench.now);
        assert_eq!(bench.heard().last(), Some(&(channel, CBOR, vec![0x2f])));
        assert_eq!(bench.key.poll_action(), Some(Action::StopAsking { ticket }));
    }
}

const KEEPALIVE_TIME: Duration = Duration::from_millis(100);

#[test]
fn the_phone_is_told_when_nobody_wants_it_any_more() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let ask = |bench: &mut Bench| bench.asks_phone(channel, &get(SITE, &[], None)).0;

    let ticket = ask(&mut bench);
    bench.key.handle_phone_waiting(ticket, Waiting::ForPerson, bench.now);
    assert_eq!(bench.heard(), [(channel, KEEPALIVE, vec![2])]);
    assert_eq!(bench.send(channel, CANCEL, &[]), [(channel, CBOR, vec![0x2d])]);
    assert_eq!(bench.key.poll_action(), Some(Action::CancelPhone { ticket }));

    let ticket = ask(&mut bench);
    assert_eq!(bench.send(channel, INIT, b"nonceabc").len(), 1, "the program begins anew");
    assert_eq!(bench.key.poll_action(), Some(Action::CancelPhone { ticket }));

    let ticket = ask(&mut bench);
    bench.key.handle_closed(bench.now);
    assert_eq!((bench.heard(), bench.key.poll_timeout()), (vec![], None), "the program is gone");
    assert_eq!(bench.key.poll_action(), Some(Action::CancelPhone { ticket }));

    let ticket = ask(&mut bench);
    bench.now += PHONE_PATIENCE;
    bench.key.handle_timeout(bench.now);
    assert_eq!(bench.heard().last(), Some(&(channel, CBOR, vec![0x2f])));
    assert_eq!(bench.key.poll_action(), Some(Action::CancelPhone { ticket }));

    let ticket = ask(&mut bench);
    bench.key.handle_window_closed(ticket, bench.now);
    assert_eq!(bench.reply(channel), [0x27]);
    assert_eq!(bench.key.poll_action(), Some(Action::CancelPhone { ticket }));
}

#[test]
fn two_programs_never_get_each_others_answers() {
    let mut bench = Bench::new();
    let (one, two) = (bench.open(), bench.open());
    let (ticket, _) = bench.asks_phone(one, &get(SITE, &[], None));
    assert_eq!(bench.send(two, CBOR, &get(SITE, &[], None)), [(two, 0x3f, vec![6])], "busy");
    assert_eq!(bench.key.poll_action(), None, "no second window");
    bench.key.handle_phone_reply(ticket, vec![0, 0xa0], bench.now);
    assert_eq!(bench.reply(one), [0, 0xa0]);
    let (ticket, _) = bench.asks_phone(two, &get(SITE, &[], None));
    bench.key.handle_phone_reply(ticket, vec![0x2e], bench.now);
    assert_eq!(bench.reply(two), [0x2e]);
}

#[test]
fn replies_that_do_not_fit_are_errors() {
    let mut bench = Bench::new();
    let channel = bench.open();
    for (reply, passed) in
        [(vec![], false), (vec![0x7e; MAX_MESSAGE], true), (vec![0x7e; MAX_MESSAGE + 1], false)]
    {
        let (ticket, _) = bench.asks_phone(channel, &create_for(SITE, &[]));
        bench.key.handle_phone_reply(ticket, reply.clone(), bench.now);
        assert_eq!(bench.reply(channel), if passed { reply } else { vec![0x7f] });
    }
}

#[test]
fn debug_shows_no_names() {
    let mut bench = Bench::new();
    let channel = bench.open();
    bench.asks_phone(channel, &create_for(SITE, &[]));
    assert_eq!(format!("{:?}", bench.key), "KeyMachine { waits_for: Some(\"phone\"), .. }");
}

#[test]
fn a_list_beyond_what_is_asked_for_at_once_is_taken_all_the_same() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let all = crate::testing::requests::ids(100, 32);
    let (_, request) = bench.asks_phone(channel, &get(SITE, &all, None));
    assert_eq!(ids_in(&request.message), all);
}
