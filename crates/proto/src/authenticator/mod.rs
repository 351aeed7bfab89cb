//! The phone's side as a state machine without I/O.
//!
//! # The calling contract
//!
//! As for [`crate::client`]: tell [`AuthenticatorMachine`] what happened (`handle_*`, each with the current
//! [`Instant`]) or what the caller wants ([`AuthenticatorMachine::reply`], [`AuthenticatorMachine::shutdown`]), then
//! drain [`AuthenticatorMachine::poll_action`] and carry the actions out in order, then drain
//! [`AuthenticatorMachine::poll_event`], then ask [`AuthenticatorMachine::poll_timeout`] when
//! [`AuthenticatorMachine::handle_timeout`] is due.
//!
//! # What it decides
//!
//! It advertises only once its tunnel is open, or is known not to open while a BLE channel can be offered instead. It
//! hands out no request before a handshake has proved that the client made the code (or holds the link) and heard the
//! advert. A failed handshake in the tunnel ends the session: a new code is needed. Over BLE, where anybody in range can
//! connect, it ends that connection, and a client that passed may fall back to the tunnel until it has said something.

mod advertising;
mod config;
mod event;
mod prepare;
mod session;

use core::fmt;
use std::{collections::VecDeque, time::Instant};

use rand_core::CryptoRng;

use self::{
    advertising::{Advertising, Outcome, Passed},
    prepare::{Prepared, Preparing},
    session::{Next, Session},
};
pub use self::{
    config::{AuthenticatorConfig, AuthenticatorTiming, IncomingCall, LinkOffer, StartError},
    event::{Action, AuthenticatorError, Event, ReplyError},
};
use crate::{
    advert::{Psm, seal, service_data},
    channel::{ChannelId, CloseCode, DialFailure},
    ids::{AdvertNonce, RoutingId},
    qr::QrCode,
    time::deadline,
};

/// The authenticator of one ceremony: waits for one client and answers it. The calling contract is in the
/// [module's text](self).
pub struct AuthenticatorMachine {
    context: Context,
    phase: Phase,
}

struct Context {
    config: AuthenticatorConfig,
    rng: Box<dyn CryptoRng + Send>,
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
    /// Opening the tunnel, and listening.
    Preparing(Box<Preparing>),
    /// On the air, message 1 is due on any of the channels. Or off the air again, when a client that has passed the
    /// handshake over BLE was lost and may come back through the tunnel.
    Advertising(Box<Advertising>),
    Connected(Box<Session>),
    Closed,
}

impl AuthenticatorMachine {
    /// Answers a scanned code: opens the tunnel, then advertises.
    ///
    /// From `rng` it draws 10 bytes of advert nonce, 3 bytes in the routing ID's place if there is no tunnel, and then
    /// 32 bytes of ephemeral key at each message 1.
    ///
    /// # Errors
    /// [`StartError`] when this authenticator and the client cannot meet. Nothing was sent then.
    pub fn answer_code(
        config: AuthenticatorConfig,
        code: &QrCode,
        rng: Box<dyn CryptoRng + Send>,
        now: Instant,
    ) -> Result<Self, StartError> {
        let mut context = Context { config, rng, out: Outbox::default(), channels: 0 };
        let preparing = Preparing::for_code(&mut context, code, now)?;
        let mut machine = Self { context, phase: Phase::Preparing(Box::new(preparing)) };
        machine.advertise_if_ready(now);
        Ok(machine)
    }

    /// Answers a call from a client that remembers this authenticator: joins its tunnel, then advertises.
    ///
    /// From `rng` it draws 10 bytes of advert nonce and 3 bytes in the routing ID's place, then 32 bytes of ephemeral
    /// key.
    ///
    /// # Errors
    /// [`StartError::Unassigned`].
    pub fn answer_call(
        config: AuthenticatorConfig,
        call: IncomingCall,
        rng: Box<dyn CryptoRng + Send>,
        now: Instant,
    ) -> Result<Self, StartError> {
        let mut context = Context { config, rng, out: Outbox::default(), channels: 0 };
        let preparing = Preparing::for_call(&mut context, call, now)?;
        Ok(Self { context, phase: Phase::Preparing(Box::new(preparing)) })
    }

    /// The tunnel is open. `routing` is what the tunnel service gave in answer to `/cable/new`; an answer without a
    /// usable one is a failed dial. A called authenticator needs none.
    pub fn handle_tunnel_opened(&mut self, now: Instant, channel: ChannelId, routing: Option<RoutingId>) {
        let Phase::Preparing(preparing) = &mut self.phase else { return };
        let prepared = preparing.tunnel_opened(&mut self.context, channel, routing);
        self.preparing_moved(now, prepared);
    }

    /// The tunnel could not be opened.
    pub fn handle_dial_failed(&mut self, now: Instant, channel: ChannelId, failure: DialFailure) {
        let Phase::Preparing(preparing) = &mut self.phase else { return };
        let prepared = preparing.dial_failed(&mut self.context, now, channel, failure);
        self.preparing_moved(now, prepared);
    }

    /// The driver listens for L2CAP connections under this PSM.
    pub fn handle_l2cap_listening(&mut self, now: Instant, psm: Psm) {
        if let Phase::Preparing(preparing) = &mut self.phase {
            let prepared = preparing.l2cap_known(Some(psm));
            self.preparing_moved(now, prepared);
        }
    }

    /// The driver cannot listen for L2CAP connections, or not any more; the tunnel has to do.
    pub fn handle_l2cap_unavailable(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Preparing(preparing) => {
                let prepared = preparing.l2cap_known(None);
                self.preparing_moved(now, prepared);
            }
            Phase::Advertising(advertising) => {
                let anybody_left = advertising.stopped_listening();
                if !anybody_left {
                    self.stop_advertising(Event::Failed(DialFailure::L2cap.into()));
                }
            }
            _ => {}
        }
    }

    /// A device connected over L2CAP. Gives the name of its channel, or `None` if nobody is expected: then the
    /// driver drops the connection.
    pub fn handle_l2cap_accepted(&mut self) -> Option<ChannelId> {
        match &mut self.phase {
            Phase::Advertising(advertising) => advertising.accept(&mut self.context),
            _ => None,
        }
    }

    /// Something came in: one websocket message, whole, or one packet of an L2CAP channel, as it came.
    pub fn handle_message(&mut self, now: Instant, channel: ChannelId, message: Vec<u8>) {
        match &mut self.phase {
            Phase::Advertising(advertising) => {
                let outcome = advertising.message(&mut self.context, channel, message);
                self.advertising_moved(now, outcome);
            }
            Phase::Connected(session) if session.channel == channel => session.inbox.push(message),
            Phase::Connected(_) => self.fallback_message(now, channel, message),
            Phase::Preparing(_) | Phase::Closed => return,
        }
        while self.read_frame() {}
    }

    /// A channel closed or broke, however.
    pub fn handle_channel_closed(&mut self, now: Instant, channel: ChannelId) {
        match &mut self.phase {
            Phase::Preparing(preparing) => {
                let prepared = preparing.tunnel_lost(&mut self.context, now, channel);
                self.preparing_moved(now, prepared);
            }
            Phase::Advertising(advertising) => {
                if !advertising.closed(channel) {
                    self.stop_advertising(Event::Failed(AuthenticatorError::TunnelLost));
                }
            }
            Phase::Connected(session) if session.channel == channel => {
                match (session.fallback.take(), session.ended()) {
                    (Some(fallback), _) => self.phase = Phase::Advertising(fallback),
                    (None, Ok(_)) => self.end(Event::Finished),
                    (None, Err(error)) => self.end(Event::Failed(error)),
                }
            }
            Phase::Connected(session) => session.fallback_closed(channel),
            Phase::Closed => {}
        }
    }

    /// A deadline of [`Self::poll_timeout`] has come. Early and repeated calls are harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Preparing(preparing) => {
                let prepared = preparing.handle_timeout(&mut self.context, now);
                self.preparing_moved(now, prepared);
            }
            Phase::Advertising(advertising) if advertising.until <= now => {
                self.stop_advertising(Event::Failed(AuthenticatorError::NobodyCame));
            }
            Phase::Connected(session) => {
                let next = session.handle_timeout(now);
                self.session_moved(next);
            }
            _ => {}
        }
    }

    /// Answers the request that is waiting: status byte and CBOR, or JSON.
    ///
    /// # Errors
    /// [`ReplyError`]; nothing was sent then.
    pub fn reply(&mut self, now: Instant, payload: &[u8]) -> Result<(), ReplyError> {
        match &mut self.phase {
            Phase::Connected(session) => session.reply(&mut self.context, now, payload),
            _ => Err(ReplyError::NoRequest),
        }
    }

    /// Ends the session from this side. There is no message for it: the channel closes.
    pub fn shutdown(&mut self) {
        match &mut self.phase {
            Phase::Preparing(preparing) => {
                preparing.close(&mut self.context);
                self.end(Event::Finished);
            }
            Phase::Advertising(_) => self.stop_advertising(Event::Finished),
            Phase::Connected(session) => {
                session.close(&mut self.context, CloseCode::NORMAL);
                self.end(Event::Finished);
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
            Phase::Preparing(preparing) => preparing.next_timeout(),
            Phase::Advertising(advertising) => Some(advertising.until),
            Phase::Connected(session) => session.next_timeout(),
            Phase::Closed => None,
        }
    }

    /// Whether the machine has failed or finished.
    pub const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Goes on, or ends after a failure that has taken the tunnel with it.
    fn preparing_moved(&mut self, now: Instant, prepared: Result<(), AuthenticatorError>) {
        match (prepared, &self.phase) {
            (Ok(()), _) => self.advertise_if_ready(now),
            (Err(error), phase) => {
                if let Phase::Preparing(preparing) = phase {
                    preparing.stop_listening(&mut self.context);
                }
                self.end(Event::Failed(error));
            }
        }
    }

    fn advertise_if_ready(&mut self, now: Instant) {
        let Phase::Preparing(preparing) = &self.phase else { return };
        if !preparing.is_ready() {
            return;
        }
        let Phase::Preparing(preparing) = core::mem::replace(&mut self.phase, Phase::Closed) else { return };
        let Prepared { origin, routing, psm, tunnel, failure } = preparing.into_parts();
        if let Some(failure) = failure {
            self.context.out.event(Event::TunnelUnavailable(failure));
        }
        let nonce = AdvertNonce::generate(&mut *self.context.rng);
        let routing = routing.unwrap_or_else(|| RoutingId::generate(&mut *self.context.rng));
        let plaintext = crate::advert::AdvertPlaintext::new(&nonce, routing, self.context.config.domain);
        let advert = seal(&origin.eid_key(), &plaintext);
        let data = service_data(&advert, psm);
        self.context.out.action(Action::Advertise { service_data: data, connectable: psm.is_some() });
        self.context.out.event(Event::Advertising);
        let psk = origin.psk(&plaintext);
        let until = deadline(now, self.context.config.timing.advertise);
        let advertising = Advertising::new(origin, psk, tunnel, psm.is_some(), until);
        self.phase = Phase::Advertising(Box::new(advertising));
    }

    fn advertising_moved(&mut self, now: Instant, outcome: Outcome) {
        match outcome {
            Outcome::Waiting => {}
            Outcome::Hopeless(error) => self.stop_advertising(Event::Failed(error.into())),
            Outcome::Passed(passed) => {
                if let Phase::Advertising(advertising) = core::mem::replace(&mut self.phase, Phase::Closed) {
                    self.connect(now, *advertising, *passed);
                }
            }
        }
    }

    fn connect(&mut self, now: Instant, advertising: Advertising, passed: Passed) {
        let linkable = advertising.linkable();
        let fallback = advertising.into_fallback(&mut self.context);
        let (channel, message) = (passed.channel, passed.inbox.outgoing(passed.message_2.to_vec()));
        self.context.out.action(Action::Send { channel, message });
        self.context.out.event(Event::ClientConnected);
        let mut session = Session::new(&self.context, now, passed, fallback);
        let described = session.describe(&mut self.context, linkable);
        self.phase = Phase::Connected(Box::new(session));
        if let Err(error) = described {
            self.session_moved(Err(error.into()));
        }
    }

    /// A message on another channel than the session's: that of a client that falls back to the tunnel.
    fn fallback_message(&mut self, now: Instant, channel: ChannelId, message: Vec<u8>) {
        let Phase::Connected(session) = &mut self.phase else { return };
        let Some(fallback) = &mut session.fallback else { return };
        match fallback.message(&mut self.context, channel, message) {
            Outcome::Waiting => {}
            Outcome::Hopeless(_) => session.fallback = None,
            Outcome::Passed(passed) => {
                if let Some(fallback) = session.fallback.take() {
                    session.close(&mut self.context, CloseCode::GOING_AWAY);
                    self.connect(now, *fallback, *passed);
                }
            }
        }
    }

    /// Reads one frame of what has come in, if there is one.
    fn read_frame(&mut self) -> bool {
        let Phase::Connected(session) = &mut self.phase else { return false };
        let next = session.read(&mut self.context).transpose();
        next.map(|next| self.session_moved(next)).is_some()
    }

    fn stop_advertising(&mut self, event: Event) {
        if let Phase::Advertising(advertising) = &mut self.phase {
            advertising.close(&mut self.context);
        }
        self.end(event);
    }

    fn session_moved(&mut self, next: Result<Next, AuthenticatorError>) {
        let Phase::Connected(session) = &mut self.phase else { return };
        let fallback = session.fallback.take_if(|_| matches!(next, Err(AuthenticatorError::Frame(_))));
        match next {
            Ok(Next::Stay) => {}
            Ok(Next::Finished) => {
                session.close(&mut self.context, CloseCode::NORMAL);
                self.end(Event::Finished);
            }
            Err(error) => {
                session.close(&mut self.context, CloseCode::PROTOCOL);
                match fallback {
                    // What broke is the BLE channel, before the client said anything.
                    Some(fallback) => self.phase = Phase::Advertising(fallback),
                    None => self.end(Event::Failed(error)),
                }
            }
        }
    }

    fn end(&mut self, event: Event) {
        self.phase = Phase::Closed;
        self.context.out.event(event);
    }
}

impl fmt::Debug for AuthenticatorMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Preparing(_) => "Preparing",
            Phase::Advertising(_) => "Advertising",
            Phase::Connected(_) => "Connected",
            Phase::Closed => "Closed",
        };
        f.debug_struct("AuthenticatorMachine").field("phase", &phase).finish_non_exhaustive()
    }
}
