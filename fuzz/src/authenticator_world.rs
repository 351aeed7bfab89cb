//! An authenticator machine among clients, tunnel services and callers that do what the input says, in any order.
//!
//! Beside not panicking, the machine has to keep its word: it advertises only where it can be reached, acts on
//! channels that are open only, hands out only requests of a client that has proved itself, one at a time, makes
//! progress when its time has come, and stays silent after its end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hybridge_fuzz_input::{Reader, authenticator as op};
use hybridge_proto::{
    advert::{Advert, Psm, open},
    authenticator::{
        Action, AuthenticatorConfig, AuthenticatorMachine, Event, IncomingCall, LinkOffer, ReplyError,
    },
    channel::{ChannelId, DialFailure},
    domain::DomainId,
    handshake::{Established, Initiator, MESSAGE_LENGTH},
    ids::{ClientNonce, ContactId, LinkId, RoutingId, TunnelId},
    keys::{EidKey, LinkSecret, PrivateKey, Psk, QrSecret},
    link::{ClientPayload, LinkingInfo},
    message::{Features, MessageKind, PostHandshake},
    packets::Framing,
    qr::{Channels, Hint, QrCode},
    service::ServicePath,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use crate::{choose, damage, unwrapped};

/// How many operations one input may hold.
const MAX_OPERATIONS: usize = 48;

/// Lets the machine live through the operations in `bytes`.
pub fn run(bytes: &[u8]) {
    let mut input = Reader::new(bytes);
    let (flags, channels) = (input.byte(), input.byte());
    let Some(mut world) = World::new(flags, channels) else { return };
    world.drain();
    for _ in 0..MAX_OPERATIONS {
        if input.is_empty() {
            break;
        }
        world.step(&mut input);
        world.drain();
    }
    world.let_time_end_it();
}

struct Channel {
    id: ChannelId,
    open: bool,
    over_ble: bool,
    /// The driver has said that it is gone, or the machine has closed it.
    gone: bool,
    initiator: Option<Initiator>,
    client: Option<Established>,
    /// A message 1 of an honest client went to the machine unchanged.
    proved: bool,
    /// How messages end over BLE, as the first byte says.
    framing: Option<Framing>,
}

struct World {
    lengths: bool,
    machine: AuthenticatorMachine,
    now: Instant,
    called: bool,
    code_key: Arc<PrivateKey>,
    identity: Arc<PrivateKey>,
    channels: Vec<Channel>,
    /// Asked to listen for BLE connections.
    to_listen: bool,
    listening: bool,
    /// On the air.
    advert: Option<Advert>,
    /// What a client has heard.
    heard: Option<Advert>,
    /// How many clients have passed the handshake.
    connected: usize,
    /// Whether one has asked for something.
    spoken: bool,
    /// The kind of request that waits for a reply.
    serving: Option<MessageKind>,
    /// What an honest client has just said.
    said: Vec<u8>,
    rng: ChaCha20Rng,
    over: bool,
}

fn qr_secret() -> QrSecret {
    QrSecret::from_bytes(&[5; 16])
}

fn link_secret() -> LinkSecret {
    LinkSecret::from_bytes(&[6; 32])
}

const NONCE: ClientNonce = ClientNonce::from_bytes([7; 16]);
const LINK: LinkId = LinkId::from_bytes([8; 8]);

impl World {
    /// `None` if the two sides cannot meet, which the machine says at once.
    fn new(flags: u8, channels: u8) -> Option<Self> {
        let (code_key, identity) =
            (PrivateKey::from_seed(b"code"), Arc::new(PrivateKey::from_seed(b"phone")));
        let config = config(flags, &identity);
        let (rng, now) = (Box::new(ChaCha20Rng::seed_from_u64(1)), Instant::now());
        let called = flags & op::CALL != 0;
        let started = if called {
            let payload = ClientPayload::new(LINK, NONCE, Hint::GetAssertion);
            let (tunnel, routing) = (TunnelId::from_bytes([1; 16]), RoutingId::from_bytes([2; 3]));
            let call = IncomingCall::new(tunnel, routing, payload, link_secret(), Arc::clone(&identity));
            AuthenticatorMachine::answer_call(config, call, rng, now)
        } else {
            let mut code = QrCode::new(*code_key.public_key(), qr_secret());
            code.supports_linking = Some(flags & op::CODE_LINKING != 0);
            // Each of the lower bits stands for a data channel that the client has.
            let numbers: Vec<u64> = (0..8).filter(|bit| channels >> bit & 1 == 1).collect();
            code.channels = (channels != 0).then(|| Channels::from_numbers(numbers));
            AuthenticatorMachine::answer_code(config, &code, rng, now)
        };
        Some(Self {
            lengths: flags & op::LENGTHS != 0,
            machine: started.ok()?,
            now,
            called,
            code_key: Arc::new(code_key),
            identity,
            channels: Vec::new(),
            to_listen: false,
            listening: false,
            advert: None,
            heard: None,
            connected: 0,
            spoken: false,
            serving: None,
            said: Vec::new(),
            rng: ChaCha20Rng::seed_from_u64(2),
            over: false,
        })
    }

    fn step(&mut self, input: &mut Reader<'_>) {
        match input.byte() % op::COUNT {
            op::OPENED => self.opened(input.byte(), input.byte() & 1 == 1, input.array()),
            op::DIAL_FAILED => self.dial_failed(input.byte(), input.byte()),
            op::LISTENING => {
                self.listening |= self.to_listen;
                self.machine.handle_l2cap_listening(self.now, Psm(u16::from_le_bytes(input.array())));
            }
            op::UNAVAILABLE => {
                self.to_listen &= self.listening;
                self.machine.handle_l2cap_unavailable(self.now);
            }
            op::ACCEPTED => self.accepted(),
            op::MESSAGE => self.any_message(input.byte(), input.chunk()),
            op::HANDSHAKE => self.handshake(input.byte(), input.byte(), input.byte()),
            op::FRAME => self.frame(input.byte(), input.chunk()),
            op::CLOSED => self.closed(input.byte()),
            op::WAIT => self.wait(Duration::from_millis(u64::from(u16::from_le_bytes(input.array())) * 250)),
            op::REPLY => self.reply(input.chunk()),
            _ => self.machine.shutdown(),
        }
    }

    fn opened(&mut self, which: u8, routed: bool, routing: [u8; 3]) {
        let Some(channel) = choose(&mut self.channels, which) else { return };
        channel.open = true;
        let routing = routed.then(|| RoutingId::from_bytes(routing));
        self.machine.handle_tunnel_opened(self.now, channel.id, routing);
    }

    fn dial_failed(&mut self, which: u8, why: u8) {
        let Some(channel) = choose(&mut self.channels, which).filter(|channel| !channel.open) else { return };
        channel.gone = true;
        let failure = match why % 4 {
            0 => DialFailure::Gone,
            1 => DialFailure::Refused(u16::from(why) * 4),
            2 => DialFailure::Unreachable,
            _ => DialFailure::NotATunnelService,
        };
        self.machine.handle_dial_failed(self.now, channel.id, failure);
    }

    fn accepted(&mut self) {
        if let Some(id) = self.machine.handle_l2cap_accepted() {
            assert!(self.listening && self.advert.is_some(), "nobody connects to a device that is silent");
            self.add_channel(id, true, true);
        }
    }

    fn add_channel(&mut self, id: ChannelId, open: bool, over_ble: bool) {
        assert!(self.channels.iter().all(|channel| channel.id != id), "each channel has its own name");
        self.channels.push(Channel {
            id,
            open,
            over_ble,
            gone: false,
            initiator: None,
            client: None,
            proved: false,
            framing: None,
        });
    }

    fn any_message(&mut self, which: u8, message: &[u8]) {
        let Some(channel) = choose(&mut self.channels, which) else { return };
        // Over BLE it leaves the client's own messages unread, and the channel is as it was for what goes out.
        channel.proved &= channel.over_ble && channel.client.is_some();
        channel.begins(message);
        self.machine.handle_message(self.now, channel.id, message.to_vec());
    }

    /// A client that has heard the advert starts the handshake.
    fn handshake(&mut self, which: u8, by: u8, at: u8) {
        let Some(psk) = self.psk() else { return };
        let linked = self.called;
        let Some(channel) = choose(&mut self.channels, which).filter(|channel| channel.client.is_none())
        else {
            return;
        };
        let started = match linked {
            true => Initiator::linked(self.identity.public_key(), &psk, &mut self.rng),
            false => Initiator::qr(&self.code_key, &psk, &mut self.rng),
        };
        let (initiator, mut message_1) = started.expect("nothing from outside stops a client from starting");
        damage(&mut message_1, by, at);
        channel.initiator = Some(initiator);
        channel.proved = by == 0;
        let message = channel.wrapped(self.lengths, message_1.to_vec());
        channel.begins(&message);
        self.machine.handle_message(self.now, channel.id, message);
    }

    /// What follows from the advert on the air.
    fn psk(&self) -> Option<Psk> {
        let plaintext = open(&self.eid_key(), self.heard.as_ref()?).expect("the advert is for this client");
        Some(if self.called { link_secret().psk(&plaintext) } else { qr_secret().psk(&plaintext) })
    }

    fn eid_key(&self) -> EidKey {
        if self.called { link_secret().eid_key(&NONCE) } else { qr_secret().eid_key() }
    }

    fn frame(&mut self, which: u8, plaintext: &[u8]) {
        let Some(channel) = choose(&mut self.channels, which) else { return };
        let Some(frame) = channel.client.as_mut().and_then(|client| client.sealer.seal(plaintext).ok())
        else {
            return;
        };
        self.said = plaintext.to_vec();
        let message = channel.wrapped(self.lengths, frame);
        self.machine.handle_message(self.now, channel.id, message);
    }

    fn closed(&mut self, which: u8) {
        let Some(channel) = choose(&mut self.channels, which) else { return };
        channel.gone = true;
        self.machine.handle_channel_closed(self.now, channel.id);
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
        self.machine.handle_timeout(self.now);
        let next = self.machine.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "a deadline that has come is dealt with");
    }

    fn reply(&mut self, payload: &[u8]) {
        match self.machine.reply(self.now, payload) {
            Ok(()) => {
                assert!(self.serving.take().is_some(), "a reply has a request");
                assert!(!payload.is_empty());
            }
            Err(ReplyError::NoRequest) => assert!(self.serving.is_none() || self.over),
            Err(_) => assert!(payload.is_empty(), "short replies are sent"),
        }
    }

    fn drain(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            assert!(!self.over, "no action after the end");
            self.act(action);
        }
        while let Some(event) = self.machine.poll_event() {
            assert!(!self.over, "no event after the end");
            self.hear(event);
        }
        assert_eq!(self.over, self.machine.is_closed());
        assert!(!self.over || self.machine.poll_timeout().is_none(), "nothing is waited for after the end");
        assert!(!self.over || (self.advert.is_none() && !self.to_listen), "the air is left clean");
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Dial { channel, request } => {
                assert_eq!(matches!(request.path, ServicePath::Connect { .. }), self.called);
                self.add_channel(channel, false, false);
            }
            Action::Advertise { service_data, connectable } => {
                assert!(self.channels.iter().any(|channel| channel.open) || self.listening);
                assert!(!connectable || self.listening);
                self.advert = Advert::from_service_data(&service_data);
                self.heard = self.advert;
            }
            Action::ListenL2cap => self.to_listen = true,
            Action::StopAdvertising => {
                let listened = std::mem::take(&mut self.to_listen);
                assert!(self.advert.take().is_some() || listened, "there is something to stop");
            }
            Action::Send { channel, message } => {
                let channel = self.live(channel);
                assert!(channel.open, "sends only on open channels");
                assert!(channel.proved, "says nothing to a client that has not proved itself");
                let message = match channel.framing.filter(|_| channel.over_ble) {
                    Some(framing) => unwrapped(framing, &message),
                    None => message,
                };
                if let Some(initiator) = channel.initiator.take_if(|_| message.len() == MESSAGE_LENGTH) {
                    channel.client = Some(initiator.finish(&message).expect("message 2 is honest"));
                } else if let Some(client) = &mut channel.client {
                    client.opener.open(message).expect("the client opens what the machine sends");
                }
            }
            Action::Close { channel, .. } => self.live(channel).gone = true,
            _ => {}
        }
    }

    fn live(&mut self, id: ChannelId) -> &mut Channel {
        let channel =
            self.channels.iter_mut().find(|channel| channel.id == id).expect("a channel of its own");
        assert!(!channel.gone, "uses no channel that is gone");
        channel
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Advertising => assert!(self.advert.is_some()),
            Event::ClientConnected => {
                assert!(self.channels.iter().any(|channel| channel.proved && !channel.gone));
                // The second time it comes through the tunnel, because it gave up BLE before it asked for anything.
                self.connected += 1;
                assert!(self.connected == 1 || (self.connected == 2 && self.listening && !self.spoken));
            }
            Event::CtapRequest(request) => self.asked(MessageKind::Ctap, &request),
            Event::JsonRequest(request) => self.asked(MessageKind::Json, &request),
            Event::Finished | Event::Failed(_) => self.over = true,
            _ => {}
        }
    }

    fn asked(&mut self, kind: MessageKind, request: &[u8]) {
        assert!(self.connected > 0, "no request before the handshake");
        self.spoken = true;
        assert_eq!(self.serving.replace(kind), None, "one request at a time");
        assert_eq!(self.said.split_first(), Some((&kind.as_byte(), request)), "requests pass untouched");
    }

    /// Nothing waits for ever: with no more news, the machine's own deadlines lead to an end, or to a caller who has
    /// a request to answer or a driver who has a report to make.
    fn let_time_end_it(&mut self) {
        for _ in 0..16 {
            let Some(next) = self.machine.poll_timeout() else { return };
            self.now = self.now.max(next);
            self.wait(Duration::ZERO);
            self.drain();
        }
        panic!("no end in sight");
    }
}

impl Channel {
    /// These bytes go to the machine.
    fn begins(&mut self, bytes: &[u8]) {
        if let (None, Some(first)) = (self.framing, bytes.first()) {
            self.framing = Some(if *first == 0 { Framing::Length } else { Framing::CrLf });
        }
    }

    /// A message as an honest client sends it; without lengths it counts on packets.
    fn wrapped(&self, lengths: bool, message: Vec<u8>) -> Vec<u8> {
        if self.over_ble && lengths { Framing::Length.wrap(&message) } else { message }
    }
}

fn config(flags: u8, identity: &Arc<PrivateKey>) -> AuthenticatorConfig {
    let mut config = AuthenticatorConfig::new(DomainId::new(266), [0xa0]);
    config.l2cap = flags & op::L2CAP != 0;
    if flags & op::DIGITAL != 0 {
        config.description = PostHandshake::ctap([0xa0]);
        config.description.features = Features { ctap: true, digital_credentials: true };
    }
    if flags & op::OFFER_LINK != 0 {
        let contact = ContactId::new([3; 150]).expect("a contact ID of 150 bytes");
        let info = LinkingInfo::new(contact, LINK, link_secret(), *identity.public_key(), "phone");
        config.linking = Some(LinkOffer { identity: Arc::clone(identity), info });
    }
    config
}
