//! One candidate: from a matched advert or a call to a finished handshake.

use std::{sync::Arc, time::Instant};

use super::{Action, AttemptError, CallId, Context, Event, FoundBy, Link, code::Code};
use crate::{
    advert::{Advert, open},
    channel::{ChannelId, CloseCode, DialFailure, Route},
    domain::{DomainId, UnassignedDomain},
    handshake::{Established, Initiator},
    ids::ClientNonce,
    inbox::Inbox,
    keys::{EidKey, Psk},
    link::ClientPayload,
    service::{CLIENT_PAYLOAD_HEADER, SIGNAL_HEADER, ServiceRequest},
    time::deadline,
};

/// What a candidate goes back to.
pub(super) enum Source {
    Code(Arc<Code>),
    Call(Box<Call>),
}

/// One call of a remembered phone.
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) link: Link,
    pub(super) eid_key: EidKey,
}

/// Prepares one try to call a phone: the key of the adverts that answer it, and what to ask of the tunnel service.
/// The nonce in both is fresh each time, so that an advert answers one try only.
pub(super) fn contact(
    context: &mut Context,
    link: &Link,
) -> Result<(EidKey, ServiceRequest), UnassignedDomain> {
    let mut request = link.contact_request()?;
    let nonce = ClientNonce::generate(&mut *context.rng);
    let payload = ClientPayload::new(link.id(), nonce, context.config.hint.clone());
    request.headers.push((CLIENT_PAYLOAD_HEADER, payload.to_header()));
    request.headers.push((SIGNAL_HEADER, "true".to_owned()));
    Ok((link.secret().eid_key(&nonce), request))
}

impl Source {
    pub(super) fn found_by(&self) -> FoundBy {
        match self {
            Self::Code(_) => FoundBy::Code,
            Self::Call(call) => FoundBy::Call(call.id),
        }
    }
}

pub(super) struct Attempt {
    pub(super) channel: ChannelId,
    pub(super) source: Source,
    /// The tunnel service of the session, for linking information.
    pub(super) domain: DomainId,
    /// How to reach the tunnel: for a second try, or when the BLE channel fails.
    pub(super) request: ServiceRequest,
    pub(super) inbox: Inbox,
    /// Follows from the advert, so a call lacks it until one is heard.
    psk: Option<Psk>,
    step: Step,
    pub(super) deadline: Instant,
    retries: u8,
    /// The tunnel service agreed to send one byte 00 before everything else.
    signal_due: bool,
}

enum Step {
    Dialing,
    ExpectAdvert,
    ExpectMessage2(Initiator),
}

/// How a message moved an attempt.
pub(super) enum Progress {
    Waiting,
    Finished(Box<Established>),
}

/// The retries of a dial that failed for a passing reason.
const RETRIES: u8 = 1;

impl Attempt {
    /// Starts dialing.
    pub(super) fn dial(
        context: &mut Context,
        now: Instant,
        source: Source,
        domain: DomainId,
        request: ServiceRequest,
        route: Route,
        psk: Option<Psk>,
    ) -> Self {
        let channel = context.next_channel();
        let inbox = match route {
            Route::Tunnel(_) => Inbox::tunnel(),
            Route::L2cap { .. } => Inbox::l2cap(context.config.l2cap_framing),
        };
        context.out.action(Action::Dial { channel, route });
        let deadline = deadline(now, context.config.timing.connect);
        Self {
            channel,
            source,
            domain,
            request,
            inbox,
            psk,
            step: Step::Dialing,
            deadline,
            retries: RETRIES,
            signal_due: false,
        }
    }

    fn redial_tunnel(&mut self, context: &mut Context, now: Instant) {
        if let Source::Call(call) = &mut self.source
            && let Ok((eid_key, request)) = contact(context, &call.link)
        {
            call.eid_key = eid_key;
            self.request = request;
            self.psk = None;
        }
        self.channel = context.next_channel();
        self.inbox = Inbox::tunnel();
        self.step = Step::Dialing;
        self.signal_due = false;
        self.deadline = deadline(now, context.config.timing.connect);
        context
            .out
            .action(Action::Dial { channel: self.channel, route: Route::Tunnel(self.request.clone()) });
    }

    /// Tries again where that may help: a BLE channel falls back to the tunnel, whatever went wrong, since the offer of
    /// one is not covered by the advert's tag. A tunnel gets a second try after a passing failure.
    pub(super) fn recover(
        &mut self,
        context: &mut Context,
        now: Instant,
        error: AttemptError,
    ) -> Result<(), AttemptError> {
        if self.has_fallback() {
            self.redial_tunnel(context, now);
            return Ok(());
        }
        let transient = match error {
            AttemptError::Dial(failure) => failure.is_transient(),
            AttemptError::DialTimeout => true,
            _ => false,
        };
        if transient && self.retries > 0 {
            self.retries -= 1;
            self.redial_tunnel(context, now);
            return Ok(());
        }
        Err(error)
    }

    /// Takes an advert that belongs to this call. `false` if it does not, or one was heard before.
    pub(super) fn match_advert(&mut self, context: &mut Context, now: Instant, advert: &Advert) -> bool {
        let (None, Source::Call(call)) = (&self.psk, &self.source) else { return false };
        let Some(plaintext) = open(&call.eid_key, advert) else { return false };
        self.psk = Some(call.link.secret().psk(&plaintext));
        context.out.event(Event::PhoneNearby { found_by: FoundBy::Call(call.id) });
        if matches!(self.step, Step::ExpectAdvert) {
            self.start_handshake(context, now);
        }
        true
    }

    pub(super) fn opened(&mut self, context: &mut Context, now: Instant, signal: bool) {
        if !matches!(self.step, Step::Dialing) {
            return;
        }
        self.signal_due = signal && matches!(self.source, Source::Call(_));
        if self.psk.is_some() {
            self.start_handshake(context, now);
        } else {
            self.step = Step::ExpectAdvert;
            self.deadline = deadline(now, context.config.timing.call);
        }
    }

    fn start_handshake(&mut self, context: &mut Context, now: Instant) {
        let Some(psk) = &self.psk else { return };
        let started = match &self.source {
            Source::Code(code) => Initiator::qr(&code.key, psk, &mut *context.rng),
            Source::Call(call) => Initiator::linked(call.link.identity(), psk, &mut *context.rng),
        };
        // Setting up fails for no reason that a peer could cause; if it does, the deadline ends the attempt.
        let Ok((initiator, message_1)) = started else { return };
        self.step = Step::ExpectMessage2(initiator);
        self.deadline = deadline(now, context.config.timing.handshake);
        let message = self.inbox.outgoing(message_1.to_vec());
        context.out.action(Action::Send { channel: self.channel, message });
        context.out.event(Event::Handshaking { found_by: self.source.found_by() });
    }

    pub(super) fn message(
        &mut self,
        context: &mut Context,
        message: Vec<u8>,
    ) -> Result<Progress, AttemptError> {
        self.inbox.push(message);
        let Some(message) = self.inbox.message()? else { return Ok(Progress::Waiting) };
        let message = message.as_slice();
        if self.signal_due {
            self.signal_due = false;
            let (Source::Call(call), [0]) = (&self.source, message) else { return Err(AttemptError::Signal) };
            context.out.event(Event::PhoneJoined(call.id));
            return Ok(Progress::Waiting);
        }
        match core::mem::replace(&mut self.step, Step::Dialing) {
            Step::ExpectMessage2(initiator) => Ok(Progress::Finished(Box::new(initiator.finish(message)?))),
            Step::ExpectAdvert | Step::Dialing => Err(AttemptError::Signal),
        }
    }

    /// What a deadline that has passed means.
    pub(super) fn timed_out(&self) -> AttemptError {
        match self.step {
            Step::Dialing => AttemptError::DialTimeout,
            Step::ExpectAdvert => AttemptError::CallTimeout,
            Step::ExpectMessage2(_) => AttemptError::HandshakeTimeout,
        }
    }

    /// Whether the phone is gone for good, so that its link is to be deleted.
    pub(super) fn is_gone(&self, error: AttemptError) -> Option<CallId> {
        match (&self.source, error) {
            (Source::Call(call), AttemptError::Dial(DialFailure::Gone)) => Some(call.id),
            _ => None,
        }
    }

    /// Whether there is another way to this phone.
    pub(super) fn has_fallback(&self) -> bool {
        self.inbox.is_l2cap()
    }

    pub(super) fn close(&self, context: &mut Context, code: CloseCode) {
        context.out.action(Action::Close { channel: self.channel, code });
    }
}
