//! A laptop driven by hand: it sends what a test lets it send, when the test says so.

use std::time::{Duration, Instant};

use hybridge_ble::{Scan, Scanner};
use hybridge_proto::{
    channel::{ChannelId, Route},
    client::{Action, ClientConfig, ClientMachine, Event, Link},
    qr::Hint,
};
use hybridge_tunnel::{ChannelError, CloseCode, DataChannel, Dialer};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::world::World;

/// How long its requests may take.
const TIMEOUT: Duration = Duration::from_secs(600);

pub struct Laptop {
    machine: ClientMachine,
    /// Empty if it calls.
    pub code: String,
    channel: Option<(ChannelId, DataChannel)>,
    outgoing: Vec<Vec<u8>>,
}

impl Laptop {
    pub fn new() -> Self {
        Self::with(ClientConfig::new(Hint::GetAssertion))
    }

    /// A laptop that can remember phones.
    pub fn remembering() -> Self {
        let mut config = ClientConfig::new(Hint::GetAssertion);
        config.accept_linking = true;
        Self::with(config)
    }

    fn with(config: ClientConfig) -> Self {
        let rng = Box::new(ChaCha20Rng::seed_from_u64(3));
        let mut machine = ClientMachine::with_code(config, rng, now());
        let Some(Event::ShowQr { uri, .. }) = machine.poll_event() else { panic!("no code") };
        let code = uri.expose_text().to_owned();
        Self { machine, code, channel: None, outgoing: Vec::new() }
    }

    /// A laptop that calls a phone it remembers.
    pub async fn calling(world: &World, link: Link) -> Self {
        let rng = Box::new(ChaCha20Rng::seed_from_u64(4));
        let config = ClientConfig::new(Hint::MakeCredential);
        let mut machine = ClientMachine::without_code(config, rng, now());
        machine.call(now(), link).unwrap();
        let mut laptop = Self { machine, code: String::new(), channel: None, outgoing: Vec::new() };
        laptop.carry_out(world).await;
        laptop
    }

    /// Listens until an advert leads to a tunnel, and joins it. Message 1 is waiting to be sent then.
    pub async fn find(&mut self, world: &World) {
        let mut scan = world.laptop.scan().await.unwrap();
        while self.outgoing.is_empty() {
            let heard = scan.next().await.unwrap();
            self.machine.handle_service_data(now(), &heard.data, Default::default());
            self.carry_out(world).await;
        }
    }

    /// Finds the phone and goes through the handshake and the phone's description.
    pub async fn connect(&mut self, world: &World) {
        self.find(world).await;
        self.flush().await;
        while !self.receive().await.iter().any(|event| matches!(event, Event::Connected { .. })) {}
    }

    async fn carry_out(&mut self, world: &World) {
        while let Some(action) = self.machine.poll_action() {
            match action {
                Action::Dial { channel, route: Route::Tunnel(request) } => {
                    let dialed = world.service.dial(&request).await.unwrap();
                    self.channel = Some((channel, dialed.channel));
                    self.machine.handle_channel_opened(now(), channel, dialed.signal);
                }
                Action::Send { message, .. } => self.outgoing.push(message),
                _ => {}
            }
        }
    }

    fn channel(&mut self) -> &mut DataChannel {
        &mut self.channel.as_mut().unwrap().1
    }

    /// Sends any bytes.
    pub async fn send(&mut self, message: &[u8]) {
        self.channel().send(message).await.unwrap();
    }

    /// Sends what the machine wants to send.
    pub async fn flush(&mut self) {
        for message in std::mem::take(&mut self.outgoing) {
            self.send(&message).await;
        }
    }

    /// Takes one message of the phone, and gives the events that follow from it.
    pub async fn receive(&mut self) -> Vec<Event> {
        let (id, channel) = self.channel.as_mut().unwrap();
        let message = channel.receive().await.unwrap();
        self.machine.handle_message(now(), *id, message);
        self.collect();
        std::iter::from_fn(|| self.machine.poll_event()).collect()
    }

    fn collect(&mut self) {
        while let Some(action) = self.machine.poll_action() {
            if let Action::Send { message, .. } = action {
                self.outgoing.push(message);
            }
        }
    }

    /// Sends a request.
    pub async fn ask(&mut self, request: &[u8]) {
        self.machine.send_ctap(now(), request, TIMEOUT).unwrap();
        self.collect();
        self.flush().await;
    }

    /// Waits for the reply.
    pub async fn reply(&mut self) -> Vec<u8> {
        loop {
            let replies = self.receive().await.into_iter().find_map(|event| match event {
                Event::CtapReply(reply) => Some(reply),
                _ => None,
            });
            if let Some(reply) = replies {
                return reply;
            }
        }
    }

    /// Says goodbye and leaves the tunnel open.
    pub async fn say_goodbye(&mut self) {
        self.machine.shutdown(now());
        self.collect();
        self.flush().await;
    }

    /// Reads on until the tunnel has ended, and says how.
    pub async fn end(&mut self) -> ChannelError {
        loop {
            if let Err(error) = self.channel().receive().await {
                return error;
            }
        }
    }

    pub async fn close(self, code: CloseCode) {
        let (sender, mut receiver) = self.channel.unwrap().1.split();
        sender.close(code).await;
        while receiver.receive().await.is_ok() {}
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
