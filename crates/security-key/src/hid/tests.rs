//! What programs hear, one rule at a time; [`model`] has all of them at once.

use std::time::{Duration, Instant};

use super::{ChannelId, CtapHid, Event, HidError, MAX_MESSAGE, Report, TransactionId, Waiting};
use crate::testing::*;

mod model;

const NONCE: &[u8] = b"nonceabc";

/// A device and its clock.
struct Bench {
    hid: CtapHid,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self { hid: CtapHid::new(), now: Instant::now() }
    }

    fn heard(&mut self) -> Vec<Heard> {
        hear(std::iter::from_fn(|| self.hid.poll_report()))
    }

    fn send(&mut self, reports: impl IntoIterator<Item = Report>) -> Vec<Heard> {
        for report in reports {
            self.hid.handle_report(&report, self.now);
        }
        self.heard()
    }

    fn say(&mut self, channel: ChannelId, command: u8, contents: &[u8]) -> Vec<Heard> {
        self.send(message(channel, command, contents))
    }

    fn open(&mut self) -> ChannelId {
        let heard = self.say(ChannelId::BROADCAST, INIT, NONCE);
        let [(ChannelId::BROADCAST, INIT, contents)] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!((contents.len(), &contents[..8]), (17, NONCE));
        assert_eq!(contents[12..], [2, 0, 1, 0, 0x0d], "version, and no U2F");
        ChannelId(u32::from_be_bytes(contents[8..12].try_into().unwrap()))
    }

    /// Asks something that takes a while.
    fn ask(&mut self, channel: ChannelId) -> TransactionId {
        assert_eq!(self.say(channel, CBOR, &[4]), []);
        match self.hid.poll_event() {
            Some(Event::Message { transaction, .. }) => transaction,
            other => panic!("{other:?}"),
        }
    }

    fn later(&mut self, time: Duration) -> Vec<Heard> {
        self.now += time;
        self.hid.handle_timeout(self.now);
        self.heard()
    }
}

fn error(channel: ChannelId, error: HidError) -> Vec<Heard> {
    vec![(channel, ERROR, vec![error.byte()])]
}

#[test]
fn channels_are_given_out() {
    let mut bench = Bench::new();
    let (one, two) = (bench.open(), bench.open());
    assert_ne!(one, two);
    assert_eq!(bench.say(one, PING, b"hello"), [(one, PING, b"hello".to_vec())]);
    for channel in [ChannelId(0), ChannelId(0x1234_5678), ChannelId::BROADCAST] {
        assert_eq!(bench.say(channel, PING, b"hello"), error(channel, HidError::InvalidChannel));
    }
    assert_eq!(bench.say(ChannelId(0), INIT, NONCE), error(ChannelId(0), HidError::InvalidChannel));
    assert_eq!(
        bench.say(ChannelId::BROADCAST, INIT, &NONCE[1..]),
        error(ChannelId::BROADCAST, HidError::InvalidLength)
    );
}

#[test]
fn pings_of_every_length_come_back() {
    let mut bench = Bench::new();
    let channel = bench.open();
    for length in [0, 1, 56, 57, 58, 115, 116, 117, 1024, MAX_MESSAGE] {
        let contents: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        assert_eq!(bench.say(channel, PING, &contents), [(channel, PING, contents)]);
    }
    let too_long = raw(channel, &[0x80 | PING, 0x1d, 0xba]);
    assert_eq!(bench.send([too_long]), error(channel, HidError::InvalidLength));
    assert_eq!(bench.hid.poll_timeout(), None);
}

#[test]
fn lengths_fit_their_commands() {
    let mut bench = Bench::new();
    let channel = bench.open();
    for (command, contents) in [(WINK, &[1][..]), (LOCK, &[]), (LOCK, &[1, 2]), (CBOR, &[]), (MSG, &[])] {
        assert_eq!(bench.say(channel, command, contents), error(channel, HidError::InvalidLength));
    }
    assert_eq!(bench.say(channel, LOCK, &[11]), error(channel, HidError::InvalidParameter));
    assert_eq!(bench.say(channel, 0x40, &[]), error(channel, HidError::InvalidCommand));
    assert_eq!(bench.say(channel, WINK, &[]), [(channel, WINK, vec![])]);
    assert_eq!(bench.hid.poll_event(), Some(Event::Wink));
}

#[test]
fn packets_out_of_order_end_the_message() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let mut reports = message(channel, PING, &[7; 200]);
    reports.swap(1, 2);
    assert_eq!(
        bench.send(reports),
        error(channel, HidError::InvalidSequence),
        "once, and the rest is ignored"
    );
    let reports = message(channel, PING, &[7; 200]);
    assert_eq!(bench.send([reports[0]]), []);
    assert_eq!(bench.send([reports[0]]), error(channel, HidError::InvalidSequence), "begun twice");
    assert_eq!(bench.say(channel, PING, b"fine"), [(channel, PING, b"fine".to_vec())]);
}

#[test]
fn a_message_that_does_not_go_on_is_given_up() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let reports = message(channel, PING, &[7; 200]);
    assert_eq!(bench.send([reports[0]]), []);
    assert_eq!(bench.later(Duration::from_millis(499)), []);
    assert_eq!(bench.send([reports[1]]), [], "half a second begins again with every packet");
    assert_eq!(bench.later(Duration::from_millis(499)), []);
    assert_eq!(bench.later(Duration::from_millis(1)), error(channel, HidError::MessageTimeout));
    assert_eq!(bench.hid.poll_timeout(), None);
}

#[test]
fn others_are_busy_while_one_is_served() {
    let mut bench = Bench::new();
    let (one, two) = (bench.open(), bench.open());
    let reports = message(one, PING, &[7; 100]);
    assert_eq!(bench.send([reports[0]]), []);
    assert_eq!(bench.say(two, PING, &[]), error(two, HidError::ChannelBusy));
    assert_eq!(bench.send([raw(two, &[0, 1, 2])]), [], "what belongs to nothing is ignored");
    let three = bench.open();
    assert_eq!(bench.send([reports[1]]), [(one, PING, vec![7; 100])], "it is not disturbed");

    let transaction = bench.ask(one);
    assert_eq!(bench.say(two, CBOR, &[4]), error(two, HidError::ChannelBusy));
    assert_eq!(bench.say(one, CBOR, &[4]), error(one, HidError::ChannelBusy));
    assert_eq!(bench.say(two, CANCEL, &[]), [], "and only its own");
    assert_eq!(bench.hid.poll_event(), None);
    bench.hid.reply(transaction, &[0]);
    assert_eq!(bench.heard(), [(one, CBOR, vec![0])]);
    assert_eq!(bench.say(three, PING, b"free"), [(three, PING, b"free".to_vec())]);
}

#[test]
fn who_waits_hears_that_the_device_is_alive() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let transaction = bench.ask(channel);
    assert_eq!(bench.hid.poll_timeout(), None, "until there is something to say");
    bench.hid.wait(transaction, Waiting::Processing, bench.now);
    assert_eq!(bench.heard(), [(channel, KEEPALIVE, vec![1])]);
    assert_eq!(bench.later(Duration::from_millis(99)), []);
    assert_eq!(bench.later(Duration::from_millis(1)), [(channel, KEEPALIVE, vec![1])]);
    bench.hid.wait(transaction, Waiting::ForPerson, bench.now);
    assert_eq!(bench.heard(), [(channel, KEEPALIVE, vec![2])], "news come at once");
    bench.hid.wait(transaction, Waiting::ForPerson, bench.now);
    assert_eq!(bench.heard(), []);
    assert_eq!(bench.say(channel, CANCEL, &[]), []);
    assert_eq!(bench.hid.poll_event(), Some(Event::Cancel(transaction)));
    bench.hid.reply(transaction, &[0x2d]);
    assert_eq!(bench.heard(), [(channel, CBOR, vec![0x2d])]);
    assert_eq!(bench.hid.poll_timeout(), None);
    assert_eq!(bench.say(channel, CANCEL, &[]), [], "nothing is left to cancel");
}

#[test]
fn beginning_anew_aborts() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let old = bench.ask(channel);
    let heard = bench.say(channel, INIT, NONCE);
    assert!(matches!(heard.as_slice(), [(on, INIT, _)] if *on == channel));
    assert_eq!(bench.hid.poll_event(), Some(Event::Aborted(old)));
    let new = bench.ask(channel);
    bench.hid.reply(old, &[1]);
    assert_eq!(bench.heard(), [], "the reply to the old question is nobody's");
    bench.hid.reply(new, &[2]);
    assert_eq!(bench.heard(), [(channel, CBOR, vec![2])]);

    let reports = message(channel, PING, &[7; 100]);
    assert_eq!(bench.send([reports[0]]), []);
    assert_eq!(bench.say(channel, INIT, NONCE).len(), 1);
    assert_eq!(bench.send([reports[1]]), [], "the message is forgotten");
}

#[test]
fn a_lock_keeps_others_out_for_its_time() {
    let mut bench = Bench::new();
    let (one, two) = (bench.open(), bench.open());
    assert_eq!(bench.say(one, LOCK, &[2]), [(one, LOCK, vec![])]);
    assert_eq!(bench.say(two, PING, &[]), error(two, HidError::ChannelBusy));
    assert_eq!(bench.say(one, PING, &[]), [(one, PING, vec![])]);
    assert_eq!(bench.hid.poll_timeout(), None, "nobody is woken for it");
    bench.later(Duration::from_secs(2));
    assert_eq!(bench.say(two, PING, &[]), [(two, PING, vec![])]);
    assert_eq!(bench.say(one, LOCK, &[10]), [(one, LOCK, vec![])]);
    assert_eq!(bench.say(one, LOCK, &[0]), [(one, LOCK, vec![])]);
    assert_eq!(bench.say(two, PING, &[]), [(two, PING, vec![])]);
}

#[test]
fn when_nobody_is_there_any_more_all_is_forgotten_but_channels() {
    let mut bench = Bench::new();
    let channel = bench.open();
    let transaction = bench.ask(channel);
    bench.hid.handle_closed();
    assert_eq!(bench.hid.poll_event(), Some(Event::Aborted(transaction)));
    assert_eq!((bench.hid.poll_report(), bench.hid.poll_timeout()), (None, None));
    assert_eq!(bench.say(channel, PING, &[]), [(channel, PING, vec![])]);
}

#[test]
fn debug_shows_no_contents() {
    let mut bench = Bench::new();
    let channel = bench.open();
    assert_eq!(bench.say(channel, CBOR, b"\x01secret"), []);
    let event = bench.hid.poll_event().unwrap();
    assert_eq!(
        format!("{event:?}"),
        "Message(TransactionId(1), ChannelId(1), Cbor, 7 bytes)",
        "{:?}",
        bench.hid
    );
    assert!(!format!("{:?}", bench.hid).contains("115"));
}
