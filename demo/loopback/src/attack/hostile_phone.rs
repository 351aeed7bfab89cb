//! A phone that goes its own ways. It has seen the code and is near, so it gets as far as its keys allow.

use hybridge_ble::{Advertisement, Advertiser, ServiceUuid, sim::SimAdvert, sim::SimDevice};
use hybridge_proto::{
    advert::{AdvertPlaintext, seal},
    domain::DomainId,
    frame::{Opener, Sealer},
    ids::{AdvertNonce, RoutingId},
    keys::{EidKey, PrivateKey, Psk, PublicKey},
    message::PostHandshake,
    qr::QrCode,
    service::{ServicePath, ServiceRequest},
};
use hybridge_tunnel::{DataChannel, Dialer};
use rand_core::CryptoRng;

use super::{
    failure::Setup,
    hostile_laptop::until_hung_up,
    network::Directory,
    noise::{Handshake, Keys, after_message_1, answer, parts},
    scene::{SERVICE, Scene},
};

/// `{4: {"rk": true, "uv": true}}`: the least description of a phone that a laptop asks.
pub(super) const GET_INFO: &[u8] = b"\xa1\x04\xa2\x62rk\xf5\x62uv\xf5";

/// The phone of an attacker, near the victim's laptop.
pub(super) struct HostilePhone {
    radio: SimDevice,
    directory: Directory,
    pub(super) rng: Box<dyn CryptoRng + Send>,
}

/// A phone whose tunnel a laptop has joined: message 1 has come.
pub(super) struct Joined {
    pub(super) channel: DataChannel,
    pub(super) laptop: PublicKey,
    pub(super) psk: Psk,
    pub(super) message_1: Vec<u8>,
    ephemeral: PrivateKey,
}

/// A phone after the handshake.
pub(super) struct Connected {
    pub(super) channel: DataChannel,
    pub(super) keys: Keys,
    pub(super) sealer: Sealer,
    opener: Opener,
}

impl HostilePhone {
    /// An attacker's phone at some place.
    pub(super) fn at(scene: &Scene, place: &str) -> Result<Self, Setup> {
        let radio = scene.device(place, "attacker");
        Ok(Self { radio, directory: scene.directory()?, rng: scene.rng("attacker") })
    }

    /// Puts an advert with these contents on the air.
    pub(super) async fn advertise(
        &self,
        key: &EidKey,
        plaintext: &AdvertPlaintext,
    ) -> Result<SimAdvert, Setup> {
        let advert = Advertisement::new(ServiceUuid::Fido, *seal(key, plaintext).as_bytes());
        Ok(self.radio.advertise(advert).await?)
    }

    /// A fresh plaintext for an advert.
    pub(super) fn plaintext(&mut self, routing: RoutingId, domain: DomainId) -> AdvertPlaintext {
        AdvertPlaintext::new(&AdvertNonce::generate(&mut *self.rng), routing, domain)
    }

    /// Opens a tunnel, advertises, and waits for message 1.
    pub(super) async fn answer(&mut self, code: &str) -> Result<Joined, Setup> {
        let code = QrCode::parse(code)?;
        let path = ServicePath::New { tunnel: code.secret.tunnel_id() };
        let dialed = self.directory.dial(&ServiceRequest::new(SERVICE, path)?).await?;
        let mut channel = dialed.channel;
        let plaintext = self.plaintext(dialed.routing_id?, SERVICE);
        let advert = self.advertise(&code.secret.eid_key(), &plaintext).await?;
        let message_1 = channel.receive().await?;
        drop(advert);
        let psk = code.secret.psk(&plaintext);
        let ephemeral = PrivateKey::generate(&mut *self.rng);
        Ok(Joined { channel, laptop: code.public_key, psk, message_1, ephemeral })
    }

    /// As [`Self::answer`], and goes through the handshake as it should be.
    pub(super) async fn connect(&mut self, code: &str) -> Result<Connected, Setup> {
        self.answer(code).await?.shake_hands().await
    }

    /// As [`Self::connect`], and describes itself as a phone for passkeys.
    pub(super) async fn pose(&mut self, code: &str, get_info: Vec<u8>) -> Result<Connected, Setup> {
        let mut connected = self.connect(code).await?;
        connected.send(&PostHandshake::ctap(get_info).encode()).await?;
        Ok(connected)
    }
}

impl Joined {
    /// The handshake where message 1 has been taken, and the laptop's ephemeral key.
    pub(super) fn take_message_1(&self) -> Result<(Handshake, PublicKey), Setup> {
        let (point, _) = parts(&self.message_1).ok_or("message 1 has the wrong length")?;
        let state = after_message_1(&self.laptop, &self.psk, &self.message_1);
        let state = state.ok_or("the tag of message 1 does not verify")?;
        Ok((state, PublicKey::from_uncompressed(point)?))
    }

    async fn shake_hands(mut self) -> Result<Connected, Setup> {
        let (state, laptop_ephemeral) = self.take_message_1()?;
        let (message_2, keys) = answer(state, &self.laptop, &laptop_ephemeral, &self.ephemeral);
        self.channel.send(&message_2).await?;
        let (sealer, opener) = (Sealer::new(&keys.to_laptop), Opener::new(&keys.to_phone));
        Ok(Connected { channel: self.channel, keys, sealer, opener })
    }
}

impl Connected {
    /// Seals and sends a plaintext, type byte included.
    pub(super) async fn send(&mut self, plaintext: &[u8]) -> Result<(), Setup> {
        let frame = self.sealer.seal(plaintext)?;
        Ok(self.channel.send(&frame).await?)
    }

    /// Receives and opens a frame.
    pub(super) async fn receive(&mut self) -> Result<Vec<u8>, Setup> {
        Ok(self.opener.open(self.channel.receive().await?)?)
    }

    /// Waits until the laptop hangs up.
    pub(super) async fn until_hung_up(mut self) {
        until_hung_up(&mut self.channel).await;
    }
}
