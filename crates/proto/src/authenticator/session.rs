//! A connected client: requests in, replies out, one at a time.

use std::time::Instant;

use super::{Action, AuthenticatorError, Context, Event, LinkOffer, ReplyError};
use crate::{
    channel::{ChannelId, CloseCode},
    frame::{FrameError, Opener, Sealer},
    handshake::Established,
    keys::PublicKey,
    message::{Message, MessageError, MessageKind, Update},
    time::deadline,
};

pub(super) struct Session {
    pub(super) channel: ChannelId,
    sealer: Sealer,
    opener: Opener,
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

/// What a client that can remember this authenticator gets: linking information if there is some, and in any case a
/// message of the same size.
pub(super) struct LinkUpdate {
    pub(super) offer: Option<LinkOffer>,
    pub(super) client: PublicKey,
}

impl Session {
    /// Sends the description, and the update if the client can use one.
    pub(super) fn start(
        context: &mut Context,
        now: Instant,
        channel: ChannelId,
        established: Established,
        link: Option<LinkUpdate>,
    ) -> Result<Self, FrameError> {
        let state = State::ExpectRequest { until: deadline(now, context.config.timing.idle) };
        let Established { sealer, opener, hash } = established;
        let mut session = Self { channel, sealer, opener, state, served: false };
        let description = context.config.description.encode();
        session.send(context, &description)?;
        if let Some(LinkUpdate { offer, client }) = link {
            let info = offer.map(|LinkOffer { identity, info }| info.encode(&identity, &client, &hash));
            let update = Update { linking_info: info.as_ref().map(|info| info.as_slice()) };
            session.send(context, &Message::Update(update.encode()).encode())?;
        }
        Ok(session)
    }

    fn send(&mut self, context: &mut Context, plaintext: &[u8]) -> Result<(), FrameError> {
        let message = self.sealer.seal(plaintext)?;
        context.out.action(Action::Send { channel: self.channel, message });
        Ok(())
    }

    pub(super) fn message(
        &mut self,
        context: &mut Context,
        frame: Vec<u8>,
    ) -> Result<Next, AuthenticatorError> {
        let plaintext = zeroize::Zeroizing::new(self.opener.open(frame)?);
        let mut message = match Message::decode(&plaintext) {
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

    pub(super) fn close(&self, context: &mut Context, code: CloseCode) {
        context.out.action(Action::Close { channel: self.channel, code });
    }
}
