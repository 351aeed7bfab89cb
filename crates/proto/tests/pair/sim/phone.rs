//! The drivers of the phones' machines, and the people who own the phones.

use core::time::Duration;
use std::time::Instant;

use hybridge_proto::{
    advert::Psm,
    authenticator::{
        Action, AuthenticatorConfig, AuthenticatorError, AuthenticatorMachine, Event, IncomingCall,
        StartError,
    },
    channel::ChannelId,
    ids::{RoutingId, TunnelId},
    link::ClientPayload,
    qr::QrCode,
};
use rand_core::CryptoRng;

use super::{
    dice::machine_rng,
    faults::{Fault, Point},
    remembered::Remembered,
    trace::Who,
    wire::{End, Report},
    world::{Happening, World},
};

/// A person with a phone.
pub(crate) struct Owner {
    scans_left: usize,
    /// The latest run of the phone's machine.
    phone: Option<usize>,
}

impl Owner {
    pub(super) const fn new(scans: usize) -> Self {
        Self { scans_left: scans, phone: None }
    }
}

/// One run of a phone's machine.
pub(crate) struct Phone {
    pub(super) machine: AuthenticatorMachine,
    pub(super) owner: usize,
    pub(super) listening: Option<Psm>,
    /// What its radio sends.
    pub(super) advert: Option<Vec<u8>>,
    pub(super) connected: bool,
    pub(super) requests: Vec<Vec<u8>>,
    pub(super) replies: Vec<Vec<u8>>,
    /// Whether a request waits for its reply.
    pub(super) serving: bool,
    pub(super) end: Option<Result<(), AuthenticatorError>>,
}

/// The getInfo of one run of a phone's machine. Not more than a number in a map, since nobody here reads it.
pub(super) fn get_info(phone: usize) -> Vec<u8> {
    vec![0xa1, 1, 0x18, u8::try_from(phone).expect("fewer than 256 runs")]
}

/// What an owner's phone answers to a request.
pub(super) fn reply_to(owner: usize, request: &[u8]) -> Vec<u8> {
    let owner = u8::try_from(owner).expect("a handful of owners");
    [0, owner].into_iter().chain(request.iter().rev().copied()).collect()
}

impl World {
    /// An owner looks at the screen.
    pub(super) fn owner_scans(&mut self, owner: usize) {
        let busy = self.owners[owner].phone.is_some_and(|phone| self.phones[phone].end.is_none());
        let Some(text) = self.laptop.screen.clone().filter(|_| !busy && self.owners[owner].scans_left > 0)
        else {
            return;
        };
        self.owners[owner].scans_left -= 1;
        let code = QrCode::parse(&text).expect("our own code");
        let (config, rng, now) = self.phone_parts(owner);
        self.start_phone(owner, AuthenticatorMachine::answer_code(config, &code, rng, now));
    }

    /// The tunnel service rings a phone for a laptop that remembers it.
    pub(super) fn phone_rung(
        &mut self,
        owner: usize,
        tunnel: TunnelId,
        routing: RoutingId,
        payload: ClientPayload,
    ) {
        let remembered = Remembered::of(owner);
        assert_eq!(payload.link, remembered.info().link);
        let call = IncomingCall::new(tunnel, routing, payload, remembered.secret(), remembered.identity);
        let (config, rng, now) = self.phone_parts(owner);
        self.start_phone(owner, AuthenticatorMachine::answer_call(config, call, rng, now));
    }

    /// What the next machine starts with.
    fn phone_parts(&self, owner: usize) -> (AuthenticatorConfig, Box<dyn CryptoRng + Send>, Instant) {
        let phone = self.phones.len();
        let stream = 200 + u64::try_from(phone).expect("a handful of phones");
        let config = self.settings.authenticator_config(owner, get_info(phone));
        (config, machine_rng(self.settings.seed, stream), self.instant())
    }

    fn start_phone(&mut self, owner: usize, machine: Result<AuthenticatorMachine, StartError>) {
        let phone = self.phones.len();
        self.trace.detail(Who::Phone(phone), "starts", format!("owner {owner}"));
        self.phones.push(Phone {
            machine: machine.expect("nothing keeps this phone from answering"),
            owner,
            listening: None,
            advert: None,
            connected: false,
            requests: Vec::new(),
            replies: Vec::new(),
            serving: false,
            end: None,
        });
        if let Some(owner) = self.owners.get_mut(owner) {
            owner.phone = Some(phone);
        }
        if let Some(after) = self.settings.timing.phone_leaves {
            self.later(after, Happening::PhoneLeaves { phone });
        }
        self.settle_phone(phone);
    }

    /// What the contract asks for after every call.
    fn settle_phone(&mut self, phone: usize) {
        loop {
            while let Some(action) = self.phones[phone].machine.poll_action() {
                self.phone_acts(phone, action);
            }
            let Some(event) = self.phones[phone].machine.poll_event() else { break };
            assert_eq!(self.phones[phone].end, None, "{event:?} after the last event");
            self.phone_learns(phone, event);
        }
        self.check_phone(phone);
    }

    fn phone_acts(&mut self, phone: usize, action: Action) {
        assert_eq!(self.phones[phone].end, None, "{action:?} after the last event");
        match action {
            Action::Dial { channel, request } => {
                self.trace.detail(Who::Phone(phone), "dials", channel.to_string());
                self.dial(End::Phone(phone, channel), &request);
            }
            Action::ListenL2cap => self.phone_listens(phone),
            Action::Advertise { service_data, connectable } => {
                self.trace.message(Who::Phone(phone), "advertises", &service_data);
                assert_eq!(connectable, self.phones[phone].listening.is_some());
                assert_eq!(self.phones[phone].advert.replace(service_data), None, "advertising already");
                self.later(Duration::from_millis(50), Happening::Broadcast { phone });
            }
            Action::StopAdvertising => {
                self.trace.note(Who::Phone(phone), "stops advertising");
                let state = &mut self.phones[phone];
                let advert = state.advert.take();
                assert!(advert.is_some() || state.listening.is_some(), "there is nothing to stop");
                state.listening = None;
            }
            Action::Send { channel, message } => self.phone_sends(phone, channel, message),
            Action::Close { channel, code } => {
                self.trace.detail(Who::Phone(phone), "closes", format!("{channel} {code}"));
                self.hang_up(End::Phone(phone, channel));
            }
            other => panic!("an unknown action {other:?}"),
        }
    }

    fn phone_sends(&mut self, phone: usize, channel: ChannelId, message: Vec<u8>) {
        let end = End::Phone(phone, channel);
        let kind = match self.wire.number(end) {
            0 => "sends message 2",
            1 => "sends its description",
            _ => "sends a frame",
        };
        self.trace.message(Who::Phone(phone), kind, &message);
        self.transmit(end, message);
    }

    fn phone_listens(&mut self, phone: usize) {
        let number = 0x80 + u16::try_from(phone).expect("a handful of phones");
        self.phones[phone].listening = Some(Psm(number));
        let fault = self.strike(Point::Listens);
        let report = |works| Happening::Listening { phone, works };
        let after = Duration::from_millis(10);
        match fault {
            Some(Fault::Drop) => {}
            Some(Fault::Late(seconds)) => self.later(after + Duration::from_secs(seconds), report(true)),
            Some(Fault::Fail(_)) => self.later(after, report(false)),
            Some(Fault::Duplicate) => {
                [report(true), report(true)].into_iter().for_each(|twice| self.later(after, twice))
            }
            _ => self.later(after, report(true)),
        }
    }

    pub(super) fn phone_listening(&mut self, phone: usize, works: bool) {
        let now = self.instant();
        let state = &mut self.phones[phone];
        match (works, state.listening) {
            (true, Some(psm)) => state.machine.handle_l2cap_listening(now, psm),
            (false, _) => {
                state.listening = None;
                state.machine.handle_l2cap_unavailable(now);
            }
            (true, None) => {}
        }
        self.settle_phone(phone);
    }

    pub(super) fn phone_report(&mut self, phone: usize, channel: ChannelId, report: Report) {
        let now = self.instant();
        let who = Who::Phone(phone);
        let machine = &mut self.phones[phone].machine;
        match report {
            Report::Opened { routing, .. } => {
                self.trace.note(who, "has an open channel");
                machine.handle_tunnel_opened(now, channel, routing);
            }
            Report::Failed(failure) => {
                self.trace.detail(who, "fails to dial", format!("{failure:?}"));
                machine.handle_dial_failed(now, channel, failure);
            }
            Report::Message(message) => {
                self.trace.message(who, "receives", &message);
                machine.handle_message(now, channel, message);
            }
            Report::Closed => {
                self.trace.note(who, "has a closed channel");
                machine.handle_channel_closed(now, channel);
            }
        }
        if self.settings.clumsy {
            self.phones[phone].machine.handle_timeout(now);
        }
        self.settle_phone(phone);
    }

    pub(super) fn phone_timer(&mut self, phone: usize) {
        let now = self.instant();
        self.trace.note(Who::Phone(phone), "has a timer due");
        let machine = &mut self.phones[phone].machine;
        machine.handle_timeout(now);
        assert!(machine.poll_timeout().is_none_or(|next| next > now), "a timer that stays due");
        self.settle_phone(phone);
    }

    fn phone_learns(&mut self, phone: usize, event: Event) {
        match event {
            Event::TunnelUnavailable(error) => {
                self.trace.detail(Who::Phone(phone), "has no tunnel", format!("{error:?}"));
                assert!(self.phones[phone].listening.is_some(), "there is nothing else either");
            }
            Event::Advertising => self.trace.note(Who::Phone(phone), "is on the air"),
            Event::ClientConnected => {
                self.trace.note(Who::Phone(phone), "has a client");
                self.phones[phone].connected = true;
            }
            Event::CtapRequest(request) => {
                self.trace.message(Who::Phone(phone), "has a request", &request);
                self.judge_request(phone, &request);
                self.phones[phone].serving = true;
                self.phones[phone].requests.push(request.clone());
                self.later(self.settings.timing.think, Happening::Answered { phone, request });
            }
            Event::Finished => self.phone_ends(phone, Ok(())),
            Event::Failed(error) => self.phone_ends(phone, Err(error)),
            other => panic!("nobody asked for {other:?}"),
        }
    }

    /// The owner has consented. Works exactly if the request still waits.
    pub(super) fn phone_answers(&mut self, phone: usize, request: &[u8]) {
        let now = self.instant();
        let state = &mut self.phones[phone];
        let reply = reply_to(state.owner, request);
        let sent = state.machine.reply(now, &reply);
        assert_eq!(sent.is_ok(), state.serving, "{sent:?}");
        if self.settings.clumsy {
            assert!(state.machine.reply(now, &reply).is_err(), "a second reply");
        }
        if sent.is_ok() {
            self.trace.message(Who::Phone(phone), "replies", &reply);
            state.replies.push(reply);
            state.serving = false;
        }
        self.settle_phone(phone);
    }

    pub(super) fn phone_leaves(&mut self, phone: usize) {
        self.trace.note(Who::Phone(phone), "is told to end");
        self.phones[phone].machine.shutdown();
        self.settle_phone(phone);
    }

    /// The machine has ended. Its owner scans again if a code is on the screen.
    fn phone_ends(&mut self, phone: usize, end: Result<(), AuthenticatorError>) {
        self.trace.detail(Who::Phone(phone), "ends", format!("{end:?}"));
        self.phones[phone].end = Some(end);
        self.phones[phone].serving = false;
        let owner = self.phones[phone].owner;
        if end.is_err() && owner < self.owners.len() {
            self.later(self.settings.timing.scan, Happening::Scanned { owner });
        }
    }
}
