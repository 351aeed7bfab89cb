//! From a code to answered requests, with one rule broken on the way.

use std::{fmt, sync::Arc, time::Duration};

use hybridge_ble::{Advertisement, DynAdvertiser, DynHandle, RadioError, ServiceUuid};
use hybridge_proto::{
    domain::{DomainId, UnassignedDomain},
    frame::{FrameError, Opener, TrafficKey},
    ids::RoutingId,
    keys::PrivateKey,
    qr::{QrCode, QrError},
    service::{RoutingIdError, ServicePath, ServiceRequest},
};
use hybridge_tunnel::{DataChannel, DialError, DynDialer};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use thiserror::Error;
use tokio::time::timeout;

use super::{
    adverts::{self, Advert},
    frames::Frames,
    messages, noise,
    passkeys::MutantPasskeys,
    rule::Rule,
};

/// Why a mutant phone could not do its part. That a laptop refused it is none of these.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MutantError {
    /// The code is none.
    #[error(transparent)]
    Code(#[from] QrError),
    /// Its tunnel service has no host.
    #[error(transparent)]
    Domain(#[from] UnassignedDomain),
    /// Its tunnel service could not be reached.
    #[error("the phone's tunnel service cannot be used: {0}")]
    Dial(#[from] DialError),
    /// Its tunnel service gave no routing ID.
    #[error(transparent)]
    RoutingId(#[from] RoutingIdError),
    /// Its radio failed.
    #[error("the phone cannot advertise: {0}")]
    Radio(#[from] RadioError),
    /// The laptop's side of the handshake is not one.
    #[error("the laptop's first message is not one of the handshake")]
    Message1,
    /// A frame of the laptop does not open, though both sides have the same keys.
    #[error("a frame of the laptop does not open: {0}")]
    Frame(#[from] FrameError),
    /// The operating system has no random numbers.
    #[error("the operating system gave no random numbers; restart this computer")]
    Randomness,
}

/// How far a laptop came with a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// It did not: the tunnel ended before, by the laptop or by the tunnel service.
    Alone,
    /// It joined the tunnel and sent its side of the handshake.
    Joined,
    /// It sent a request.
    Asked,
    /// It was sent a reply.
    Answered,
    /// It said goodbye, as one does that has what it wants.
    Left,
}

/// What a laptop did with a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// How far it came.
    pub stage: Stage,
    /// Whether it joined because of an advert that breaks a rule.
    pub took_wrong_advert: bool,
}

/// A phone that breaks one rule, or none.
#[non_exhaustive]
pub struct MutantPhone {
    /// The rule that it breaks. Default: none.
    pub rule: Option<Rule>,
    /// What it advertises under. Default: the UUID of the FIDO Alliance.
    pub uuid: ServiceUuid,
    /// For rules about adverts: how long only the wrong one is on the air. Default: 2 s.
    pub wrong_advert: Duration,
    domain: DomainId,
    advertiser: Arc<dyn DynAdvertiser>,
    dialer: Arc<dyn DynDialer>,
    rng: Option<Box<dyn CryptoRng + Send>>,
}

impl MutantPhone {
    /// A phone that keeps every rule, advertises with `advertiser` and reaches the tunnel service of `domain` with
    /// `dialer`.
    pub fn new(domain: DomainId, advertiser: Arc<dyn DynAdvertiser>, dialer: Arc<dyn DynDialer>) -> Self {
        let wrong_advert = Duration::from_secs(2);
        Self { rule: None, uuid: ServiceUuid::Fido, wrong_advert, domain, advertiser, dialer, rng: None }
    }

    /// Takes the next session's randomness from this generator, for tests that are to be repeated.
    pub fn dangerous_set_rng(&mut self, rng: Box<dyn CryptoRng + Send>) {
        self.rng = Some(rng);
    }

    /// Answers the code with this text, and serves a laptop until it leaves or hangs up.
    ///
    /// # Errors
    /// [`MutantError`], if the phone's own part failed.
    ///
    /// # Cancel safety
    /// Dropping the future stops the advert and hangs up.
    pub async fn answer(
        &mut self,
        code: &str,
        passkeys: &mut MutantPasskeys,
    ) -> Result<Outcome, MutantError> {
        let code = QrCode::parse(code)?;
        let mut rng = self.take_rng()?;
        let path = ServicePath::New { tunnel: code.secret.tunnel_id() };
        let dialed = self.dialer.dial_dyn(&ServiceRequest::new(self.domain, path)?).await?;
        let (mut channel, routing) = (dialed.channel, dialed.routing_id?);
        let Some(met) = self.meet(&code, routing, &mut channel, &mut *rng).await? else {
            return Ok(Outcome { stage: Stage::Alone, took_wrong_advert: false });
        };
        let mut session = self.shake_hands(&code, met, channel, &mut *rng).await?;
        session.serve(passkeys, &mut *rng).await?;
        Ok(session.outcome)
    }

    /// Advertises until a laptop has joined, or the tunnel has ended.
    async fn meet(
        &mut self,
        code: &QrCode,
        routing: RoutingId,
        channel: &mut DataChannel,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Option<Met>, RadioError> {
        if let Some(advert) = adverts::wrong(&code.secret, routing, self.domain, self.rule, rng) {
            let _on_air = self.advertise(&advert).await?;
            if let Ok(message) = timeout(self.wrong_advert, channel.receive()).await {
                return Ok(message.ok().map(|message_1| Met { advert, message_1, took_wrong_advert: true }));
            }
        }
        let advert = adverts::right(&code.secret, routing, self.domain, rng);
        let _on_air = self.advertise(&advert).await?;
        let message = channel.receive().await;
        Ok(message.ok().map(|message_1| Met { advert, message_1, took_wrong_advert: false }))
    }

    async fn advertise(&mut self, advert: &Advert) -> Result<DynHandle, RadioError> {
        self.advertiser.advertise_dyn(Advertisement::new(self.uuid, advert.data.clone())).await
    }

    async fn shake_hands(
        &mut self,
        code: &QrCode,
        met: Met,
        mut channel: DataChannel,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Session, MutantError> {
        let salt = match self.rule {
            // Another nonce than the advert's; everything else is the same.
            Some(Rule::PskSalt) => {
                let routing = met.advert.plaintext.routing_id();
                adverts::right(&code.secret, routing, self.domain, rng).plaintext
            }
            _ => met.advert.plaintext,
        };
        let own = PrivateKey::generate(rng);
        let answer =
            noise::answer(&code.public_key, &code.secret.psk(&salt), &met.message_1, &own, self.rule)?;
        let (to_phone, to_laptop) = match self.rule {
            Some(Rule::KeysSwapped) => (answer.to_laptop, answer.to_phone),
            _ => (answer.to_phone, answer.to_laptop),
        };
        let opener = Opener::new(&TrafficKey::from_bytes(&to_phone));
        let frames = Frames::new(&to_laptop, self.rule);
        // One that has hung up already shows at the next attempt to receive.
        channel.send(&answer.message).await.unwrap_or_default();
        let outcome = Outcome { stage: Stage::Joined, took_wrong_advert: met.took_wrong_advert };
        Ok(Session { channel, frames, opener, rule: self.rule, outcome })
    }

    fn take_rng(&mut self) -> Result<Box<dyn CryptoRng + Send>, MutantError> {
        if let Some(rng) = self.rng.take() {
            return Ok(rng);
        }
        let rng = ChaCha20Rng::try_from_rng(&mut getrandom::SysRng).map_err(|_| MutantError::Randomness)?;
        Ok(Box::new(rng))
    }
}

impl fmt::Debug for MutantPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MutantPhone")
            .field("rule", &self.rule)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// A laptop has joined.
struct Met {
    advert: Advert,
    message_1: Vec<u8>,
    took_wrong_advert: bool,
}

/// After the handshake.
struct Session {
    channel: DataChannel,
    frames: Frames,
    opener: Opener,
    rule: Option<Rule>,
    outcome: Outcome,
}

impl Session {
    /// Describes the phone and answers requests until the laptop leaves or hangs up.
    async fn serve(
        &mut self,
        passkeys: &mut MutantPasskeys,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), MutantError> {
        const SHUTDOWN: u8 = 0;
        const CTAP: u8 = 1;
        self.send(&messages::first(self.rule)).await;
        while let Ok(frame) = self.channel.receive().await {
            let message = self.opener.open(frame)?;
            match message.split_first() {
                Some((&SHUTDOWN, _)) => {
                    self.outcome.stage = Stage::Left;
                    return Ok(());
                }
                Some((&CTAP, request)) => {
                    self.outcome.stage = Stage::Asked;
                    let reply = passkeys.call(request, self.rule, rng);
                    for message in messages::replies(&reply, self.rule) {
                        self.send(&message).await;
                    }
                    self.outcome.stage = Stage::Answered;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn send(&mut self, message: &[u8]) {
        let frame = self.frames.seal(message);
        // One that has hung up shows at the next attempt to receive.
        self.channel.send(&frame).await.unwrap_or_default();
    }
}
