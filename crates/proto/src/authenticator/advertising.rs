//! On the air: whoever comes has to pass the handshake.

use std::{collections::VecDeque, time::Instant};

use super::{Action, Context, prepare::Origin};
use crate::{
    channel::{ChannelId, CloseCode},
    handshake::{Established, HandshakeError, Message, Responder},
    inbox::Inbox,
    keys::{Psk, PublicKey},
};

/// How many devices may be connected over BLE and have sent no message 1. Another one takes the place of the oldest,
/// so that nobody keeps the client away by connecting and falling silent.
const MAX_DEVICES: usize = 4;
/// How many handshakes may fail over BLE. Anybody in range can connect, so a failure there is no reason to give up;
/// after so many the client has to take the tunnel.
const MAX_FAILURES: u8 = 8;

pub(super) struct Advertising {
    origin: Origin,
    psk: Psk,
    tunnel: Option<Arrival>,
    /// Whoever connected over BLE, oldest first.
    devices: VecDeque<Arrival>,
    /// Whether a client may come over BLE.
    listening: bool,
    /// Whether the advert is still sent.
    on_air: bool,
    failures: u8,
    pub(super) until: Instant,
}

/// A channel on which message 1 is due.
struct Arrival {
    channel: ChannelId,
    inbox: Inbox,
}

/// What came of a message.
pub(super) enum Outcome {
    /// The handshake goes on, here or with somebody else.
    Waiting,
    /// A client has passed it.
    Passed(Box<Passed>),
    /// Nobody can pass it any more.
    Hopeless(HandshakeError),
}

/// A client that has passed the handshake.
pub(super) struct Passed {
    pub(super) channel: ChannelId,
    pub(super) inbox: Inbox,
    pub(super) message_2: Message,
    pub(super) established: Established,
}

impl Advertising {
    pub(super) fn new(
        origin: Origin,
        psk: Psk,
        tunnel: Option<ChannelId>,
        listening: bool,
        until: Instant,
    ) -> Self {
        let tunnel = tunnel.map(|channel| Arrival { channel, inbox: Inbox::tunnel() });
        Self { origin, psk, tunnel, devices: VecDeque::new(), listening, on_air: true, failures: 0, until }
    }

    pub(super) fn accept(&mut self, context: &mut Context) -> Option<ChannelId> {
        if !self.listening {
            return None;
        }
        if self.devices.len() >= MAX_DEVICES
            && let Some(oldest) = self.devices.pop_front()
        {
            oldest.close(context);
        }
        let channel = context.next_channel();
        self.devices.push_back(Arrival { channel, inbox: Inbox::answering_l2cap() });
        Some(channel)
    }

    pub(super) fn message(&mut self, context: &mut Context, channel: ChannelId, bytes: Vec<u8>) -> Outcome {
        let mut channels = self.tunnel.iter_mut().chain(&mut self.devices);
        let Some(arrival) = channels.find(|arrival| arrival.channel == channel) else {
            return Outcome::Waiting;
        };
        arrival.inbox.push(bytes);
        let over_ble = arrival.inbox.is_l2cap();
        let answered = match arrival.inbox.message() {
            Ok(None) => return Outcome::Waiting,
            Ok(Some(message_1)) => respond(context, &self.origin, &self.psk, &message_1),
            Err(error) => Err(error),
        };
        match (answered, self.take(channel)) {
            (Ok((message_2, established)), Some(Arrival { inbox, .. })) => {
                Outcome::Passed(Box::new(Passed { channel, inbox, message_2, established }))
            }
            (Ok(_), None) => Outcome::Waiting,
            (Err(error), _) => {
                context.out.action(Action::Close { channel, code: CloseCode::PROTOCOL });
                if over_ble { self.failed_over_ble(context, error) } else { Outcome::Hopeless(error) }
            }
        }
    }

    fn failed_over_ble(&mut self, context: &mut Context, error: HandshakeError) -> Outcome {
        self.failures = self.failures.saturating_add(1);
        if self.failures < MAX_FAILURES {
            return Outcome::Waiting;
        }
        self.listening = false;
        self.close_devices(context);
        if self.tunnel.is_some() { Outcome::Waiting } else { Outcome::Hopeless(error) }
    }

    fn take(&mut self, channel: ChannelId) -> Option<Arrival> {
        if let Some(at) = self.devices.iter().position(|arrival| arrival.channel == channel) {
            return self.devices.remove(at);
        }
        self.tunnel.take_if(|arrival| arrival.channel == channel)
    }

    /// Nobody else comes over BLE. Says whether anybody can still come.
    pub(super) fn stopped_listening(&mut self) -> bool {
        self.listening = false;
        self.tunnel.is_some() || !self.devices.is_empty()
    }

    /// A channel is gone. `false` if nobody can come any more.
    pub(super) fn closed(&mut self, channel: ChannelId) -> bool {
        drop(self.take(channel));
        self.tunnel.is_some() || self.listening || !self.devices.is_empty()
    }

    /// The client that came over BLE may fall back to the tunnel until it has said something.
    pub(super) fn into_fallback(mut self, context: &mut Context) -> Option<Box<Self>> {
        self.leave_air(context);
        self.tunnel.is_some().then(|| Box::new(self))
    }

    /// Takes the advert off the air and turns away everybody who came over BLE.
    pub(super) fn leave_air(&mut self, context: &mut Context) {
        if core::mem::take(&mut self.on_air) {
            context.out.action(Action::StopAdvertising);
        }
        self.listening = false;
        self.close_devices(context);
    }

    /// Gives everything up.
    pub(super) fn close(&mut self, context: &mut Context) {
        self.leave_air(context);
        if let Some(tunnel) = self.tunnel.take() {
            tunnel.close(context);
        }
    }

    /// The key of a client that said it can remember phones.
    pub(super) fn linkable(&self) -> Option<PublicKey> {
        self.origin.linkable()
    }

    fn close_devices(&mut self, context: &mut Context) {
        self.devices.drain(..).for_each(|device| device.close(context));
    }
}

impl Arrival {
    fn close(&self, context: &mut Context) {
        context.out.action(Action::Close { channel: self.channel, code: CloseCode::GOING_AWAY });
    }
}

/// Answers message 1. The ephemeral key is drawn now and serves this handshake alone.
fn respond(
    context: &mut Context,
    origin: &Origin,
    psk: &Psk,
    message_1: &[u8],
) -> Result<(Message, Established), HandshakeError> {
    let responder = match origin {
        Origin::Code { client, .. } => Responder::qr(client, psk, &mut *context.rng),
        Origin::Call { call } => Responder::linked(&call.identity, psk, &mut *context.rng),
    };
    responder?.respond(message_1)
}
