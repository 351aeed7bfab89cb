//! The laptop's side as a state machine without I/O.
//!
//! # The calling contract
//!
//! [`ClientMachine`] reads no clock, owns no socket and no radio, and draws randomness from the generator it was
//! given and nowhere else. A driver
//!
//! 1. tells what happened: the `handle_*` methods, each with the current [`Instant`];
//! 2. passes on what the caller wants: [`ClientMachine::send_ctap`], [`ClientMachine::call`],
//!    [`ClientMachine::shutdown`] …;
//! 3. after every such call drains [`ClientMachine::poll_action`] and carries the actions out in order, then drains
//!    [`ClientMachine::poll_event`];
//! 4. calls [`ClientMachine::handle_timeout`] when [`ClientMachine::poll_timeout`] is due. The answer changes with
//!    every call, so it is asked for after draining.
//!
//! Calls that come too late, such as a report about a channel that was closed meanwhile, are harmless. A machine
//! that has failed or finished stays so; its last event is [`Event::Failed`] or [`Event::Finished`].
//!
//! # What it decides
//!
//! It shows a fresh code when the last one has been on the screen for its time or when a phone answered and was not
//! reached, follows up to four adverts at once, lets the first finished handshake win, keeps remembered phones and
//! codes in one search, and never sends a request before a handshake that proves the phone has heard of this code
//! and this machine has heard the phone.

mod attempt;
mod code;
mod config;
mod event;
mod search;
mod session;

use core::{fmt, time::Duration};
use std::{collections::VecDeque, time::Instant};

use rand_core::CryptoRng;

use self::{
    code::Codes,
    search::{Found, Search},
    session::{Next, Session, read_post_handshake},
};
pub use self::{
    config::{ClientConfig, ClientTiming, Link},
    event::{Action, AttemptError, CallId, ClientError, Event, FoundBy, RequestError},
};
use crate::{
    channel::{ChannelId, CloseCode, DialFailure, SightingId},
    domain::UnassignedDomain,
    message::Message,
    time::deadline,
};

/// The client of one ceremony: finds one phone and talks with it. The calling contract is in the
/// [module's text](self).
pub struct ClientMachine {
    context: Context,
    phase: Phase,
}

/// What every phase needs.
struct Context {
    config: ClientConfig,
    rng: Box<dyn CryptoRng + Send>,
    started: Instant,
    out: Outbox,
    channels: u64,
}

impl Context {
    fn next_channel(&mut self) -> ChannelId {
        self.channels = self.channels.saturating_add(1);
        ChannelId(self.channels)
    }
}

#[derive(Default)]
struct Outbox {
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
}

impl Outbox {
    fn action(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }
}

enum Phase {
    Searching(Search),
    /// The handshake is done; the phone's description is due.
    ExpectPostHandshake {
        found: Box<Found>,
        deadline: Instant,
    },
    Connected(Box<Session>),
    Closed,
}

impl Phase {
    /// Whether the phone has a tunnel beside the channel it is being connected over.
    fn has_fallback(&self) -> bool {
        matches!(self, Self::ExpectPostHandshake { found, .. } if found.attempt.has_fallback())
    }
}

impl ClientMachine {
    /// Starts scanning and shows a code.
    ///
    /// For each code it draws 16 bytes of QR secret and then 32 bytes of key from `rng`, and 32 bytes for each
    /// handshake.
    pub fn with_code(config: ClientConfig, rng: Box<dyn CryptoRng + Send>, now: Instant) -> Self {
        let mut machine = Self::without_code(config, rng, now);
        machine.show_code(now);
        machine
    }

    /// Starts scanning for remembered phones that are yet to be [called](Self::call).
    pub fn without_code(config: ClientConfig, rng: Box<dyn CryptoRng + Send>, now: Instant) -> Self {
        let mut context = Context { config, rng, started: now, out: Outbox::default(), channels: 0 };
        context.out.action(Action::StartScan);
        let search = Search::new(&context, now, Codes::none());
        Self { context, phase: Phase::Searching(search) }
    }

    /// Shows a fresh code, in place of the one on the screen. Does nothing once a phone is found.
    pub fn show_code(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Searching(search) if search.scanning => search.codes.show_fresh(&mut self.context, now),
            _ => {}
        }
    }

    /// Calls a remembered phone, beside the code and other calls. `None` once a phone is found.
    ///
    /// Each of two tries draws 16 bytes of nonce.
    ///
    /// # Errors
    /// [`UnassignedDomain`] when the link's tunnel service has no known host.
    pub fn call(&mut self, now: Instant, link: Link) -> Result<Option<CallId>, UnassignedDomain> {
        match &mut self.phase {
            Phase::Searching(search) if search.scanning => {
                search.call(&mut self.context, now, link).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Service data was heard under one of the transport's UUIDs. Most of it is not for us and is ignored.
    pub fn handle_service_data(&mut self, now: Instant, data: &[u8], sighting: SightingId) {
        // Where a driver's timers are late, a code's time is over all the same.
        self.handle_timeout(now);
        if let Phase::Searching(search) = &mut self.phase {
            search.service_data(&mut self.context, now, data, sighting);
        }
    }

    /// A channel is open. `signal` tells whether the tunnel service repeated the connect-signal header.
    pub fn handle_channel_opened(&mut self, now: Instant, channel: ChannelId, signal: bool) {
        if let Phase::Searching(search) = &mut self.phase {
            search.opened(&mut self.context, now, channel, signal);
        }
    }

    /// A channel could not be opened.
    pub fn handle_dial_failed(&mut self, now: Instant, channel: ChannelId, failure: DialFailure) {
        if let Phase::Searching(search) = &mut self.phase {
            search.failed(&mut self.context, now, channel, failure.into());
            self.judge_search(now);
        }
    }

    /// Something came in: one binary websocket message, whole, or one packet of an L2CAP channel, as it came.
    pub fn handle_message(&mut self, now: Instant, channel: ChannelId, message: Vec<u8>) {
        match &mut self.phase {
            Phase::Searching(search) => {
                if let Some(found) = search.message(&mut self.context, now, channel, message) {
                    self.won(now, found);
                } else {
                    self.judge_search(now);
                }
            }
            Phase::ExpectPostHandshake { found, .. } if found.attempt.channel == channel => {
                found.attempt.inbox.push(message);
            }
            Phase::Connected(session) if session.channel == channel => session.inbox.push(message),
            _ => return,
        }
        while self.read_frame(now) {}
    }

    /// Reads one frame of what has come in, if there is one.
    fn read_frame(&mut self, now: Instant) -> bool {
        match &mut self.phase {
            Phase::ExpectPostHandshake { found, .. } => {
                let read = read_post_handshake(&self.context, found).transpose();
                read.map(|read| self.described(now, read)).is_some()
            }
            Phase::Connected(session) => {
                let next = session.read(&mut self.context).transpose();
                next.map(|next| self.session_moved(next)).is_some()
            }
            Phase::Searching(_) | Phase::Closed => false,
        }
    }

    /// A channel closed or broke, however.
    pub fn handle_channel_closed(&mut self, now: Instant, channel: ChannelId) {
        match &mut self.phase {
            Phase::Searching(search) => {
                search.failed(&mut self.context, now, channel, AttemptError::ChannelLost);
                self.judge_search(now);
            }
            Phase::ExpectPostHandshake { found, .. } if found.attempt.channel == channel => {
                self.lost_early(now)
            }
            Phase::Connected(session) if session.channel == channel => {
                // There is nothing left to close.
                match session.ended() {
                    Ok(_) => self.finish(),
                    Err(error) => self.fail(error),
                }
            }
            _ => {}
        }
    }

    /// A deadline of [`Self::poll_timeout`] has come. Early and repeated calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Searching(search) => {
                search.handle_timeout(&mut self.context, now);
                self.judge_search(now);
            }
            Phase::ExpectPostHandshake { deadline, .. } if *deadline <= now => {
                self.described(now, Err(ClientError::Silent));
            }
            Phase::Connected(session) => {
                let next = session.handle_timeout(&mut self.context, now);
                self.session_moved(next);
            }
            _ => {}
        }
    }

    /// Sends a CTAP request, command byte and CBOR, to be answered within `timeout`.
    ///
    /// # Errors
    /// [`RequestError`]; nothing was sent then.
    pub fn send_ctap(&mut self, now: Instant, request: &[u8], timeout: Duration) -> Result<(), RequestError> {
        self.request(now, &Message::Ctap(request.to_vec()), timeout)
    }

    /// Sends a JSON request for digital credentials, to be answered within `timeout`.
    ///
    /// # Errors
    /// [`RequestError`]; nothing was sent then.
    pub fn send_json(&mut self, now: Instant, request: &[u8], timeout: Duration) -> Result<(), RequestError> {
        self.request(now, &Message::Json(request.to_vec()), timeout)
    }

    fn request(&mut self, now: Instant, message: &Message, timeout: Duration) -> Result<(), RequestError> {
        match &mut self.phase {
            Phase::Connected(session) => session.request(&mut self.context, now, message, timeout),
            _ => Err(RequestError::NotConnected),
        }
    }

    /// Ends the session, or gives up the search. A request that is out is given up: there is no other cancel.
    ///
    /// If linking information is accepted, the machine lingers for it before [`Event::Finished`].
    pub fn shutdown(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Searching(search) => {
                search.codes.hide(&mut self.context, now);
                search.stop(&mut self.context);
                self.end(Event::Finished);
            }
            Phase::ExpectPostHandshake { found, .. } => {
                found.attempt.close(&mut self.context, CloseCode::GOING_AWAY);
                self.end(Event::Finished);
            }
            Phase::Connected(session) => {
                let next = session.shutdown(&mut self.context, now);
                self.session_moved(Ok(next));
            }
            Phase::Closed => {}
        }
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.context.out.actions.pop_front()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.context.out.events.pop_front()
    }

    /// When [`Self::handle_timeout`] is due; `None` if nothing is waited for.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Searching(search) => search.next_timeout(),
            Phase::ExpectPostHandshake { deadline, .. } => Some(*deadline),
            Phase::Connected(session) => session.next_timeout(),
            Phase::Closed => None,
        }
    }

    /// Whether the machine has failed or finished.
    pub const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    fn judge_search(&mut self, now: Instant) {
        let Phase::Searching(search) = &mut self.phase else { return };
        if let Some(error) = search.verdict(now) {
            search.codes.hide(&mut self.context, now);
            search.stop(&mut self.context);
            self.fail(error);
        }
    }

    /// The first finished handshake: everything else stops.
    fn won(&mut self, now: Instant, found: Found) {
        if let Phase::Searching(search) = &mut self.phase {
            search.codes.hide(&mut self.context, now);
            search.stop(&mut self.context);
        }
        let deadline = deadline(now, self.context.config.timing.post_handshake);
        self.phase = Phase::ExpectPostHandshake { found: Box::new(found), deadline };
    }

    fn described(&mut self, now: Instant, read: Result<crate::message::PostHandshake, ClientError>) {
        match (read, core::mem::replace(&mut self.phase, Phase::Closed)) {
            (Ok(post_handshake), Phase::ExpectPostHandshake { found, .. }) => {
                let session = Session::start(&mut self.context, *found, post_handshake);
                self.phase = Phase::Connected(Box::new(session));
            }
            // The channel is at fault and not the phone.
            (Err(error @ (ClientError::Frame(_) | ClientError::Silent)), phase) if phase.has_fallback() => {
                self.phase = phase;
                self.close_channel(error.close_code());
                self.lost_early(now);
            }
            (Err(error), phase) => {
                self.phase = phase;
                self.close_and_fail(error);
            }
            (Ok(_), phase) => self.phase = phase,
        }
    }

    /// The channel died between handshake and description. A BLE channel has the tunnel to fall back to.
    fn lost_early(&mut self, now: Instant) {
        let Phase::ExpectPostHandshake { found, .. } = core::mem::replace(&mut self.phase, Phase::Closed)
        else {
            return;
        };
        if found.attempt.has_fallback() {
            self.phase = Phase::Searching(Search::for_fallback(&mut self.context, now, found.attempt));
        } else {
            self.fail(ClientError::PhoneLeft);
        }
    }

    fn session_moved(&mut self, next: Result<Next, ClientError>) {
        let Phase::Connected(session) = &mut self.phase else { return };
        match next {
            Ok(Next::Stay) => {}
            Ok(Next::Finished) => {
                session.close(&mut self.context, CloseCode::NORMAL);
                self.finish();
            }
            Err(error) => self.close_and_fail(error),
        }
    }

    fn close_and_fail(&mut self, error: ClientError) {
        self.close_channel(error.close_code());
        match &self.phase {
            Phase::Connected(session) if session.is_lingering() => self.finish(),
            _ => self.fail(error),
        }
    }

    fn close_channel(&mut self, code: CloseCode) {
        match &self.phase {
            Phase::ExpectPostHandshake { found, .. } => found.attempt.close(&mut self.context, code),
            Phase::Connected(session) => session.close(&mut self.context, code),
            Phase::Searching(_) | Phase::Closed => {}
        }
    }

    fn finish(&mut self) {
        self.end(Event::Finished);
    }

    fn fail(&mut self, error: ClientError) {
        self.end(Event::Failed(error));
    }

    fn end(&mut self, event: Event) {
        self.phase = Phase::Closed;
        self.context.out.event(event);
    }
}

impl fmt::Debug for ClientMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Searching(_) => "Searching",
            Phase::ExpectPostHandshake { .. } => "ExpectPostHandshake",
            Phase::Connected(_) => "Connected",
            Phase::Closed => "Closed",
        };
        f.debug_struct("ClientMachine").field("phase", &phase).finish_non_exhaustive()
    }
}
