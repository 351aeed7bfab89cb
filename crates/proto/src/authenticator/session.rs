//! A connected client: requests in, replies out, one at a time.

use std::time::Instant;

use super::{
    Action, AuthenticatorError, Context, Event, LinkOffer, ReplyError,
    advertising::{Advertising, Passed},
};
use crate::{
    channel::{ChannelId, CloseCode},
    frame::{FrameError, Opener, Sealer},
    handshake::{Established, HandshakeHash},
    inbox::Inbox,
    keys::PublicKey,
    message::{Message, MessageError, MessageKind, Update},
    time::deadline,
};

pub(super) struct Session {
    pub(super) channel: ChannelId,
    pub(super) inbox: Inbox,
    /// The tunnel beside a BLE channel, until the client has said something.
    pub(super) fallback: Option<Box<Advertising>>,
    sealer: Sealer,
    opener: Opener,
    hash: HandshakeHash,
    state: State,
    /// Whether a request was answered, so that the client may leave.
    served: bool,
}

enum State {
    /// The next request, or the end, is due.
    ExpectRequest { until: Instant },
    /// The caller is working on a request.
    Serving(MessageKind),
}

/// Whether a session goes on.
pub(super) enum Next {
    Stay,
    Finished,
}

impl Session {
    pub(super) fn new(
        context: &Context,
        now: Instant,
        passed: Passed,
        fallback: Option<Box<Advertising>>,
    ) -> Self {
        let state = State::ExpectRequest { until: deadline(now, context.config.timing.idle) };
        let Passed { channel, inbox, established: Established { sealer, opener, hash }, .. } = passed;
        Self { channel, inbox, fallback, sealer, opener, hash, state, served: false }
    }

    /// Sends the description. A client that can remember this authenticator gets an update behind it: with linking
    /// information if there is some, and of the same size in any case.
    pub(super) fn describe(
        &mut self,
        context: &mut Context,
        linkable: Option<PublicKey>,
    ) -> Result<(), FrameError> {
        let description = context.config.description.encode();
        self.send(context, &description)?;
        if let Some(client) = linkable {
            let offer = context.config.linking.as_ref();
            let info = offer.map(|LinkOffer { identity, info }| info.encode(identity, &client, &self.hash));
            let update = Update { linking_info: info.as_ref().map(|info| info.as_slice()) };
            self.send(context, &Message::Update(update.encode()).encode())?;
        }
        Ok(())
    }

    fn send(&mut self, context: &mut Context, plaintext: &[u8]) -> Result<(), FrameError> {
        let message = self.inbox.outgoing(self.sealer.seal(plaintext)?);
        context.out.action(Action::Send { channel: self.channel, message });
        Ok(())
    }

    /// Reads the next message that has come in; `None` if there is none.
    pub(super) fn read(&mut self, context: &mut Context) -> Result<Option<Next>, AuthenticatorError> {
        let Some(plaintext) = self.inbox.frame(&mut self.opener)? else { return Ok(None) };
        // The client has the description, so it stays on this channel.
        self.drop_fallback(context);
        self.message(context, &zeroize::Zeroizing::new(plaintext)).map(Some)
    }

    fn drop_fallback(&mut self, context: &mut Context) {
        if let Some(mut fallback) = self.fallback.take() {
            fallback.close(context);
        }
    }

    pub(super) fn fallback_closed(&mut self, channel: ChannelId) {
        self.fallback.take_if(|fallback| !fallback.closed(channel));
    }

    fn message(&mut self, context: &mut Context, plaintext: &[u8]) -> Result<Next, AuthenticatorError> {
        let mut message = match Message::decode(plaintext) {
            Ok(message) => message,
            // Nothing that a client says in an update is defined.
            Err(MessageError::Update(_)) => return Ok(Next::Stay),
            Err(error) => return Err(error.into()),
        };
        let kind = message.kind();
        match &mut message {
            Message::Shutdown => return Ok(Next::Finished),
            Message::Update(_) => {}
            Message::Ctap(payload) | Message::Json(payload) => {
                let features = context.config.description.features;
                let offered =
                    if kind == MessageKind::Ctap { features.ctap } else { features.digital_credentials };
                if !offered || matches!(self.state, State::Serving(_)) {
                    return Err(AuthenticatorError::Unexpected(kind));
                }
                self.state = State::Serving(kind);
                let payload = core::mem::take(payload);
                let request = if kind == MessageKind::Ctap { Event::CtapRequest } else { Event::JsonRequest };
                context.out.event(request(payload));
            }
        }
        Ok(Next::Stay)
    }

    pub(super) fn reply(
        &mut self,
        context: &mut Context,
        now: Instant,
        payload: &[u8],
    ) -> Result<(), ReplyError> {
        let State::Serving(kind) = self.state else { return Err(ReplyError::NoRequest) };
        if payload.is_empty() {
            return Err(ReplyError::Empty);
        }
        let message = match kind {
            MessageKind::Json => Message::Json(payload.to_vec()),
            _ => Message::Ctap(payload.to_vec()),
        };
        let plaintext = zeroize::Zeroizing::new(message.encode());
        self.send(context, &plaintext).map_err(ReplyError::TooLarge)?;
        self.state = State::ExpectRequest { until: deadline(now, context.config.timing.idle) };
        self.served = true;
        Ok(())
    }

    /// The client is gone without a word.
    pub(super) const fn ended(&self) -> Result<Next, AuthenticatorError> {
        match self.state {
            State::ExpectRequest { .. } if self.served => Ok(Next::Finished),
            _ => Err(AuthenticatorError::ClientLeft),
        }
    }

    pub(super) const fn next_timeout(&self) -> Option<Instant> {
        match self.state {
            State::ExpectRequest { until } => Some(until),
            State::Serving(_) => None,
        }
    }

    pub(super) fn handle_timeout(&self, now: Instant) -> Result<Next, AuthenticatorError> {
        match self.state {
            State::ExpectRequest { until } if until <= now && self.served => Ok(Next::Finished),
            State::ExpectRequest { until } if until <= now => Err(AuthenticatorError::ClientSilent),
            _ => Ok(Next::Stay),
        }
    }

    pub(super) fn close(&mut self, context: &mut Context, code: CloseCode) {
        self.drop_fallback(context);
        context.out.action(Action::Close { channel: self.channel, code });
    }
}
