//! An honest laptop, whose steps an attack can watch, hold up, and see fail.

use std::{sync::Arc, time::Duration};

use hybridge_ble::sim::SimDevice;
use hybridge_client::{
    AttemptError, ClientError, CtapChannel, Error, Hint, Progress, Session, SessionConfig,
};
use hybridge_picture::from_png;
use hybridge_tunnel::DynDialer;
use rand_core::CryptoRng;
use tokio::{
    pin,
    sync::{Notify, mpsc},
    task::JoinHandle,
};
use zeroize::Zeroizing;

use super::{
    failure::{Failure, Setup},
    network::Directory,
    report::Refusal,
    scene::Ledger,
};
use crate::{
    browser::{self, Browser, BrowserError},
    laptop::LaptopError,
    relying_party::SignedIn,
    screen::{Screen, View},
    website::Website,
};

/// How long each step may take unless an attack is about just that.
const PATIENCE: Duration = Duration::from_secs(4);

/// A laptop before its session.
pub(super) struct Laptop {
    pub(super) config: SessionConfig,
    pub(super) request_timeout: Duration,
    /// Keeps it, once connected, from asking the phone until it is told to.
    pub(super) hesitation: Option<Arc<Notify>>,
    pub(super) directory: Directory,
    radio: SimDevice,
    website: Website,
    rng: Box<dyn CryptoRng + Send>,
    ledger: Ledger,
}

/// A laptop on which somebody is signing in.
pub(super) struct SigningIn {
    pub(super) radio: SimDevice,
    view: View,
    progress: mpsc::UnboundedReceiver<Progress>,
    past: Vec<Progress>,
    task: JoinHandle<Result<SignedIn, LaptopError>>,
}

/// How it ended on the laptop.
pub(super) struct Ended {
    pub(super) result: Result<SignedIn, LaptopError>,
    /// Everything that was told, codes left out.
    pub(super) progress: Vec<Progress>,
}

impl Laptop {
    pub(super) fn new(
        radio: SimDevice,
        directory: Directory,
        website: Website,
        rng: Box<dyn CryptoRng + Send>,
        ledger: Ledger,
    ) -> Self {
        let mut config = SessionConfig::new(Hint::GetAssertion);
        config.timing.search = PATIENCE;
        config.timing.connect = PATIENCE;
        config.timing.call = PATIENCE;
        config.timing.handshake = PATIENCE;
        config.timing.post_handshake = PATIENCE;
        config.timing.linger = Duration::from_millis(200);
        Self { config, request_timeout: PATIENCE, hesitation: None, directory, radio, website, rng, ledger }
    }

    /// Looks for a phone for this long only.
    pub(super) fn searching(mut self, search: Duration) -> Self {
        self.config.timing.search = search;
        self
    }

    /// Reaches these tunnel services.
    pub(super) fn dialing(mut self, directory: Directory) -> Self {
        self.directory = directory;
        self
    }

    /// Offers phones to connect to them over Bluetooth.
    pub(super) fn over_bluetooth(mut self) -> Self {
        self.config.l2cap = Some(Arc::new(self.radio.clone()));
        self
    }

    /// Opens the website's page and clicks "sign in".
    pub(super) fn sign_in(self) -> SigningIn {
        let (tell, progress) = mpsc::unbounded_channel();
        let screen = Screen::new();
        let (radio, view) = (self.radio.clone(), screen.view());
        let task = tokio::spawn(self.run(screen, tell));
        SigningIn { radio, view, progress, past: Vec::new(), task }
    }

    async fn run(
        self,
        screen: Screen,
        tell: mpsc::UnboundedSender<Progress>,
    ) -> Result<SignedIn, LaptopError> {
        let Self { config, request_timeout, hesitation, directory, radio, website, rng, ledger } = self;
        let (options, pending) = website.begin_sign_in()?;
        let assertion = Browser::new(website.origin())?.get(&options)?;
        ledger.wants(assertion.client_data_hash());
        let dialer: Arc<dyn DynDialer> = Arc::new(directory);
        let session = Session::dangerous_start_with_rng(config, Arc::new(radio), dialer, rng)?;
        let mut channel = connect(session, &screen, tell).await?;
        if let Some(hesitation) = hesitation {
            hesitation.notified().await;
        }
        channel.request_timeout = request_timeout;
        let described = channel.raw_get_info().unwrap_or_default();
        let request = assertion.for_phone(described).map_err(BrowserError::from)?;
        let reply = channel.call(request.command()).await?;
        // The person is signed in even if the goodbye fails.
        let _ = channel.close().await;
        let response = request.finish(&reply).map_err(BrowserError::from)?;
        Ok(website.finish_sign_in(pending, &browser::signed(&response)?)?)
    }
}

/// Waits for a phone, and draws each code meanwhile.
async fn connect(
    session: Session,
    screen: &Screen,
    tell: mpsc::UnboundedSender<Progress>,
) -> Result<CtapChannel, LaptopError> {
    let (codes, mut shown) = mpsc::unbounded_channel();
    let connecting = session.connect(move |progress| {
        // Both fail only when nobody looks any more.
        let _ = match progress {
            Progress::ShowQr { code, .. } => codes.send(code).map_err(drop),
            progress => tell.send(progress).map_err(drop),
        };
    });
    pin!(connecting);
    loop {
        tokio::select! {
            channel = &mut connecting => return Ok(channel?),
            Some(code) = shown.recv() => drop(screen.show(code.expose_text())?),
        }
    }
}

impl SigningIn {
    /// Reads the next code off the screen, as a camera does.
    pub(super) async fn code(&mut self) -> Result<Zeroizing<String>, Setup> {
        let shown = self.view.next().await.ok_or("the laptop showed no code")?;
        Ok(from_png(&shown.png)?)
    }

    /// Waits until the laptop tells something.
    pub(super) async fn until(&mut self, wanted: impl Fn(&Progress) -> bool) -> Result<(), Setup> {
        loop {
            let progress = self.progress.recv().await.ok_or("the laptop's session ended early")?;
            let found = wanted(&progress);
            self.past.push(progress);
            if found {
                return Ok(());
            }
        }
    }

    /// Closes the page.
    pub(super) async fn give_up(mut self) {
        self.task.abort();
        // The task's answer is that it was aborted.
        let _ = (&mut self.task).await;
    }

    /// Waits until the laptop gives up one phone, then closes the page.
    pub(super) async fn failed_attempt(mut self) -> Result<AttemptError, Setup> {
        loop {
            let progress = self.progress.recv().await.ok_or("the laptop gave up no phone")?;
            if let Progress::AttemptFailed { error, .. } = progress {
                self.give_up().await;
                return Ok(error);
            }
        }
    }

    /// Waits for the end.
    pub(super) async fn end(mut self) -> Result<Ended, Setup> {
        let result = (&mut self.task).await?;
        while let Ok(progress) = self.progress.try_recv() {
            self.past.push(progress);
        }
        Ok(Ended { result, progress: std::mem::take(&mut self.past) })
    }
}

impl Drop for SigningIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Ended {
    /// The error that it ended with, sorted by who refused.
    pub(super) fn refusal(self) -> Result<Refusal, Failure> {
        match self.result {
            Ok(visitor) => Err(Failure::Succeeded(format!("{} signed in", visitor.user))),
            Err(LaptopError::Session(error)) => Ok(Refusal::Laptop(error)),
            Err(LaptopError::Browser(error)) => Ok(Refusal::Browser(error)),
            Err(LaptopError::Website(error)) => Ok(Refusal::Website(error)),
            Err(error) => Err(Failure::Setup(error.into())),
        }
    }

    /// As [`Self::refusal`], where nobody but a phone that fails its handshake like this may be at fault.
    pub(super) fn failed_handshake(self, expected: AttemptError) -> Result<Refusal, Failure> {
        match self.refusal()? {
            found @ Refusal::Laptop(Error::Handshake(error)) if error == expected => Ok(found),
            found => Err(Failure::otherwise(&format!("{expected:?}"), &found)),
        }
    }

    /// As [`Self::refusal`], where nothing but this breach of the protocol may have ended the session.
    pub(super) fn broken_protocol(self, expected: ClientError) -> Result<Refusal, Failure> {
        match self.refusal()? {
            found @ Refusal::Laptop(Error::Protocol(error)) if error == expected => Ok(found),
            found => Err(Failure::otherwise(&format!("{expected:?}"), &found)),
        }
    }

    /// Checks that the owner signed in in spite of everything.
    pub(super) fn signed_in(self) -> Result<(), Failure> {
        self.result.map(drop).map_err(|error| Failure::Setup(error.into()))
    }

    /// How often the laptop told something.
    pub(super) fn count(&self, wanted: impl Fn(&Progress) -> bool) -> usize {
        self.progress.iter().filter(|progress| wanted(progress)).count()
    }
}
