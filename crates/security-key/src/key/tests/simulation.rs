//! Programs, a person and a phone that do anything, by the thousands.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::testing::{ERROR, raw};

#[derive(Debug, Clone)]
enum Step {
    /// A program asks: who, and what.
    Ask(usize, usize),
    /// A program sends a part of a request, and then something else.
    Part(usize),
    /// A program cancels, or begins anew.
    Cancel(usize),
    Anew(usize),
    /// The person decides about a ticket, the newest or one before.
    Touch(usize, bool),
    CloseWindow(usize),
    /// The phone answers a ticket.
    Phone(usize),
    /// The last program closes the device.
    Close,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..3_usize;
    let which = prop_oneof![4 => Just(0_usize), 1 => 0..4_usize];
    let step = prop_oneof![
        6 => (who.clone(), 0..7_usize).prop_map(|(who, what)| Step::Ask(who, what)),
        1 => who.clone().prop_map(Step::Part),
        2 => who.clone().prop_map(Step::Cancel),
        1 => who.prop_map(Step::Anew),
        2 => (which.clone(), any::<bool>()).prop_map(|(which, agreed)| Step::Touch(which, agreed)),
        1 => which.clone().prop_map(Step::CloseWindow),
        3 => which.prop_map(Step::Phone),
        1 => Just(Step::Close),
        2 => prop_oneof![0..1000_u64, 100_000..700_000_u64].prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..80)
}

/// What is going on, as seen from outside.
#[derive(Default)]
struct Watch {
    /// Who waits for an answer, and for which site.
    waits: BTreeMap<u32, String>,
    /// Everything that was begun: the ticket, whether it is a phone's, and what it is for.
    begun: Vec<(Ticket, Option<PhoneRequest>)>,
    /// What has not been ended.
    open: Option<Ticket>,
}

impl Watch {
    fn look(&mut self, bench: &mut Bench) {
        while let Some(action) = bench.key.poll_action() {
            match action {
                Action::AskForTouch { ticket } => self.begin(ticket, None),
                Action::StartPhone { ticket, request } => self.begin(ticket, Some(request)),
                Action::StopAsking { ticket } | Action::CancelPhone { ticket } => {
                    assert_eq!(self.open.take(), Some(ticket), "what is ended was open");
                }
                Action::Wink => {}
            }
        }
        for (channel, command, reply) in bench.heard() {
            match command {
                CBOR => {
                    let site = self.waits.remove(&channel.0).expect("it has asked");
                    if reply[0] == 0 && reply.len() > 1 && reply[1] == 0x70 {
                        assert_eq!(&reply[2..], site.as_bytes(), "its own answer");
                    }
                }
                KEEPALIVE => assert!(self.waits.contains_key(&channel.0)),
                ERROR | INIT => {}
                other => panic!("{other}"),
            }
        }
        if self.open.is_some() {
            assert!(self.waits.len() == 1 && bench.key.poll_timeout().is_some(), "somebody waits for it");
        } else {
            assert!(self.waits.is_empty(), "nobody waits for nothing");
        }
    }

    fn begin(&mut self, ticket: Ticket, request: Option<PhoneRequest>) {
        assert_eq!(self.open.replace(ticket), None, "one at a time");
        self.begun.push((ticket, request));
    }
}

struct World {
    bench: Bench,
    watch: Watch,
    channels: Vec<ChannelId>,
}

impl World {
    fn step(&mut self, step: &Step) {
        let now = self.bench.now;
        match *step {
            Step::Ask(who, what) => self.ask(who, what),
            Step::Part(who) => {
                let channel = self.channels[who];
                self.bench.key.handle_report(&raw(channel, &[0x80 | CBOR, 1, 0]), now);
                self.bench.key.handle_report(&raw(channel, &[5]), now);
            }
            Step::Cancel(who) => {
                let channel = self.channels[who];
                self.bench.key.handle_report(&raw(channel, &[0x80 | CANCEL]), now);
            }
            Step::Anew(who) => {
                let channel = self.channels[who];
                self.bench.key.handle_report(&message(channel, INIT, b"nonceabc")[0], now);
                if self.watch.waits.remove(&channel.0).is_some() {
                    self.watch.look(&mut self.bench);
                }
            }
            Step::Touch(which, agreed) => {
                if let Some((ticket, request)) = self.ticket(which) {
                    self.bench.key.handle_touch(ticket, agreed);
                    self.ended(ticket, request.is_none());
                }
            }
            Step::CloseWindow(which) => {
                if let Some((ticket, _)) = self.ticket(which) {
                    self.bench.key.handle_window_closed(ticket, now);
                }
            }
            Step::Phone(which) => {
                if let Some((ticket, Some(request))) = self.ticket(which) {
                    let reply = [&[0, 0x70], request.rp_id.as_bytes()].concat();
                    self.bench.key.handle_phone_reply(ticket, reply, now);
                    self.ended(ticket, true);
                }
            }
            Step::Close => {
                self.watch.waits.clear();
                self.bench.key.handle_closed(now);
            }
            Step::Wait(milliseconds) => {
                self.bench.now += Duration::from_millis(milliseconds);
                self.bench.key.handle_timeout(self.bench.now);
            }
        }
        self.watch.look(&mut self.bench);
    }

    fn ask(&mut self, who: usize, what: usize) {
        let site = format!("site-{who}-{what}.example");
        let request = match what {
            0 => vec![0x04],
            1 => vec![0x0b],
            2 => get(&site, &[vec![1; 16]], Some(false)),
            3 => create(".dummy", &[], [9; 32], false),
            4 => create_for(&site, &[vec![1; 16]]),
            _ => get(&site, &[vec![1; 16]], None),
        };
        let channel = self.channels[who];
        let before = self.watch.waits.insert(channel.0, site);
        for report in message(channel, CBOR, &request) {
            self.bench.key.handle_report(&report, self.bench.now);
        }
        // An error means that it was not taken, and that a request of before goes on.
        let heard = self.bench.heard();
        assert!(!heard.is_empty(), "something is said at once");
        for (to, command, reply) in heard {
            assert_eq!(to, channel);
            match (command, &before) {
                (ERROR, Some(before)) => {
                    assert!(reply == [6] || reply == [4]);
                    self.watch.waits.insert(channel.0, before.clone());
                }
                (ERROR, None) | (CBOR, _) => drop(self.watch.waits.remove(&channel.0)),
                (other, _) => assert_eq!(other, KEEPALIVE),
            }
        }
    }

    fn ticket(&self, which: usize) -> Option<(Ticket, Option<PhoneRequest>)> {
        self.watch.begun.iter().rev().nth(which).cloned()
    }

    fn ended(&mut self, ticket: Ticket, fits: bool) {
        if fits && self.watch.open == Some(ticket) {
            self.watch.open = None;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_question_has_one_answer_and_every_window_an_end(steps in steps()) {
        let mut bench = Bench::new();
        let channels = (0..3).map(|_| bench.open()).collect();
        let mut world = World { bench, watch: Watch::default(), channels };
        for step in &steps {
            world.step(step);
        }
        world.step(&Step::Close);
        prop_assert_eq!((world.watch.open, world.bench.key.poll_timeout()), (None, None));
    }
}
