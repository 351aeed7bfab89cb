//! A phone driven by hand: it sends what a test lets it send, when the test says so.

use std::time::Instant;

use hybridge_ble::{Advertisement, Advertiser, ServiceUuid, sim::SimAdvert};
use hybridge_client::Features;
use hybridge_proto::{
    advert::{AdvertPlaintext, seal, service_data},
    authenticator::{Action, AuthenticatorConfig, AuthenticatorMachine, Event, LinkOffer},
    channel::ChannelId,
    ids::{AdvertNonce, RoutingId},
    qr::QrCode,
};
use hybridge_tunnel::{ChannelError, CloseCode, DataChannel, Dialer};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::{DOMAIN, World};

pub struct Puppet {
    machine: AuthenticatorMachine,
    id: ChannelId,
    channel: DataChannel,
    /// On the air until message 1.
    advert: Option<SimAdvert>,
}

impl Puppet {
    pub async fn answer(world: &World, code: &str) -> Self {
        Self::answer_with(world, code, |_| {}).await
    }

    /// A phone with linking information for the client.
    pub async fn answer_with_link(world: &World, code: &str, offer: LinkOffer) -> Self {
        Self::answer_with(world, code, |config| config.linking = Some(offer)).await
    }

    /// A phone that holds nothing but digital credentials.
    pub async fn answer_as_wallet(world: &World, code: &str) -> Self {
        let wallet = |config: &mut AuthenticatorConfig| {
            let mut features = Features::default();
            (features.ctap, features.digital_credentials) = (false, true);
            config.description.features = features;
            config.description.get_info = None;
        };
        Self::answer_with(world, code, wallet).await
    }

    /// Opens a tunnel and advertises.
    async fn answer_with(world: &World, code: &str, change: impl FnOnce(&mut AuthenticatorConfig)) -> Self {
        let mut config = AuthenticatorConfig::new(DOMAIN, [0xA0]);
        change(&mut config);
        let code = QrCode::parse(code).unwrap();
        let rng = Box::new(ChaCha20Rng::seed_from_u64(99));
        let mut machine = AuthenticatorMachine::answer_code(config, &code, rng, now()).unwrap();
        let Some(Action::Dial { channel: id, request }) = machine.poll_action() else { panic!("no dial") };
        let dialed = world.service.dial(&request).await.unwrap();
        machine.handle_tunnel_opened(now(), id, dialed.routing_id.ok());
        let Some(Action::Advertise { service_data, .. }) = machine.poll_action() else { panic!("no advert") };
        let advert =
            world.phone.advertise(Advertisement::new(ServiceUuid::Fido, service_data)).await.unwrap();
        Self { machine, id, channel: dialed.channel, advert: Some(advert) }
    }

    /// The next message of the laptop, whatever it is.
    pub async fn receive(&mut self) -> Result<Vec<u8>, ChannelError> {
        self.channel.receive().await
    }

    /// Hands a message to the machine and gives what it wants to send.
    pub fn handle(&mut self, message: Vec<u8>) -> Vec<Vec<u8>> {
        self.machine.handle_message(now(), self.id, message);
        self.outgoing()
    }

    fn outgoing(&mut self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while let Some(action) = self.machine.poll_action() {
            match action {
                Action::Send { message, .. } => messages.push(message),
                Action::StopAdvertising => self.advert = None,
                _ => {}
            }
        }
        messages
    }

    pub async fn send(&mut self, messages: impl IntoIterator<Item = Vec<u8>>) {
        for message in messages {
            self.channel.send(&message).await.unwrap();
        }
    }

    /// Goes through the handshake, and says all that a phone says after it.
    pub async fn connect(&mut self) {
        let messages = self.handshake().await;
        self.send(messages).await;
    }

    /// Takes message 1 and gives message 2, the description, and an update if the code asked for one.
    pub async fn handshake(&mut self) -> Vec<Vec<u8>> {
        let message_1 = self.receive().await.unwrap();
        self.handle(message_1)
    }

    /// Takes a request, and gives the sealed reply without sending it.
    pub async fn serve(&mut self, reply: &[u8]) -> Vec<Vec<u8>> {
        let request = self.receive().await.unwrap();
        assert!(self.handle(request).is_empty());
        self.machine.reply(now(), reply).unwrap();
        self.outgoing()
    }

    /// Whether the machine took a goodbye from the laptop among what it has been handed.
    pub fn was_dismissed(&mut self) -> bool {
        std::iter::from_fn(|| self.machine.poll_event()).any(|event| matches!(event, Event::Finished))
    }

    pub async fn close(self) {
        let (sender, mut receiver) = self.channel.split();
        sender.close(CloseCode::NORMAL).await;
        while receiver.receive().await.is_ok() {}
    }

    /// Reads on until the tunnel has ended, and says how.
    pub async fn end(&mut self) -> ChannelError {
        loop {
            match self.receive().await {
                Ok(message) => drop(self.handle(message)),
                Err(error) => return error,
            }
        }
    }
}

/// Service data that matches a code and leads to the tunnel of this routing ID.
pub fn forged(code: &str, routing: RoutingId, domain: hybridge_authenticator::DomainId) -> Vec<u8> {
    let code = QrCode::parse(code).unwrap();
    let plaintext = AdvertPlaintext::new(&AdvertNonce::from_bytes(&[5; 10]), routing, domain);
    service_data(&seal(&code.secret.eid_key(), &plaintext), None)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
