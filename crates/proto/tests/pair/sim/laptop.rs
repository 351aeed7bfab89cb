//! The driver of the laptop's machine, and the program that uses it.

use std::time::Instant;

use hybridge_proto::{
    channel::{ChannelId, Route, SightingId},
    client::{Action, ClientError, ClientMachine, Event, FoundBy, Link},
    qr::QrCode,
};

use super::{
    dice::machine_rng,
    remembered::Remembered,
    settings::Settings,
    trace::Who,
    wire::{End, Report, Stage},
    words::client_event,
    world::{Happening, World},
};

pub(crate) struct Laptop {
    pub(super) machine: ClientMachine,
    pub(super) scanning: bool,
    /// The code on the screen.
    pub(super) screen: Option<String>,
    /// Which run of a phone's machine it is connected to.
    pub(super) partner: Option<usize>,
    pub(super) found_by_code: bool,
    pub(super) requests: Vec<Vec<u8>>,
    pub(super) replies: usize,
    /// What phones gave it to remember.
    pub(crate) links: Vec<Link>,
    pub(super) end: Option<Result<(), ClientError>>,
}

impl Laptop {
    pub(super) fn new(settings: &Settings, now: Instant) -> Self {
        let (config, rng) = (settings.client_config(), machine_rng(settings.seed, 100));
        let machine = if settings.code {
            ClientMachine::with_code(config, rng, now)
        } else {
            ClientMachine::without_code(config, rng, now)
        };
        Self {
            machine,
            scanning: false,
            screen: None,
            partner: None,
            found_by_code: false,
            requests: Vec::new(),
            replies: 0,
            links: Vec::new(),
            end: None,
        }
    }
}

impl World {
    /// Calls phones that it knows from the settings, or from an earlier run.
    pub(super) fn start_laptop(&mut self, remembered: Vec<Link>) {
        let known = self.settings.calls.iter().map(|owner| Remembered::of(*owner).link());
        for link in known.collect::<Vec<_>>().into_iter().chain(remembered) {
            let called = self.laptop.machine.call(self.instant(), link);
            assert!(called.expect("a hashed domain").is_some());
        }
        self.settle_laptop();
    }

    /// What the contract asks for after every call.
    fn settle_laptop(&mut self) {
        loop {
            while let Some(action) = self.laptop.machine.poll_action() {
                self.laptop_acts(action);
            }
            let Some(event) = self.laptop.machine.poll_event() else { break };
            assert_eq!(self.laptop.end, None, "{event:?} after the last event");
            self.laptop_learns(event);
        }
        self.check_laptop();
    }

    fn laptop_acts(&mut self, action: Action) {
        assert_eq!(self.laptop.end, None, "{action:?} after the last event");
        match action {
            Action::StartScan => {
                assert!(!self.laptop.scanning, "scanning already");
                self.laptop.scanning = true;
            }
            Action::StopScan => {
                assert!(self.laptop.scanning, "not scanning");
                self.laptop.scanning = false;
            }
            Action::Dial { channel, route } => self.laptop_dials(channel, route),
            Action::Send { channel, message } => {
                let kind = match self.wire.number(End::Laptop(channel)) {
                    0 => "sends message 1",
                    _ => "sends a frame",
                };
                self.trace.message(Who::Laptop, kind, &message);
                self.transmit(End::Laptop(channel), message);
            }
            Action::Close { channel, code } => {
                self.trace.detail(Who::Laptop, "closes", format!("{channel} {code}"));
                self.hang_up(End::Laptop(channel));
            }
            other => panic!("an unknown action {other:?}"),
        }
    }

    fn laptop_dials(&mut self, channel: ChannelId, route: Route) {
        let end = End::Laptop(channel);
        match route {
            Route::Tunnel(request) => {
                self.trace.detail(Who::Laptop, "dials", channel.to_string());
                self.dial(end, &request);
            }
            Route::L2cap { psm, sighting } => {
                self.trace.detail(Who::Laptop, "dials over BLE", channel.to_string());
                self.wire.add(end, Stage::Dialing);
                let phone = usize::try_from(sighting.0).unwrap_or(usize::MAX);
                let after = self.settings.timing.laptop_opens;
                self.later(after, Happening::ConnectedOverBle { end, phone, psm });
            }
            other => panic!("an unknown route {other:?}"),
        }
    }

    pub(super) fn laptop_report(&mut self, channel: ChannelId, report: Report) {
        let now = self.instant();
        let machine = &mut self.laptop.machine;
        match report {
            Report::Opened { signal, .. } => {
                self.trace.note(Who::Laptop, "has an open channel");
                machine.handle_channel_opened(now, channel, signal);
            }
            Report::Failed(failure) => {
                self.trace.detail(Who::Laptop, "fails to dial", format!("{failure:?}"));
                machine.handle_dial_failed(now, channel, failure);
            }
            Report::Message(message) => {
                self.trace.message(Who::Laptop, "receives", &message);
                machine.handle_message(now, channel, message);
            }
            Report::Closed => {
                self.trace.note(Who::Laptop, "has a closed channel");
                machine.handle_channel_closed(now, channel);
            }
        }
        if self.settings.clumsy {
            self.laptop.machine.handle_timeout(now);
        }
        self.settle_laptop();
    }

    pub(super) fn laptop_heard(&mut self, data: &[u8], from: u64) {
        if !self.laptop.scanning && !self.settings.clumsy {
            return;
        }
        self.trace.message(Who::Laptop, "hears", data);
        self.laptop.machine.handle_service_data(self.instant(), data, SightingId(from));
        self.settle_laptop();
    }

    pub(super) fn laptop_timer(&mut self) {
        let now = self.instant();
        self.trace.note(Who::Laptop, "has a timer due");
        self.laptop.machine.handle_timeout(now);
        let next = self.laptop.machine.poll_timeout();
        assert!(next.is_none_or(|next| next > now), "a timer that stays due");
        self.settle_laptop();
    }

    pub(super) fn laptop_leaves(&mut self) {
        self.trace.note(Who::Laptop, "is told to end");
        self.laptop.machine.shutdown(self.instant());
        if self.settings.clumsy {
            self.laptop.machine.shutdown(self.instant());
        }
        self.settle_laptop();
    }

    fn laptop_learns(&mut self, event: Event) {
        match event {
            Event::ShowQr { uri, until } => {
                assert!(until > self.instant(), "a code that is out of date");
                self.trace.message(Who::Laptop, "shows a code", uri.expose_text().as_bytes());
                self.laptop_shows(uri.expose_text());
            }
            Event::HideQr => {
                self.trace.note(Who::Laptop, "hides the code");
                assert!(self.laptop.screen.take().is_some(), "no code to hide");
            }
            Event::Connected { found_by, get_info, .. } => {
                self.trace.note(Who::Laptop, "is connected");
                self.laptop_connected(found_by, &get_info.expect("the phones here take CTAP"));
            }
            Event::CtapReply(reply) => {
                self.trace.message(Who::Laptop, "has a reply", &reply);
                self.judge_reply(&reply);
                self.next_request();
            }
            Event::Linked(link) => {
                self.trace.note(Who::Laptop, "is linked");
                self.judge_link(*link);
            }
            Event::Finished => self.laptop_ends(Ok(())),
            Event::Failed(error) => self.laptop_ends(Err(error)),
            Event::JsonReply(_) => panic!("nobody sends JSON here"),
            told => self.trace.detail(Who::Laptop, "is told", client_event(&told)),
        }
    }

    fn laptop_shows(&mut self, uri: &str) {
        self.laptop.screen = Some(uri.to_owned());
        for owner in 0..self.owners.len() {
            self.later(self.settings.timing.scan, Happening::Scanned { owner });
        }
        if self.settings.impostors > 0 {
            self.send_impostors(&QrCode::parse(uri).expect("our own code"));
        }
    }

    fn laptop_connected(&mut self, found_by: FoundBy, get_info: &[u8]) {
        self.judge_connection(get_info);
        self.laptop.found_by_code = found_by == FoundBy::Code;
        self.next_request();
    }

    /// Sends the next request, or ends.
    fn next_request(&mut self) {
        let sent = self.laptop.requests.len();
        if sent == self.settings.requests {
            return self.laptop_leaves();
        }
        let length = 1 + self.dice.index(1_500);
        let mut request = self.dice.bytes(length);
        request.insert(0, 2);
        let result = self.laptop.machine.send_ctap(self.instant(), &request, self.settings.timing.reply);
        assert_eq!(result, Ok(()));
        self.trace.message(Who::Laptop, "requests", &request);
        self.laptop.requests.push(request);
    }

    fn laptop_ends(&mut self, end: Result<(), ClientError>) {
        self.trace.detail(Who::Laptop, "ends", format!("{end:?}"));
        self.laptop.end = Some(end);
    }
}
