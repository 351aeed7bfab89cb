//! A client's machine, its clock, and the log of what it did and told.

use core::time::Duration;
use std::time::Instant;

use hybridge_proto::{
    channel::{ChannelId, DialFailure, Route, SightingId},
    client::{Action, CallId, ClientConfig, ClientMachine, Event, Link},
    packets::Framing,
    qr::{Hint, QrCode},
};

use super::{HandPhone, HandSession};
use crate::pair::sim::{client_event, machine_rng, unwrapped};

pub(super) struct ClientDesk {
    pub(super) machine: ClientMachine,
    now: Instant,
    framing: Framing,
    log: Vec<String>,
    pub(super) codes: Vec<String>,
    pub(super) dials: Vec<(ChannelId, Route)>,
    sent: Vec<Vec<u8>>,
    pub(super) links: Vec<Link>,
}

pub(super) fn config() -> ClientConfig {
    ClientConfig::new(Hint::GetAssertion)
}

impl ClientDesk {
    /// Shows a code.
    pub(super) fn new(config: ClientConfig) -> Self {
        let (now, framing) = (Instant::now(), config.l2cap_framing);
        Self::with(ClientMachine::with_code(config, machine_rng(0, 100), now), now, framing)
    }

    /// Shows none.
    pub(super) fn without_code(config: ClientConfig) -> Self {
        let (now, framing) = (Instant::now(), config.l2cap_framing);
        Self::with(ClientMachine::without_code(config, machine_rng(0, 100), now), now, framing)
    }

    fn with(machine: ClientMachine, now: Instant, framing: Framing) -> Self {
        let (log, codes, dials) = (Vec::new(), Vec::new(), Vec::new());
        let mut desk = Self { machine, now, framing, log, codes, dials, sent: Vec::new(), links: Vec::new() };
        desk.settle();
        desk
    }

    pub(super) fn settle(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            self.note_action(action);
        }
        while let Some(event) = self.machine.poll_event() {
            self.note_event(event);
        }
    }

    fn note_action(&mut self, action: Action) {
        self.log.push(match action {
            Action::Dial { channel, route } => {
                let kind = if matches!(route, Route::Tunnel(_)) { "Dial" } else { "Dial over BLE" };
                self.dials.push((channel, route));
                format!("{kind} {channel}")
            }
            Action::Send { channel, message } => {
                let route = &self.dials.iter().find(|dial| dial.0 == channel).expect("dialed").1;
                self.sent.push(match route {
                    Route::Tunnel(_) => message,
                    _ => unwrapped(self.framing, &message),
                });
                format!("Send {channel}")
            }
            Action::Close { channel, code } => format!("Close {channel} {code}"),
            other => format!("{other:?}"),
        });
    }

    fn note_event(&mut self, event: Event) {
        self.log.push(client_event(&event));
        match event {
            Event::ShowQr { uri, .. } => self.codes.push(uri.expose_text().to_owned()),
            Event::Linked(link) => self.links.push(*link),
            _ => {}
        }
    }

    /// What happened since the last look, actions before events.
    pub(super) fn log(&mut self) -> Vec<String> {
        core::mem::take(&mut self.log)
    }

    pub(super) const fn now(&self) -> Instant {
        self.now
    }

    /// Lets time pass, with every timer at its time.
    pub(super) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.machine.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.machine.handle_timeout(self.now);
            self.settle();
            let next = self.machine.poll_timeout();
            assert!(next.is_none_or(|next| next > self.now), "a timer that stays due");
        }
        self.now = end;
    }

    /// Lets time pass without telling the machine.
    pub(super) fn oversleep(&mut self, time: Duration) {
        self.now += time;
    }

    /// The latest code.
    pub(super) fn code(&self) -> QrCode {
        QrCode::parse(self.codes.last().expect("a code was shown")).expect("our own code")
    }

    pub(super) fn hear(&mut self, service_data: &[u8]) {
        self.machine.handle_service_data(self.now, service_data, SightingId(1));
        self.settle();
    }

    pub(super) fn opened(&mut self, channel: ChannelId) {
        self.opened_with(channel, false);
    }

    pub(super) fn opened_with(&mut self, channel: ChannelId, signal: bool) {
        self.machine.handle_channel_opened(self.now, channel, signal);
        self.settle();
    }

    pub(super) fn failed(&mut self, channel: ChannelId, failure: DialFailure) {
        self.machine.handle_dial_failed(self.now, channel, failure);
        self.settle();
    }

    pub(super) fn closed(&mut self, channel: ChannelId) {
        self.machine.handle_channel_closed(self.now, channel);
        self.settle();
    }

    pub(super) fn receive(&mut self, channel: ChannelId, message: Vec<u8>) {
        self.machine.handle_message(self.now, channel, message);
        self.settle();
    }

    pub(super) fn shutdown(&mut self) {
        self.machine.shutdown(self.now);
        self.settle();
    }

    pub(super) fn call(&mut self, link: Link) -> Option<CallId> {
        let call = self.machine.call(self.now, link).expect("a hashed domain");
        self.settle();
        call
    }

    /// The channel of the latest dial.
    pub(super) fn channel(&self) -> ChannelId {
        self.dials.last().expect("something was dialed").0
    }

    /// The latest message.
    pub(super) fn sent(&mut self) -> Vec<u8> {
        self.sent.pop().expect("something was sent")
    }

    /// Hears a phone and lets the latest dial end in a finished handshake.
    pub(super) fn shake_hands(&mut self, phone: &HandPhone) -> (ChannelId, HandSession) {
        self.hear(&phone.advert());
        let channel = self.channel();
        self.opened(channel);
        let (message_2, session) = phone.respond(&self.sent());
        self.receive(channel, message_2);
        (channel, session)
    }

    /// The same where it may come to nothing.
    pub(super) fn shake_hands_if_possible(&mut self, phone: &HandPhone) -> Option<HandSession> {
        let dials = self.dials.len();
        self.hear(&phone.advert());
        let channel = self.dials.get(dials)?.0;
        self.opened(channel);
        let (message_2, session) = phone.respond(&self.sent.pop()?);
        self.receive(channel, message_2);
        Some(session)
    }

    /// A desk with a phone that has described itself, and an empty log.
    pub(super) fn connected(config: ClientConfig) -> (Self, ChannelId, HandSession) {
        let mut desk = Self::new(config);
        let phone = HandPhone::scan(&desk.code(), 1);
        let (channel, mut session) = desk.shake_hands(&phone);
        desk.receive(channel, session.describe());
        assert_eq!(desk.log().last().map(String::as_str), Some("Connected by code"));
        (desk, channel, session)
    }

    /// Sends a CTAP request that may take a minute.
    pub(super) fn request(&mut self, request: &[u8]) -> Result<(), hybridge_proto::client::RequestError> {
        let result = self.machine.send_ctap(self.now, request, Duration::from_secs(60));
        self.settle();
        result
    }
}
