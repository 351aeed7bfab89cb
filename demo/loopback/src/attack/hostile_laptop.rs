//! A laptop that goes its own ways: it hears adverts, joins tunnels and says there what it likes.

use std::sync::Arc;

use hybridge_ble::{
    Scan, Scanner,
    sim::{SimDevice, SimScan},
};
use hybridge_proto::{
    advert::{Advert, AdvertPlaintext, open},
    frame::{Opener, Sealer},
    handshake::Initiator,
    ids::{RoutingId, TunnelId},
    keys::{PrivateKey, Psk, QrSecret},
    message::PostHandshake,
    qr::{Hint, QrCode},
    service::{ServicePath, ServiceRequest},
};
use hybridge_tunnel::{ChannelError, DataChannel, DialError, Dialer};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    failure::Setup,
    network::Directory,
    scene::{SERVICE, Scene},
};

/// The laptop of an attacker.
pub(super) struct HostileLaptop {
    radio: SimDevice,
    directory: Directory,
    pub(super) rng: Box<dyn CryptoRng + Send>,
}

/// A code that the attacker made, to be shown to a victim.
pub(super) struct OwnCode {
    pub(super) key: Arc<PrivateKey>,
    pub(super) secret: QrSecret,
}

/// A tunnel through which frames go.
pub(super) struct Connected {
    pub(super) channel: DataChannel,
    pub(super) sealer: Sealer,
    opener: Opener,
}

impl HostileLaptop {
    /// An attacker's laptop at some place.
    pub(super) fn at(scene: &Scene, place: &str) -> Result<Self, Setup> {
        let radio = scene.device(place, "attacker");
        Ok(Self { radio, directory: scene.directory()?, rng: scene.rng("attacker") })
    }

    /// Reaches these tunnel services.
    pub(super) fn dialing(mut self, directory: Directory) -> Self {
        self.directory = directory;
        self
    }

    /// Makes a code.
    pub(super) fn make_code(&mut self) -> OwnCode {
        let key = Arc::new(PrivateKey::generate(&mut *self.rng));
        OwnCode { key, secret: QrSecret::generate(&mut *self.rng) }
    }

    /// Starts to listen.
    pub(super) async fn listen(&self) -> Result<SimScan, Setup> {
        Ok(self.radio.scan().await?)
    }

    /// Joins a tunnel of honest phones.
    pub(super) async fn join(&self, tunnel: TunnelId, routing: RoutingId) -> Result<DataChannel, DialError> {
        let path = ServicePath::Connect { routing, tunnel };
        let request = ServiceRequest::new(SERVICE, path).map_err(|_| DialError::InvalidRequest)?;
        Ok(self.directory.dial(&request).await?.channel)
    }

    /// Hears the phone that has this code, and joins its tunnel.
    pub(super) async fn meet(&self, secret: &QrSecret) -> Result<(DataChannel, Psk), Setup> {
        let plaintext = overhear(self.listen().await?, secret).await?;
        let channel = self.join(secret.tunnel_id(), plaintext.routing_id()).await?;
        Ok((channel, secret.psk(&plaintext)))
    }

    /// Does everything as it should be up to the phone's description, for a code of its own.
    pub(super) async fn connect(&mut self, code: &OwnCode) -> Result<Connected, Setup> {
        let (mut channel, psk) = self.meet(&code.secret).await?;
        let (initiator, message_1) = Initiator::qr(&code.key, &psk, &mut *self.rng)?;
        channel.send(&message_1).await?;
        let established = initiator.finish(&channel.receive().await?)?;
        let mut connected = Connected { channel, sealer: established.sealer, opener: established.opener };
        PostHandshake::decode(&connected.receive().await?)?;
        Ok(connected)
    }
}

impl OwnCode {
    /// The text for a victim's camera.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let secret = QrSecret::from_bytes(self.secret.expose_bytes());
        let mut code = QrCode::new(*self.key.public_key(), secret);
        code.hint = Some(Hint::GetAssertion);
        Zeroizing::new(code.to_uri().expose_text().to_owned())
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
}

/// Listens until the phone that has this code advertises.
pub(super) async fn overhear(mut recording: SimScan, secret: &QrSecret) -> Result<AdvertPlaintext, Setup> {
    let key = secret.eid_key();
    loop {
        let heard = recording.next().await?;
        let advert = Advert::from_service_data(&heard.data);
        if let Some(plaintext) = advert.and_then(|advert| open(&key, &advert)) {
            return Ok(plaintext);
        }
    }
}

/// Waits until the other side hangs up.
pub(super) async fn until_hung_up(channel: &mut DataChannel) -> ChannelError {
    loop {
        if let Err(error) = channel.receive().await {
            return error;
        }
    }
}
