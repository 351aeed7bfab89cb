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
//! It advertises only once its tunnel is open, answers one handshake and no second one on the same advert, and hands
//! out no request before the handshake has proved that the client made the code (or holds the link) and heard the
//! advert. One failed handshake ends the session: a new code is needed.

mod config;
mod event;
mod prepare;
mod session;

use core::fmt;
use std::{collections::VecDeque, time::Instant};

use rand_core::CryptoRng;

pub use self::{
    config::{AuthenticatorConfig, AuthenticatorTiming, IncomingCall, LinkOffer, StartError},
    event::{Action, AuthenticatorError, Event, ReplyError},
};
use self::{
    prepare::{Origin, Preparing},
    session::{LinkUpdate, Next, Session},
};
use crate::{
    advert::{Psm, seal, service_data},
    channel::{ChannelId, CloseCode, DialFailure},
    handshake::{Established, HandshakeError, Message, Responder},
    ids::{AdvertNonce, RoutingId},
    keys::Psk,
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
    /// Opening the tunnel.
    Preparing(Box<Preparing>),
    /// On the air, message 1 is due on any of the channels.
    Advertising(Box<Advertising>),
    Connected(Box<Session>),
    Closed,
}

struct Advertising {
    origin: Origin,
    psk: Psk,
    /// Open channels: the tunnel, and whoever connected over BLE.
    channels: Vec<ChannelId>,
    /// Whether a client may still come over BLE when the tunnel is gone.
    listening: bool,
    until: Instant,
}

impl AuthenticatorMachine {
    /// Answers a scanned code: opens the tunnel, then advertises.
    ///
    /// From `rng` it draws 10 bytes of advert nonce and then, at message 1, 32 bytes of ephemeral key.
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
        if preparing.tunnel_opened(channel, routing) {
            self.advertise_if_ready(now);
        } else {
            preparing.close(&mut self.context);
            self.end(Event::Failed(DialFailure::NotATunnelService.into()));
        }
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
            preparing.l2cap_known(Some(psm));
            self.advertise_if_ready(now);
        }
    }

    /// The driver cannot listen for L2CAP connections; the tunnel has to do.
    pub fn handle_l2cap_unavailable(&mut self, now: Instant) {
        if let Phase::Preparing(preparing) = &mut self.phase {
            preparing.l2cap_known(None);
            self.advertise_if_ready(now);
        }
    }

    /// A device connected over L2CAP. Gives the name of its channel, or `None` if nobody is expected.
    pub fn handle_l2cap_accepted(&mut self) -> Option<ChannelId> {
        let Phase::Advertising(advertising) = &mut self.phase else { return None };
        if !advertising.listening {
            return None;
        }
        let channel = self.context.next_channel();
        advertising.channels.push(channel);
        Some(channel)
    }

    /// A message came in: one websocket message, whole.
    pub fn handle_message(&mut self, now: Instant, channel: ChannelId, message: Vec<u8>) {
        match &mut self.phase {
            Phase::Advertising(advertising) if advertising.channels.contains(&channel) => {
                self.first_message(now, channel, &message);
            }
            Phase::Connected(session) if session.channel == channel => {
                let next = session.message(&mut self.context, message);
                self.session_moved(next);
            }
            _ => {}
        }
    }

    /// A channel closed or broke, however.
    pub fn handle_channel_closed(&mut self, now: Instant, channel: ChannelId) {
        match &mut self.phase {
            Phase::Preparing(preparing) => {
                let prepared = preparing.tunnel_lost(&mut self.context, now, channel);
                self.preparing_moved(now, prepared);
            }
            Phase::Advertising(advertising) => {
                advertising.channels.retain(|open| *open != channel);
                if advertising.channels.is_empty() && !advertising.listening {
                    self.stop_advertising(Event::Failed(AuthenticatorError::TunnelLost));
                }
            }
            Phase::Connected(session) if session.channel == channel => match session.ended() {
                Ok(_) => self.end(Event::Finished),
                Err(error) => self.end(Event::Failed(error)),
            },
            _ => {}
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
        let (origin, routing, psm, tunnel) = preparing.into_parts();
        if tunnel.is_none() && psm.is_none() {
            // The client takes nothing but BLE, and there is none.
            self.end(Event::Failed(DialFailure::L2cap.into()));
            return;
        }
        let nonce = AdvertNonce::generate(&mut *self.context.rng);
        let routing = routing.unwrap_or_else(|| RoutingId::generate(&mut *self.context.rng));
        let plaintext = crate::advert::AdvertPlaintext::new(&nonce, routing, self.context.config.domain);
        let advert = seal(&origin.eid_key(), &plaintext);
        let data = service_data(&advert, psm);
        self.context.out.action(Action::Advertise { service_data: data, connectable: psm.is_some() });
        self.context.out.event(Event::Advertising);
        self.phase = Phase::Advertising(Box::new(Advertising {
            psk: origin.psk(&plaintext),
            origin,
            channels: tunnel.into_iter().collect(),
            listening: psm.is_some(),
            until: deadline(now, self.context.config.timing.advertise),
        }));
    }

    fn first_message(&mut self, now: Instant, channel: ChannelId, message: &[u8]) {
        let Phase::Advertising(advertising) = core::mem::replace(&mut self.phase, Phase::Closed) else {
            return;
        };
        self.context.out.action(Action::StopAdvertising);
        for other in advertising.channels.iter().filter(|other| **other != channel) {
            self.context.out.action(Action::Close { channel: *other, code: CloseCode::GOING_AWAY });
        }
        let connected = respond(&mut self.context, &advertising, message)
            .map_err(AuthenticatorError::from)
            .and_then(|(message_2, established)| {
                self.context.out.action(Action::Send { channel, message: message_2.to_vec() });
                self.context.out.event(Event::ClientConnected);
                let link = advertising.origin.link_update(&mut self.context.config);
                Ok(Session::start(&mut self.context, now, channel, established, link)?)
            });
        match connected {
            Ok(session) => self.phase = Phase::Connected(Box::new(session)),
            Err(error) => {
                self.context.out.action(Action::Close { channel, code: CloseCode::PROTOCOL });
                self.end(Event::Failed(error));
            }
        }
    }

    fn stop_advertising(&mut self, event: Event) {
        self.context.out.action(Action::StopAdvertising);
        if let Phase::Advertising(advertising) = &self.phase {
            for channel in &advertising.channels {
                self.context.out.action(Action::Close { channel: *channel, code: CloseCode::GOING_AWAY });
            }
        }
        self.end(event);
    }

    fn session_moved(&mut self, next: Result<Next, AuthenticatorError>) {
        let Phase::Connected(session) = &self.phase else { return };
        match next {
            Ok(Next::Stay) => {}
            Ok(Next::Finished) => {
                session.close(&mut self.context, CloseCode::NORMAL);
                self.end(Event::Finished);
            }
            Err(error) => {
                session.close(&mut self.context, CloseCode::PROTOCOL);
                self.end(Event::Failed(error));
            }
        }
    }

    fn end(&mut self, event: Event) {
        self.phase = Phase::Closed;
        self.context.out.event(event);
    }
}

/// Answers message 1. The ephemeral key is drawn now and serves this handshake alone.
fn respond(
    context: &mut Context,
    advertising: &Advertising,
    message_1: &[u8],
) -> Result<(Message, Established), HandshakeError> {
    let responder = match &advertising.origin {
        Origin::Code { client, .. } => Responder::qr(client, &advertising.psk, &mut *context.rng),
        Origin::Call { call } => Responder::linked(&call.identity, &advertising.psk, &mut *context.rng),
    };
    responder?.respond(message_1)
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
