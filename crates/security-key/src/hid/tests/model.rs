//! Any sequence of packets of three programs, and what a model says that they hear.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::{ChannelId, CtapHid, Event, MAX_MESSAGE, TransactionId, Waiting};
use crate::testing::*;

const PROGRAMS: u32 = 3;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// A first packet: who, which command, how long.
    First(u32, u8, usize),
    /// A further packet: who, and how far from the right number.
    Next(u32, u8),
    /// Time passes.
    Wait(u64),
    /// The device replies to its latest message, or to the one before.
    Reply(bool),
    /// The device says that it waits for a person.
    Busy,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let command = prop_oneof![
        Just(PING),
        Just(CBOR),
        Just(MSG),
        Just(INIT),
        Just(CANCEL),
        Just(LOCK),
        Just(WINK),
        Just(0x22)
    ];
    let length =
        prop_oneof![Just(0_usize), Just(1), Just(8), 0..300_usize, Just(MAX_MESSAGE), Just(MAX_MESSAGE + 1)];
    let step = prop_oneof![
        3 => (1..=PROGRAMS, command, length).prop_map(|(who, command, length)| Step::First(who, command, length)),
        6 => (1..=PROGRAMS, prop_oneof![6 => Just(0_u8), 1 => any::<u8>()]).prop_map(|(who, off)| Step::Next(who, off)),
        1 => (0..800_u64).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Reply),
        1 => Just(Step::Busy),
    ];
    prop::collection::vec(step, 0..120)
}

/// Whose turn it is, in the words of the standard.
enum Turn {
    Nobody,
    /// Who, command, length, bytes there, number of the next packet, until when.
    Sends(u32, u8, usize, usize, u8, u64),
    /// Who, command, and when the next KEEPALIVE is due.
    Waits(u32, u8, Option<u64>),
}

struct Model {
    turn: Turn,
    lock: Option<(u32, u64)>,
    clock: u64,
    asked: u64,
}

type Said = (u32, u8, Vec<u8>);

impl Model {
    fn step(&mut self, step: &Step) -> Vec<Said> {
        match *step {
            Step::First(who, INIT, 8) => {
                if matches!(self.turn, Turn::Sends(on, ..) | Turn::Waits(on, ..) if on == who) {
                    self.turn = Turn::Nobody;
                }
                vec![(who, INIT, vec![])]
            }
            Step::First(who, INIT, _) => vec![(who, ERROR, vec![3])],
            Step::First(_, CANCEL, _) => vec![],
            Step::First(who, command, length) => self.first(who, command, length),
            Step::Next(who, off) => self.next(who, off),
            Step::Wait(time) => self.wait(time),
            Step::Reply(latest) => match self.turn {
                Turn::Waits(who, command, _) if latest => {
                    self.turn = Turn::Nobody;
                    vec![(who, command, vec![0x55])]
                }
                _ => vec![],
            },
            Step::Busy => match self.turn {
                Turn::Waits(who, CBOR, None) => {
                    self.turn = Turn::Waits(who, CBOR, Some(self.clock + 100));
                    vec![(who, KEEPALIVE, vec![2])]
                }
                _ => vec![],
            },
        }
    }

    fn first(&mut self, who: u32, command: u8, length: usize) -> Vec<Said> {
        let refuse = |error: u8| vec![(who, ERROR, vec![error])];
        match self.turn {
            Turn::Sends(on, ..) if on == who => {
                self.turn = Turn::Nobody;
                return refuse(4);
            }
            Turn::Sends(..) | Turn::Waits(..) => return refuse(6),
            Turn::Nobody => {}
        }
        if self.lock.is_some_and(|(by, until)| by != who && self.clock < until) {
            return refuse(6);
        }
        let fits = match command {
            PING => length <= MAX_MESSAGE,
            CBOR | MSG => (1..=MAX_MESSAGE).contains(&length),
            LOCK => length == 1,
            WINK => length == 0,
            _ => return refuse(1),
        };
        if !fits {
            return refuse(3);
        }
        self.turn = Turn::Sends(who, command, length, length.min(57), 0, self.clock + 500);
        self.complete()
    }

    fn next(&mut self, who: u32, off: u8) -> Vec<Said> {
        match &mut self.turn {
            Turn::Sends(on, _, length, there, number, until) if *on == who => {
                if off & 0x7f != 0 {
                    self.turn = Turn::Nobody;
                    return vec![(who, ERROR, vec![4])];
                }
                *there = (*there + 59).min(*length);
                *number += 1;
                *until = self.clock + 500;
                self.complete()
            }
            _ => vec![],
        }
    }

    fn complete(&mut self) -> Vec<Said> {
        let Turn::Sends(who, command, length, there, ..) = self.turn else { return vec![] };
        if there < length {
            return vec![];
        }
        self.turn = Turn::Nobody;
        match command {
            CBOR | MSG => {
                self.asked += 1;
                self.turn = Turn::Waits(who, command, None);
                vec![]
            }
            LOCK => {
                self.lock = Some((who, self.clock + 7000));
                vec![(who, LOCK, vec![])]
            }
            _ => vec![(who, command, vec![7; length])],
        }
    }

    fn wait(&mut self, time: u64) -> Vec<Said> {
        self.clock += time;
        match &mut self.turn {
            Turn::Sends(who, .., until) if *until <= self.clock => {
                let who = *who;
                self.turn = Turn::Nobody;
                vec![(who, ERROR, vec![5])]
            }
            Turn::Waits(who, _, Some(due)) if *due <= self.clock => {
                *due = self.clock + 100;
                vec![(*who, KEEPALIVE, vec![2])]
            }
            _ => vec![],
        }
    }

    /// The number that the next packet of a program has to have.
    fn number(&self, who: u32) -> u8 {
        match self.turn {
            Turn::Sends(on, _, _, _, number, _) if on == who => number,
            _ => 0,
        }
    }
}

/// Carries a step out on the device. A first packet is full of sevens, or is the nonce of an INIT.
fn act(hid: &mut CtapHid, model: &Model, asked: &[TransactionId], step: &Step, now: Instant) {
    let pad = |head: &[u8]| [head, &[7; 57]].concat();
    match *step {
        Step::First(who, command, length) => {
            let [high, low] = u16::try_from(length).unwrap().to_be_bytes();
            hid.handle_report(&raw(ChannelId(who), &pad(&[0x80 | command, high, low])), now);
        }
        Step::Next(who, off) => {
            let number = model.number(who).wrapping_add(off) & 0x7f;
            hid.handle_report(&raw(ChannelId(who), &[&[number][..], &[7; 59]].concat()), now);
        }
        Step::Wait(_) => hid.handle_timeout(now),
        Step::Reply(latest) => {
            let which = asked.iter().rev().nth(usize::from(!latest));
            which.into_iter().for_each(|transaction| hid.reply(*transaction, &[0x55]));
        }
        Step::Busy => asked.last().into_iter().for_each(|last| hid.wait(*last, Waiting::ForPerson, now)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn programs_hear_what_the_model_says(steps in steps()) {
        let begun = Instant::now();
        let mut hid = CtapHid::new();
        for _ in 0..PROGRAMS {
            hid.handle_report(&message(ChannelId::BROADCAST, INIT, b"nonceabc")[0], begun);
            hid.poll_report();
        }
        let mut model = Model { turn: Turn::Nobody, lock: None, clock: 0, asked: 0 };
        let mut asked = Vec::new();
        for step in steps {
            let passed = if let Step::Wait(time) = step { time } else { 0 };
            let now = begun + Duration::from_millis(model.clock + passed);
            act(&mut hid, &model, &asked, &step, now);
            let expected = model.step(&step);
            let mut heard = hear(std::iter::from_fn(|| hid.poll_report()));
            heard.iter_mut().filter(|(_, command, _)| *command == INIT).for_each(|(.., reply)| reply.clear());
            let heard: Vec<_> = heard.into_iter().map(|(channel, command, reply)| (channel.0, command, reply)).collect();
            prop_assert_eq!(heard, expected, "{:?}", step);
            while let Some(event) = hid.poll_event() {
                if let Event::Message { transaction, message, .. } = event {
                    prop_assert!(message.iter().all(|byte| *byte == 7));
                    asked.push(transaction);
                }
            }
            prop_assert_eq!(u64::try_from(asked.len()).unwrap(), model.asked);
            prop_assert!(hid.poll_timeout().is_none_or(|due| due > now), "nothing is left undone");
        }
    }
}
