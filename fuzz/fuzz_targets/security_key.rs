//! The virtual security key among three programs, a person and a phone that do anything; the steps are those of
//! `hybridge_fuzz_input::security_key`. Nothing is answered twice or to somebody else, every window has an end, and memory
//! is bounded.
#![no_main]

use std::time::{Duration, Instant};

use hybridge_fuzz_input::{Reader, security_key as step};
use hybridge_security_key::{
    Action, KeyMachine, Ticket,
    hid::{MAX_MESSAGE, REPORT_SIZE, Report},
};
use libfuzzer_sys::fuzz_target;

const CBOR: u8 = 0x90;
const KEEPALIVE: u8 = 0xbb;

struct World {
    key: KeyMachine,
    now: Instant,
    /// What was begun, the newest last, and what of it is open.
    begun: Vec<Ticket>,
    open: Option<Ticket>,
}

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(bytes);
    let mut world = World { key: KeyMachine::new(), now: Instant::now(), begun: Vec::new(), open: None };
    for _ in 0..3 {
        world.report(&[0xff, 0xff, 0xff, 0xff, 0x86, 0, 8]);
    }
    while !reader.is_empty() {
        world.step(&mut reader);
        world.look();
    }
    world.key.handle_closed(world.now);
    world.look();
    assert!(world.open.is_none() && world.key.poll_timeout().is_none(), "nothing is left");
});

impl World {
    fn step(&mut self, reader: &mut Reader<'_>) {
        match reader.byte() % step::COUNT {
            step::MESSAGE => {
                let (channel, command, message) = (reader.byte() % 5, reader.byte(), reader.chunk());
                self.message(channel, command, message);
            }
            step::REPORT => {
                let (channel, kind) = (reader.byte() % 5, reader.byte());
                self.report(&[&[0, 0, 0, channel, kind], reader.chunk()].concat());
            }
            step::TOUCH => {
                let (ticket, agreed) = (self.ticket(reader.byte()), reader.byte() & 1 == 1);
                ticket.into_iter().for_each(|ticket| self.key.handle_touch(ticket, agreed));
            }
            step::CLOSE_WINDOW => {
                let ticket = self.ticket(reader.byte());
                ticket.into_iter().for_each(|ticket| self.key.handle_window_closed(ticket, self.now));
            }
            step::REPLY => {
                let (ticket, reply) = (self.ticket(reader.byte()), reader.chunk());
                ticket
                    .into_iter()
                    .for_each(|ticket| self.key.handle_phone_reply(ticket, reply.to_vec(), self.now));
            }
            step::GONE => self.key.handle_closed(self.now),
            _ => {
                self.now += Duration::from_millis(u64::from(u16::from_le_bytes(reader.array())) * 1000 / 16);
                self.key.handle_timeout(self.now);
            }
        }
    }

    fn report(&mut self, bytes: &[u8]) {
        let mut report = [0; REPORT_SIZE];
        report.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.key.handle_report(&Report(report), self.now);
    }

    fn message(&mut self, channel: u8, command: u8, message: &[u8]) {
        let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
        let (first, rest) = message.split_at(message.len().min(REPORT_SIZE - 7));
        self.report(&[&[0, 0, 0, channel, command | 0x80], length.as_slice(), first].concat());
        for (number, piece) in rest.chunks(REPORT_SIZE - 5).take(128).enumerate() {
            self.report(&[&[0, 0, 0, channel, u8::try_from(number).unwrap_or(0x7f)], piece].concat());
        }
    }

    fn ticket(&self, which: u8) -> Option<Ticket> {
        self.begun.iter().rev().nth(usize::from(which % 4)).copied()
    }

    fn look(&mut self) {
        let mut bytes = 0;
        let mut answered = false;
        while let Some(Report(report)) = self.key.poll_report() {
            bytes += report.len();
            answered |= report[4] == CBOR;
            assert!(report[4] != KEEPALIVE || (1..=2).contains(&report[7]), "a state that there is");
        }
        assert!(bytes <= 4 * (MAX_MESSAGE + 129 * 7), "a few messages at once at most");
        if answered {
            self.open = None;
        }
        while let Some(action) = self.key.poll_action() {
            match action {
                Action::AskForTouch { ticket } | Action::StartPhone { ticket, .. } => {
                    assert!(self.open.replace(ticket).is_none(), "one at a time");
                    self.begun.push(ticket);
                }
                Action::StopAsking { ticket } | Action::CancelPhone { ticket } => {
                    assert!(self.open.take().is_none_or(|open| open == ticket), "what is ended was begun");
                }
                _ => {}
            }
        }
    }
}
