//! A client machine among phones, tunnel services and callers that do what the input says, in any order.
//!
//! Beside not panicking, the machine has to keep its word: it acts on channels that are open only, connects only with
//! a phone that has proved itself, hands out only what that phone said in answer to a request, makes progress when
//! its time has come, and stays silent after its end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hybridge_fuzz_input::{Reader, client as op};
use hybridge_proto::{
    advert::{AdvertPlaintext, MAX_SERVICE_DATA, Psm, seal, service_data},
    channel::{ChannelId, DialFailure, Route, SightingId},
    client::{Action, CallId, ClientConfig, ClientMachine, Event, Link},
    domain::DomainId,
    handshake::{Established, HandshakeHash, MESSAGE_LENGTH, Responder},
    ids::{AdvertNonce, ClientNonce, ContactId, LinkId, RoutingId, TunnelId},
    keys::{LinkSecret, PrivateKey, Psk, PublicKey},
    link::{ClientPayload, LinkingInfo},
    message::{Features, Message, MessageKind, PostHandshake, Revision, Update},
    packets::Framing,
    qr::{Hint, QrCode},
    service::{CLIENT_PAYLOAD_HEADER, ServicePath},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use crate::{choose, damage, unwrapped};

/// How many operations one input may hold; each may cost a handshake.
const MAX_OPERATIONS: usize = 48;

/// Lets the machine live through the operations in `bytes`.
pub fn run(bytes: &[u8]) {
    let mut input = Reader::new(bytes);
    let mut world = World::new(input.byte());
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

/// What a phone has scanned, or was called with.
#[derive(Clone, Copy)]
enum Known {
    Code(usize),
    Call(ClientNonce),
}

struct Advert {
    plaintext: AdvertPlaintext,
    known: Known,
    routing: RoutingId,
}

struct Channel {
    id: ChannelId,
    route: Route,
    framing: Option<Framing>,
    open: bool,
    /// The driver has said that it is gone, or the machine has closed it.
    gone: bool,
    message_1: Option<Vec<u8>>,
    phone: Option<Established>,
    /// A message 2 of an honest phone went to the machine unchanged.
    proved: bool,
    described: Option<Revision>,
}

fn link_secret() -> LinkSecret {
    LinkSecret::from_bytes(&[9; 32])
}

struct World {
    framing: Framing,
    machine: ClientMachine,
    now: Instant,
    codes: Vec<QrCode>,
    adverts: Vec<Advert>,
    calls: Vec<CallId>,
    /// Of every try to call a phone.
    nonces: Vec<ClientNonce>,
    channels: Vec<Channel>,
    identity: Arc<PrivateKey>,
    /// The kind of request that is out.
    asked: Option<MessageKind>,
    accepts_linking: bool,
    /// The last linking information was signed for this handshake.
    linking: bool,
    /// What an honest phone has just said.
    said: Vec<u8>,
    rng: ChaCha20Rng,
    over: bool,
}

impl World {
    fn new(flags: u8) -> Self {
        let mut config = ClientConfig::new(Hint::GetAssertion);
        config.accept_linking = flags & op::ACCEPT_LINKING != 0;
        config.l2cap = flags & op::L2CAP != 0;
        let framing = if flags & op::LENGTHS != 0 { Framing::Length } else { Framing::CrLf };
        config.l2cap_framing = framing;
        if flags & op::REQUIRE_DIGITAL != 0 {
            config.required = Features { ctap: true, digital_credentials: true };
        }
        let (rng, now) = (Box::new(ChaCha20Rng::seed_from_u64(1)), Instant::now());
        let machine = match flags & op::WITHOUT_CODE {
            0 => ClientMachine::with_code(config, rng, now),
            _ => ClientMachine::without_code(config, rng, now),
        };
        Self {
            framing,
            machine,
            now,
            codes: Vec::new(),
            adverts: Vec::new(),
            calls: Vec::new(),
            nonces: Vec::new(),
            channels: Vec::new(),
            identity: Arc::new(PrivateKey::from_seed(b"identity")),
            asked: None,
            accepts_linking: flags & op::ACCEPT_LINKING != 0,
            linking: false,
            said: Vec::new(),
            rng: ChaCha20Rng::seed_from_u64(2),
            over: false,
        }
    }

    fn step(&mut self, input: &mut Reader<'_>) {
        match input.byte() % op::COUNT {
            op::SERVICE_DATA => self.machine.handle_service_data(self.now, input.chunk(), SightingId(7)),
            op::ADVERT => self.advert(input),
            op::OPENED => self.opened(input.byte(), input.byte() & 1 == 1),
            op::DIAL_FAILED => self.dial_failed(input.byte(), input.byte()),
            op::MESSAGE => self.any_message(input.byte(), input.chunk()),
            op::ANSWER => self.answer(input.byte(), input.byte(), input.byte()),
            op::FRAME => self.frame(input.byte(), input.chunk()),
            op::CLOSED => self.closed(input.byte()),
            op::WAIT => self.wait(Duration::from_millis(u64::from(u16::from_le_bytes(input.array())) * 250)),
            op::SEND_CTAP => {
                let seconds = Duration::from_secs(u64::from_le_bytes(input.array()));
                let sent = self.machine.send_ctap(self.now, input.chunk(), seconds);
                self.asked = sent.map(|()| MessageKind::Ctap).ok().or(self.asked);
            }
            op::SEND_JSON => {
                let sent = self.machine.send_json(self.now, input.chunk(), Duration::from_secs(60));
                self.asked = sent.map(|()| MessageKind::Json).ok().or(self.asked);
            }
            op::SHUTDOWN => self.machine.shutdown(self.now),
            op::SHOW_CODE => self.machine.show_code(self.now),
            op::LINK => self.link(input.byte(), input.byte() & 1 == 0),
            _ => self.call(u16::from_le_bytes(input.array())),
        }
    }

    /// A phone that knows a code, or was called, advertises.
    fn advert(&mut self, input: &mut Reader<'_>) {
        let which = usize::from(input.byte());
        let domain = DomainId::new(u16::from_le_bytes(input.array()));
        let suffix = input.chunk();
        let known = match which.checked_rem(self.codes.len() + self.nonces.len()) {
            None => return,
            Some(code) if code < self.codes.len() => Known::Code(code),
            Some(call) => Known::Call(self.nonces[call - self.codes.len()]),
        };
        let eid_key = match known {
            Known::Code(code) => self.codes[code].secret.eid_key(),
            Known::Call(nonce) => link_secret().eid_key(&nonce),
        };
        // A number of its own for each, by which a dial tells which advert it follows.
        let [.., high, low] = self.adverts.len().to_be_bytes();
        let routing = RoutingId::from_bytes([1, high, low]);
        let plaintext = AdvertPlaintext::new(&AdvertNonce::from_bytes(&[high ^ low; 10]), routing, domain);
        let mut data =
            service_data(&seal(&eid_key, &plaintext), suffix.first().map(|psm| Psm((*psm).into())));
        data.extend_from_slice(suffix.get(1..).unwrap_or_default());
        if data.len() > MAX_SERVICE_DATA {
            return self.machine.handle_service_data(self.now, &data, SightingId(7));
        }
        let sighting = SightingId(u64::try_from(self.adverts.len()).unwrap_or_default());
        self.adverts.push(Advert { plaintext, known, routing });
        self.machine.handle_service_data(self.now, &data, sighting);
    }

    fn opened(&mut self, which: u8, signal: bool) {
        let Some(channel) = choose(&mut self.channels, which) else { return };
        channel.open = true;
        self.machine.handle_channel_opened(self.now, channel.id, signal);
    }

    fn dial_failed(&mut self, which: u8, why: u8) {
        let Some(channel) = choose(&mut self.channels, which).filter(|channel| !channel.open) else { return };
        channel.gone = true;
        let failure = match why % 5 {
            0 => DialFailure::Gone,
            1 => DialFailure::Refused(u16::from(why) * 4),
            2 => DialFailure::Unreachable,
            3 => DialFailure::NotATunnelService,
            _ => DialFailure::L2cap,
        };
        self.machine.handle_dial_failed(self.now, channel.id, failure);
    }

    fn any_message(&mut self, which: u8, message: &[u8]) {
        let Some(channel) = choose(&mut self.channels, which) else { return };
        let signal = message == [0];
        // It may be the signal of a tunnel service; anything else leaves the phone's own messages unread. Over BLE it
        // may be the end of a message, and a channel with anything else is of no further use.
        channel.proved &= signal || matches!(channel.route, Route::L2cap { .. });
        self.machine.handle_message(self.now, channel.id, message.to_vec());
    }

    /// The phone at the other end answers message 1.
    fn answer(&mut self, which: u8, by: u8, at: u8) {
        let Some(position) = usize::from(which).checked_rem(self.channels.len()) else { return };
        let Some((psk, client)) = self.keys_of(&self.channels[position].route) else { return };
        let channel = &mut self.channels[position];
        let Some(message_1) = channel.message_1.take() else { return };
        let responder = match client {
            Some(client) => Responder::qr(&client, &psk, &mut self.rng),
            None => Responder::linked(&self.identity, &psk, &mut self.rng),
        };
        let answered = responder.and_then(|responder| responder.respond(&message_1));
        let (mut message_2, phone) = answered.expect("message 1 of the machine is honest");
        damage(&mut message_2, by, at);
        channel.phone = Some(phone);
        channel.proved = by == 0;
        self.machine.handle_message(self.now, channel.id, channel.wrapped(message_2.to_vec()));
    }

    /// The PSK of the advert that led to this route, and the client's key if it was a code's.
    fn keys_of(&self, route: &Route) -> Option<(Psk, Option<PublicKey>)> {
        let of = |advert: &Advert| match advert.known {
            Known::Code(code) => {
                let code = &self.codes[code];
                (code.secret.psk(&advert.plaintext), Some(code.public_key))
            }
            Known::Call(_) => (link_secret().psk(&advert.plaintext), None),
        };
        match route {
            Route::L2cap { sighting, .. } => self.adverts.get(usize::try_from(sighting.0).ok()?).map(of),
            Route::Tunnel(request) => match &request.path {
                ServicePath::Connect { routing, .. } => {
                    self.adverts.iter().find(|advert| advert.routing == *routing).map(of)
                }
                _ => {
                    let called = nonce_of(&request.headers)?;
                    // The first advert of a call is the one that counts.
                    let is_its =
                        |advert: &&Advert| matches!(advert.known, Known::Call(nonce) if nonce == called);
                    self.adverts.iter().find(is_its).map(of)
                }
            },
            _ => None,
        }
    }

    fn frame(&mut self, which: u8, plaintext: &[u8]) {
        let Some(channel) = choose(&mut self.channels, which) else { return };
        let Some(frame) = channel.phone.as_mut().and_then(|phone| phone.sealer.seal(plaintext).ok()) else {
            return;
        };
        if channel.described.is_none() {
            channel.described = PostHandshake::decode(plaintext).ok().map(|message| message.revision);
        }
        self.said = match channel.described {
            Some(Revision::Untyped) => plaintext.to_vec(),
            _ => plaintext.get(1..).unwrap_or_default().to_vec(),
        };
        self.machine.handle_message(self.now, channel.id, channel.wrapped(frame));
    }

    /// The phone wants to be remembered.
    fn link(&mut self, which: u8, honest: bool) {
        let Some(position) = usize::from(which).checked_rem(self.channels.len()) else { return };
        let Some((_, Some(client))) = self.keys_of(&self.channels[position].route) else { return };
        let Some(phone) = &self.channels[position].phone else { return };
        let mut hash = *phone.hash.expose_bytes();
        hash[0] ^= u8::from(!honest);
        let map = self.link_info().encode(&self.identity, &client, &HandshakeHash::from_bytes(&hash));
        let update = Update { linking_info: Some(&map) };
        let plaintext = Message::Update(update.encode()).encode();
        self.linking = honest;
        self.frame(which, &plaintext);
    }

    fn link_info(&self) -> LinkingInfo {
        let contact = ContactId::new([3; 20]).expect("a contact ID of 20 bytes");
        let (link, identity) = (LinkId::from_bytes([4; 8]), *self.identity.public_key());
        LinkingInfo::new(contact, link, link_secret(), identity, "phone")
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

    fn call(&mut self, domain: u16) {
        let domain = DomainId::new(domain);
        match self.machine.call(self.now, Link::new(domain, self.link_info())) {
            Ok(Some(id)) => self.calls.push(id),
            Ok(None) => {}
            Err(_) => assert!(domain.host().is_err()),
        }
    }

    fn drain(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            assert!(!self.over, "no action after the end");
            self.act(action);
        }
        let ongoing =
            self.channels.iter().filter(|channel| !channel.gone && is_answer(&channel.route)).count();
        assert!(ongoing <= 4, "at most four candidates at once");
        while let Some(event) = self.machine.poll_event() {
            assert!(!self.over, "no event after the end");
            self.hear(event);
        }
        assert_eq!(self.over, self.machine.is_closed());
        assert!(!self.over || self.machine.poll_timeout().is_none(), "nothing is waited for after the end");
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Dial { channel, route } => self.dialed(channel, route),
            Action::Send { channel, message } => {
                let channel = self.live(channel);
                assert!(channel.open, "sends only on open channels");
                let message = match channel.framing {
                    Some(framing) => unwrapped(framing, &message),
                    None => message,
                };
                if message.len() == MESSAGE_LENGTH && channel.phone.is_none() {
                    channel.message_1 = Some(message);
                } else if let (Some(phone), true) = (&mut channel.phone, channel.proved) {
                    phone.opener.open(message).expect("the phone opens what the machine sends");
                }
            }
            Action::Close { channel, .. } => self.live(channel).gone = true,
            _ => {}
        }
    }

    fn dialed(&mut self, id: ChannelId, route: Route) {
        assert!(self.channels.iter().all(|channel| channel.id != id), "each channel has its own name");
        if let Route::Tunnel(request) = &route
            && let Some(nonce) = nonce_of(&request.headers)
        {
            assert!(!self.nonces.contains(&nonce), "every try has a nonce of its own");
            self.nonces.push(nonce);
        }
        let framing = matches!(route, Route::L2cap { .. }).then_some(self.framing);
        self.channels.push(Channel {
            id,
            framing,
            route,
            open: false,
            gone: false,
            message_1: None,
            phone: None,
            proved: false,
            described: None,
        });
    }

    fn live(&mut self, id: ChannelId) -> &mut Channel {
        let channel = self.channels.iter_mut().find(|channel| channel.id == id).expect("a channel it dialed");
        assert!(!channel.gone, "uses no channel that is gone");
        channel
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::ShowQr { uri, until } => {
                assert!(until > self.now);
                let code = QrCode::parse(uri.expose_text()).expect("a shown code can be scanned");
                let tunnel: TunnelId = code.secret.tunnel_id();
                assert!(self.codes.iter().all(|old| old.secret.tunnel_id() != tunnel), "every code is fresh");
                self.codes.push(code);
            }
            Event::Connected { features, get_info, .. } => {
                assert!(self.channels.iter().any(|channel| channel.proved && !channel.gone));
                assert_eq!(features.ctap, get_info.is_some());
            }
            Event::CtapReply(reply) => self.replied(MessageKind::Ctap, &reply),
            Event::JsonReply(reply) => self.replied(MessageKind::Json, &reply),
            Event::Linked(link) => {
                assert!(self.accepts_linking && self.linking, "remembers a phone of this handshake only");
                assert_eq!(link.info.identity, *self.identity.public_key());
            }
            Event::LinkGone(id) => assert!(self.calls.contains(&id)),
            Event::Finished | Event::Failed(_) => self.over = true,
            _ => {}
        }
    }

    fn replied(&mut self, kind: MessageKind, reply: &[u8]) {
        assert_eq!(self.asked.take(), Some(kind), "a reply has a request");
        assert_eq!(reply, self.said, "replies pass untouched");
    }

    /// Nothing waits for ever: with no more news, the machine's own deadlines lead to an end, or to a session in
    /// which the caller has the word.
    fn let_time_end_it(&mut self) {
        for _ in 0..64 {
            let Some(next) = self.machine.poll_timeout() else { return };
            self.now = self.now.max(next);
            self.wait(Duration::ZERO);
            self.drain();
        }
        panic!("no end in sight");
    }
}

impl Channel {
    /// A message as an honest phone sends it; without lengths it counts on packets.
    fn wrapped(&self, message: Vec<u8>) -> Vec<u8> {
        match self.framing {
            Some(Framing::Length) => Framing::Length.wrap(&message),
            _ => message,
        }
    }
}

/// Whether a channel follows an advert of a code, so that it counts as a candidate.
fn is_answer(route: &Route) -> bool {
    match route {
        Route::Tunnel(request) => matches!(request.path, ServicePath::Connect { .. }),
        _ => true,
    }
}

fn nonce_of(headers: &[(&'static str, String)]) -> Option<ClientNonce> {
    let (_, payload) = headers.iter().find(|(name, _)| *name == CLIENT_PAYLOAD_HEADER)?;
    Some(ClientPayload::from_header(payload).expect("the payload of a call can be read").nonce)
}
