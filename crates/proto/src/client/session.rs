//! A connected phone: one request at a time, updates in between, an orderly end.

use core::time::Duration;
use std::{sync::Arc, time::Instant};

use super::{
    Action, ClientError, Context, Event, Link, RequestError, attempt::Source, code::Code, search::Found,
};
use crate::{
    channel::{ChannelId, CloseCode},
    domain::DomainId,
    frame::{FrameError, Opener, Sealer},
    handshake::HandshakeHash,
    inbox::Inbox,
    link::{LinkError, LinkingInfo},
    message::{Features, Message, MessageError, MessageKind, PostHandshake, Revision, Update},
    time::deadline,
};

pub(super) struct Session {
    pub(super) channel: ChannelId,
    pub(super) inbox: Inbox,
    sealer: Sealer,
    opener: Opener,
    hash: HandshakeHash,
    /// The code the phone scanned, with whose key linking information is signed.
    code: Option<Arc<Code>>,
    domain: DomainId,
    features: Features,
    revision: Revision,
    state: State,
}

enum State {
    Idle,
    /// A request is out.
    ExpectReply {
        kind: MessageKind,
        deadline: Instant,
    },
    /// Shut down, and waiting for late updates.
    Lingering {
        until: Instant,
    },
}

/// Whether a session goes on.
pub(super) enum Next {
    Stay,
    Finished,
}

impl Session {
    /// Takes over after the phone's description, and tells the caller.
    pub(super) fn start(context: &mut Context, found: Found, post_handshake: PostHandshake) -> Self {
        let found_by = found.attempt.source.found_by();
        let code = match found.attempt.source {
            Source::Code(code) => Some(code),
            Source::Call(_) => None,
        };
        let PostHandshake { get_info, features, linking_info, revision } = post_handshake;
        let session = Self {
            channel: found.attempt.channel,
            inbox: found.attempt.inbox,
            sealer: found.established.sealer,
            opener: found.established.opener,
            hash: found.established.hash,
            code,
            domain: found.attempt.domain,
            features,
            revision,
            state: State::Idle,
        };
        context.out.event(Event::Connected { found_by, get_info, features });
        if let Some(info) = linking_info {
            session.linking_info(context, &info);
        }
        session
    }

    pub(super) fn request(
        &mut self,
        context: &mut Context,
        now: Instant,
        message: &Message,
        timeout: Duration,
    ) -> Result<(), RequestError> {
        match self.state {
            State::Idle => {}
            State::ExpectReply { .. } => return Err(RequestError::Busy),
            State::Lingering { .. } => return Err(RequestError::NotConnected),
        }
        let plaintext = self.plaintext(message)?;
        let sealed = self.sealer.seal(&plaintext).map_err(RequestError::TooLarge)?;
        self.state = State::ExpectReply { kind: message.kind(), deadline: deadline(now, timeout) };
        self.send(context, sealed);
        Ok(())
    }

    fn plaintext(&self, message: &Message) -> Result<Vec<u8>, RequestError> {
        let (supported, payload) = match message {
            Message::Ctap(payload) => (self.features.ctap, payload),
            Message::Json(payload) => {
                (self.features.digital_credentials && self.revision == Revision::Typed, payload)
            }
            Message::Shutdown | Message::Update(_) => return Err(RequestError::Unsupported),
        };
        match (supported, payload.is_empty(), self.revision) {
            (false, _, _) => Err(RequestError::Unsupported),
            (_, true, _) => Err(RequestError::Empty),
            (_, _, Revision::Untyped) => Ok(payload.clone()),
            (_, _, Revision::Typed) => Ok(message.encode()),
        }
    }

    /// Reads the next message that has come in; `None` if there is none.
    pub(super) fn read(&mut self, context: &mut Context) -> Result<Option<Next>, ClientError> {
        match self.inbox.frame(&mut self.opener)? {
            Some(plaintext) => self.message(context, &zeroize::Zeroizing::new(plaintext)).map(Some),
            None => Ok(None),
        }
    }

    fn message(&mut self, context: &mut Context, plaintext: &[u8]) -> Result<Next, ClientError> {
        let message = match self.revision {
            Revision::Typed => Message::decode(plaintext),
            Revision::Untyped if plaintext.is_empty() => Err(MessageError::EmptyCtap),
            Revision::Untyped => Ok(Message::Ctap(plaintext.to_vec())),
        };
        match message {
            Ok(message) => self.typed_message(context, message),
            Err(MessageError::Update(error)) => {
                if self.linkable(context).is_some() {
                    context.out.event(Event::LinkRefused(LinkError::Cbor(error)));
                }
                Ok(Next::Stay)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn typed_message(&mut self, context: &mut Context, mut message: Message) -> Result<Next, ClientError> {
        let kind = message.kind();
        match &mut message {
            // Only a client sends it by the standard, and deployed clients take it for a clean close.
            Message::Shutdown => return self.ended(),
            Message::Update(map) => {
                if let Ok(Update { linking_info: Some(info) }) = Update::decode(map) {
                    self.linking_info(context, info);
                }
            }
            Message::Ctap(payload) | Message::Json(payload) => match self.state {
                State::ExpectReply { kind: expected, .. } if expected == kind => {
                    self.state = State::Idle;
                    let payload = core::mem::take(payload);
                    let reply = if kind == MessageKind::Ctap { Event::CtapReply } else { Event::JsonReply };
                    context.out.event(reply(payload));
                }
                // The reply to a request that the caller gave up.
                State::Lingering { .. } => {}
                _ => return Err(ClientError::Unsolicited(kind)),
            },
        }
        Ok(Next::Stay)
    }

    /// The code that linking information is signed for. It counts only where its signature can be checked and the
    /// client said it wants it.
    fn linkable(&self, context: &Context) -> Option<&Code> {
        self.code.as_deref().filter(|_| context.config.accept_linking)
    }

    fn linking_info(&self, context: &mut Context, info: &[u8]) {
        let Some(code) = self.linkable(context) else { return };
        match LinkingInfo::verify(info, &code.key, &self.hash) {
            Ok(info) => context.out.event(Event::Linked(Box::new(Link::new(self.domain, info)))),
            Err(error) => context.out.event(Event::LinkRefused(error)),
        }
    }

    /// The channel is gone, or the phone said goodbye.
    pub(super) fn ended(&self) -> Result<Next, ClientError> {
        match self.state {
            State::ExpectReply { .. } => Err(ClientError::PhoneLeft),
            State::Idle | State::Lingering { .. } => Ok(Next::Finished),
        }
    }

    /// Says goodbye. The session is over at once unless linking information may still come.
    pub(super) fn shutdown(&mut self, context: &mut Context, now: Instant) -> Next {
        if matches!(self.state, State::Lingering { .. }) {
            return Next::Stay;
        }
        self.say_goodbye(context);
        if self.linkable(context).is_some() && self.revision == Revision::Typed {
            self.state = State::Lingering { until: deadline(now, context.config.timing.linger) };
            return Next::Stay;
        }
        Next::Finished
    }

    fn say_goodbye(&mut self, context: &mut Context) {
        if self.revision == Revision::Untyped {
            return;
        }
        if let Ok(frame) = self.sealer.seal(&Message::Shutdown.encode()) {
            self.send(context, frame);
        }
    }

    fn send(&self, context: &mut Context, frame: Vec<u8>) {
        let message = self.inbox.outgoing(frame);
        context.out.action(Action::Send { channel: self.channel, message });
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Idle => None,
            State::ExpectReply { deadline, .. } => Some(deadline),
            State::Lingering { until } => Some(until),
        }
    }

    pub(super) fn handle_timeout(
        &mut self,
        context: &mut Context,
        now: Instant,
    ) -> Result<Next, ClientError> {
        match self.state {
            State::ExpectReply { deadline, .. } if deadline <= now => {
                self.say_goodbye(context);
                Err(ClientError::ReplyTimeout)
            }
            State::Lingering { until } if until <= now => Ok(Next::Finished),
            _ => Ok(Next::Stay),
        }
    }

    pub(super) fn close(&self, context: &mut Context, code: CloseCode) {
        context.out.action(Action::Close { channel: self.channel, code });
    }

    /// Whether the caller already has everything, so that what goes wrong now is no failure.
    pub(super) const fn is_lingering(&self) -> bool {
        matches!(self.state, State::Lingering { .. })
    }
}

/// Reads the phone's description and checks that it can do what is required; `None` if it has not come in yet.
pub(super) fn read_post_handshake(
    context: &Context,
    found: &mut Found,
) -> Result<Option<PostHandshake>, ClientError> {
    let Some(plaintext) = found.attempt.inbox.frame(&mut found.established.opener)? else { return Ok(None) };
    let plaintext = zeroize::Zeroizing::new(plaintext);
    let post_handshake = PostHandshake::decode(&plaintext)?;
    let required = context.config.required;
    let missing = (required.ctap && !post_handshake.features.ctap)
        || (required.digital_credentials && !post_handshake.features.digital_credentials);
    if missing { Err(ClientError::Unsupported) } else { Ok(Some(post_handshake)) }
}

impl ClientError {
    /// What to tell the peer when a session fails with this.
    pub(super) const fn close_code(self) -> CloseCode {
        match self {
            Self::Frame(FrameError::Exhausted) | Self::ReplyTimeout | Self::Silent | Self::Unsupported => {
                CloseCode::GOING_AWAY
            }
            _ => CloseCode::PROTOCOL,
        }
    }
}
