//! Sessions: from a scanned code, or a call, to answered requests.

use std::{fmt, sync::Arc, time::Duration};

use hybridge_ble::{DynAdvertiser, l2cap::DynL2capListener};
use hybridge_proto::{
    authenticator::{
        AuthenticatorConfig, AuthenticatorMachine, AuthenticatorTiming, IncomingCall, LinkOffer,
    },
    domain::DomainId,
    qr::QrCode,
};
use hybridge_tunnel::DynDialer;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};

use crate::{
    CtapService,
    driver::{Driver, Next, now},
    error::Error,
    progress::{Operation, Progress},
};

/// `CTAP2_ERR_USER_ACTION_TIMEOUT`.
const USER_ACTION_TIMEOUT: u8 = 0x2F;

/// An authenticator's radio, tunnel service and choices: everything a session needs beside a code and a service.
#[non_exhaustive]
pub struct Authenticator {
    /// Which tunnel service this authenticator uses; its ID goes into the advert.
    pub domain: DomainId,
    /// Linking information for a client that can remember phones. The caller has asked the person. Taken by the
    /// next session with a code of such a client. Default: none.
    pub linking: Option<LinkOffer>,
    /// The radio that clients connect to if their code allows it, without a tunnel service between (CTAP 2.3). It is the
    /// adapter that advertises. The tunnel is there as well, and if it cannot be opened a client that can connect is
    /// served all the same. Messages may come in either [`Framing`](hybridge_proto::packets::Framing); the answers have
    /// that of the client's first one. Default: none, so the tunnel.
    pub l2cap: Option<Arc<dyn DynL2capListener>>,
    /// How long things may take.
    pub timing: AuthenticatorTiming,
    /// How long the service, and so the person whom it asks, may take for one request. Then the service's call is given
    /// up, and the client is told that nobody answered (CTAP status 0x2F): a client that vanished without closing its
    /// connection would keep the question open for ever. Default 10 minutes, the longest time that WebAuthn recommends
    /// to websites.
    pub user_action: Duration,
    advertiser: Arc<dyn DynAdvertiser>,
    dialer: Arc<dyn DynDialer>,
    rng: Option<Box<dyn CryptoRng + Send>>,
}

impl Authenticator {
    /// An authenticator that advertises with `advertiser` and reaches its tunnel service with `dialer`.
    pub fn new(domain: DomainId, advertiser: Arc<dyn DynAdvertiser>, dialer: Arc<dyn DynDialer>) -> Self {
        let timing = AuthenticatorTiming::default();
        let user_action = Duration::from_secs(600);
        Self { domain, linking: None, l2cap: None, timing, user_action, advertiser, dialer, rng: None }
    }

    /// Takes the next session's randomness from this generator: for simulations that are to be repeated. Whoever can
    /// predict it can take the client's place.
    pub fn dangerous_set_rng(&mut self, rng: Box<dyn CryptoRng + Send>) {
        self.rng = Some(rng);
    }

    /// Answers the code with this text: opens a tunnel, advertises, and lets `service` answer one client's requests
    /// until that client is done.
    ///
    /// # Errors
    /// [`Error`]. A request that `service` refused is no error.
    ///
    /// # Cancel safety
    /// Dropping the future stops the advert and hangs up at once.
    pub async fn answer_code(
        &mut self,
        text: &str,
        service: &mut impl CtapService,
        on_progress: impl FnMut(Progress) + Send,
    ) -> Result<(), Error> {
        // A code that does not hold causes no traffic and no question to the person.
        let code = QrCode::parse(text)?;
        let get_info = service.get_info().await;
        let mut config = self.machine_config(get_info);
        if code.effective_linking() {
            config.linking = self.linking.take();
        }
        let machine = AuthenticatorMachine::answer_code(config, &code, self.take_rng()?, now())?;
        serve(self.driver(machine), self.user_action, service, on_progress).await
    }

    /// Answers a call from a client that remembers this authenticator.
    ///
    /// # Errors
    /// As [`Authenticator::answer_code`].
    ///
    /// # Cancel safety
    /// As [`Authenticator::answer_code`].
    pub async fn answer_call(
        &mut self,
        call: IncomingCall,
        service: &mut impl CtapService,
        on_progress: impl FnMut(Progress) + Send,
    ) -> Result<(), Error> {
        let get_info = service.get_info().await;
        let config = self.machine_config(get_info);
        let machine = AuthenticatorMachine::answer_call(config, call, self.take_rng()?, now())?;
        serve(self.driver(machine), self.user_action, service, on_progress).await
    }

    fn machine_config(&self, get_info: Vec<u8>) -> AuthenticatorConfig {
        let mut config = AuthenticatorConfig::new(self.domain, get_info);
        config.l2cap = self.l2cap.is_some();
        config.timing = self.timing;
        config
    }

    fn take_rng(&mut self) -> Result<Box<dyn CryptoRng + Send>, Error> {
        match self.rng.take() {
            Some(rng) => Ok(rng),
            None => match ChaCha20Rng::try_from_rng(&mut getrandom::SysRng) {
                Ok(rng) => Ok(Box::new(rng)),
                Err(_) => Err(Error::Randomness),
            },
        }
    }

    fn driver(&self, machine: AuthenticatorMachine) -> Driver {
        Driver::new(machine, Arc::clone(&self.advertiser), self.l2cap.clone(), Arc::clone(&self.dialer))
    }
}

/// Lets the service answer one client, and hangs up properly.
async fn serve(
    mut driver: Driver,
    user_action: Duration,
    service: &mut impl CtapService,
    mut on_progress: impl FnMut(Progress) + Send,
) -> Result<(), Error> {
    on_progress(Progress::Connecting);
    let outcome = loop {
        let request = match driver.next(&mut on_progress).await {
            Ok(Next::Request(request)) => request,
            Ok(Next::Over) => break Ok(()),
            Err(error) => break Err(error),
        };
        on_progress(Progress::Request(Operation::of(&request)));
        let reply = tokio::select! {
            biased;
            // The client left, or broke the rule of one request at a time: the question to the person ends here.
            next = driver.next(&mut on_progress) => break Err(next.err().unwrap_or(Error::ClientLeft)),
            reply = service.call(&request) => reply,
            () = tokio::time::sleep(user_action) => vec![USER_ACTION_TIMEOUT],
        };
        if let Err(error) = driver.reply(&reply) {
            break Err(error.into());
        }
        on_progress(Progress::Replied { status: reply.first().copied().unwrap_or_default() });
    };
    driver.finish().await;
    outcome
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").field("domain", &self.domain).finish_non_exhaustive()
    }
}
