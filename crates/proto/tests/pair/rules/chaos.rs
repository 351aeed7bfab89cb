//! Drivers that call anything at any time, with any of the channels there ever were, and peers that say anything.

use core::time::Duration;

use hybridge_proto::{
    advert::Psm,
    channel::DialFailure,
    message::{Message, MessageKind},
    qr::Channels,
};

use super::{ClientDesk, HandLaptop, HandPhone, HandSession, PhoneDesk, client_desk, phone_desk};
use crate::pair::sim::{Dice, Remembered};

const SEEDS: u64 = 200;
const CALLS: usize = 60;

const FAILURES: [DialFailure; 4] =
    [DialFailure::Gone, DialFailure::Refused(503), DialFailure::Unreachable, DialFailure::L2cap];

/// Says what the phone or the laptop of a desk may say next: something right, or something made up.
fn say(session: Option<&mut HandSession>, dice: &mut Dice) -> Vec<u8> {
    let Some(session) = session.filter(|_| dice.percent(90)) else {
        let length = dice.pick(&[0, 1, 15, 16, 48, 80, 81, 82]);
        return if dice.percent(50) { vec![0] } else { dice.bytes(length) };
    };
    let kinds = [MessageKind::Shutdown, MessageKind::Ctap, MessageKind::Update, MessageKind::Json];
    match dice.pick(&kinds) {
        MessageKind::Shutdown if dice.percent(80) => session.describe(),
        MessageKind::Shutdown => session.seal(&Message::Shutdown),
        MessageKind::Ctap => session.seal(&Message::Ctap(vec![0, 1])),
        MessageKind::Json => session.seal(&Message::Json(b"{}".to_vec())),
        _ => session.seal(&Message::Update(b"no map".to_vec())),
    }
}

/// Nothing comes after the last event, and no timer stays due.
fn is_orderly(log: &[String], closed: bool, next: Option<bool>) {
    let ends = |entry: &String| entry == "Finished" || entry.starts_with("Failed(");
    let position = log.iter().position(ends);
    assert_eq!(position, closed.then(|| log.len() - 1), "{log:#?}");
    assert_ne!(next, Some(false), "a timer that stays due: {log:#?}");
}

/// The disturbances get far enough to mean something.
fn reached(seen: &[String], names: &[&str]) {
    for name in names {
        assert!(seen.iter().any(|entry| entry.starts_with(name)), "{name} was never reached");
    }
}

/// One random call of a client's driver.
fn disturb_client(desk: &mut ClientDesk, session: &mut Option<HandSession>, dice: &mut Dice) {
    let index = desk.dials.len().checked_sub(1).map(|last| last - dice.index(last.min(2) + 1));
    let channel = index.map(|index| desk.dials[index].0);
    match (dice.below(14), channel) {
        (0 | 1, _) => {
            let Some(code) = desk.codes.last().map(|_| desk.code()) else { return };
            let phone = HandPhone::scan(&code, u64::from(dice.below(3)));
            if dice.percent(50) {
                *session = desk.shake_hands_if_possible(&phone);
                if let Some(session) = session.as_mut().filter(|_| dice.percent(70)) {
                    desk.receive(desk.channel(), session.describe());
                }
            } else {
                desk.hear(&phone.advert_with(dice.percent(50).then_some(0x82)));
            }
        }
        (2, Some(channel)) => desk.opened_with(channel, dice.percent(50)),
        (3, Some(channel)) => desk.failed(channel, dice.pick(&FAILURES)),
        (4, Some(channel)) if dice.percent(20) => desk.closed(channel),
        (5..=8, Some(channel)) => desk.receive(channel, say(session.as_mut(), dice)),
        (9, _) => drop(desk.request(&[4])),
        (10, _) if dice.percent(10) => desk.shutdown(),
        (11, _) => desk.wait(dice.millis(0, 20_000)),
        (12, _) => desk.oversleep(dice.millis(0, 100_000)),
        (13, _) => drop(desk.call(Remembered::of(1).link())),
        _ => desk.hear(&dice.bytes(20)),
    }
}

#[test]
fn a_client_outlives_any_driver() {
    let mut seen = Vec::new();
    for seed in 0..SEEDS {
        let mut dice = Dice::new(seed, 50);
        let mut config = client_desk::config();
        config.l2cap = dice.percent(50);
        config.accept_linking = dice.percent(50);
        let mut desk = ClientDesk::new(config);
        let (mut session, mut log) = (None, Vec::new());
        for _ in 0..CALLS {
            disturb_client(&mut desk, &mut session, &mut dice);
            log.extend(desk.log());
            let now = desk.now();
            desk.machine.handle_timeout(now);
            desk.settle();
            log.extend(desk.log());
            let next = desk.machine.poll_timeout().map(|next| next > now);
            is_orderly(&log, desk.machine.is_closed(), next);
        }
        seen.append(&mut log);
    }
    reached(
        &seen,
        &["Connected", "CtapReply", "LinkRefused", "LinkGone", "PhoneJoined", "Finished", "Dial over BLE"],
    );
    reached(
        &seen,
        &["Failed(Silent", "Failed(Frame", "Failed(Unsolicited", "Failed(PhoneLeft", "Failed(Attempt"],
    );
}

/// One random call of an authenticator's driver.
fn disturb_phone(
    desk: &mut PhoneDesk,
    laptop: &HandLaptop,
    session: &mut Option<HandSession>,
    dice: &mut Dice,
) {
    let now = desk.now();
    let channel = desk.any_channel(dice);
    match dice.below(13) {
        0 => desk.opened(channel, dice.percent(80).then_some([1, 2, 3])),
        1 => desk.failed(channel, dice.pick(&FAILURES)),
        2 if dice.percent(20) => desk.closed(channel),
        3 => desk.machine.handle_l2cap_listening(now, Psm(0x82)),
        4 => desk.machine.handle_l2cap_unavailable(now),
        5 => desk.accept(),
        6 if !desk.adverts.is_empty() => {
            let (initiator, message_1) = laptop.start(&desk.adverts[0]);
            desk.sent();
            desk.receive(channel, message_1);
            if let Some(Ok(established)) = desk.sent().first().map(|answer| initiator.finish(answer)) {
                *session = Some(HandSession::new(established));
            }
        }
        7 | 8 if session.is_some() => desk.receive(channel, say(session.as_mut(), dice)),
        9 => drop(desk.machine.reply(now, &[0])),
        10 if dice.percent(10) => desk.shutdown(),
        11 => desk.wait(dice.millis(0, 20_000)),
        12 if dice.percent(10) => desk.receive(channel, say(None, dice)),
        _ => desk.wait(Duration::ZERO),
    }
    desk.settle();
}

#[test]
fn an_authenticator_outlives_any_driver() {
    let mut seen = Vec::new();
    for seed in 0..SEEDS {
        let mut dice = Dice::new(seed, 51);
        let mut laptop = HandLaptop::new();
        let channels: &[u64] = dice.pick(&[&[0][..], &[0, 1], &[0, 1]]);
        laptop.code.channels = Some(Channels::from_numbers(channels));
        let mut config = phone_desk::config();
        config.l2cap = true;
        let mut desk = PhoneDesk::scan(config, &laptop.code).expect("everything fits");
        let (mut session, mut log) = (None, Vec::new());
        for _ in 0..CALLS {
            disturb_phone(&mut desk, &laptop, &mut session, &mut dice);
            let now = desk.now();
            desk.machine.handle_timeout(now);
            desk.settle();
            log.extend(desk.log());
            let next = desk.machine.poll_timeout().map(|next| next > now);
            is_orderly(&log, desk.machine.is_closed(), next);
        }
        seen.append(&mut log);
    }
    reached(&seen, &["ClientConnected", "CtapRequest", "Finished", "Advertise true", "Advertise false"]);
    reached(
        &seen,
        &["Failed(Dial", "Failed(Handshake", "Failed(Frame", "Failed(Unexpected", "Failed(ClientLeft"],
    );
}
