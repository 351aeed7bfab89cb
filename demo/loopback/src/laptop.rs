//! The laptop: a browser with one page open, a screen, a radio, and a way to tunnel services.

use std::{sync::Arc, time::Duration};

use hybridge_ble::DynScanner;
use hybridge_client::{CtapChannel, Error, Hint, Progress, Session, SessionConfig};
use hybridge_picture::DrawError;
use hybridge_proto::{
    cbor::{CborError, check_canonical},
    client::ClientTiming,
    qr::{QrCode, QrError, QrUri},
};
use hybridge_tunnel::DynDialer;
use thiserror::Error;
use tokio::{pin, sync::mpsc};

use crate::{
    browser::{self, Browser, BrowserError},
    chance::Source,
    journal::Journal,
    relying_party::{RelyingPartyError, SignedIn},
    screen::{Screen, Shown},
    website::Website,
};

/// What happens on the laptop.
#[non_exhaustive]
pub enum LaptopEvent {
    /// A code is on its screen. Whoever sees the picture has the code's secret.
    Shows(Arc<Shown>),
    /// The session went on. [`Progress::ShowQr`] never stands here.
    Progress(Progress),
    /// A request is about to go to the phone.
    Asks,
    /// The phone granted a request. Private to laptop and phone.
    Granted {
        /// What the phone was to sign.
        client_data_hash: Vec<u8>,
        /// The reply's CBOR.
        reply: Vec<u8>,
    },
}

/// Why a ceremony failed on the laptop.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LaptopError {
    /// The website refused.
    #[error(transparent)]
    Website(#[from] RelyingPartyError),
    /// The browser refused what the website asked for or the phone replied.
    #[error(transparent)]
    Browser(#[from] BrowserError),
    /// There was no connection to a phone, or no reply.
    #[error(transparent)]
    Session(#[from] Error),
    /// The phone's description is not in the form that CTAP demands.
    #[error("the phone's description breaks the form that CTAP demands; the phone's software is at fault")]
    Description(#[source] CborError),
    /// The code could not be shown.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// The code could not be given another time.
    #[error(transparent)]
    Code(#[from] QrError),
}

/// A laptop. The public fields can be exchanged for others.
#[non_exhaustive]
pub struct Laptop {
    /// Hears adverts.
    pub radio: Arc<dyn DynScanner>,
    /// Opens channels to tunnel services.
    pub dialer: Arc<dyn DynDialer>,
    /// How long things may take.
    pub timing: ClientTiming,
    /// How long the phone may take for a request.
    pub request_timeout: Duration,
    /// Unix seconds to write into codes in place of the real time, for pictures that are the same each time.
    pub code_time: Option<u64>,
    source: Source,
    journal: Journal,
}

impl Laptop {
    /// How long it looks for a phone, unless told otherwise.
    pub const SEARCH: Duration = Duration::from_secs(5);
    /// How long each of connecting, handshake, description and reply may take, unless told otherwise. Nobody in a
    /// demonstration has to look for a phone.
    pub const PATIENCE: Duration = Duration::from_secs(3);

    /// A laptop that waits as long as [`Laptop::SEARCH`] and [`Laptop::PATIENCE`] say.
    pub fn new(
        radio: Arc<dyn DynScanner>,
        dialer: Arc<dyn DynDialer>,
        source: Source,
        journal: Journal,
    ) -> Self {
        let mut timing = ClientTiming::default();
        timing.search = Self::SEARCH;
        timing.connect = Self::PATIENCE;
        timing.handshake = Self::PATIENCE;
        timing.post_handshake = Self::PATIENCE;
        Self { radio, dialer, timing, request_timeout: Self::PATIENCE, code_time: None, source, journal }
    }

    /// Makes a passkey on a phone for the account of this name.
    ///
    /// # Errors
    /// [`LaptopError`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the session with the phone.
    pub async fn register(
        &mut self,
        website: &Website,
        user: &str,
        screen: &Screen,
    ) -> Result<(), LaptopError> {
        let (options, pending) = website.begin_registration(user)?;
        let creation = Browser::new(website.origin())?.create(&options)?;
        let mut channel = self.connect(Hint::MakeCredential, screen).await?;
        let client_data_hash = *creation.client_data_hash();
        let request = creation.for_phone(description(&channel)).map_err(BrowserError::from)?;
        self.journal.write(LaptopEvent::Asks);
        let reply = channel.call(request.command()).await?;
        self.granted(&client_data_hash, &reply);
        let response = request.finish(&reply).map_err(BrowserError::from)?;
        website.finish_registration(pending, &browser::registered(&response)?)?;
        Ok(channel.close().await?)
    }

    /// Signs in with a passkey on a phone.
    ///
    /// # Errors
    /// [`LaptopError`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the session with the phone.
    pub async fn sign_in(&mut self, website: &Website, screen: &Screen) -> Result<SignedIn, LaptopError> {
        let (options, pending) = website.begin_sign_in()?;
        let assertion = Browser::new(website.origin())?.get(&options)?;
        let mut channel = self.connect(Hint::GetAssertion, screen).await?;
        let client_data_hash = *assertion.client_data_hash();
        let request = assertion.for_phone(description(&channel)).map_err(BrowserError::from)?;
        self.journal.write(LaptopEvent::Asks);
        let reply = channel.call(request.command()).await?;
        self.granted(&client_data_hash, &reply);
        let response = request.finish(&reply).map_err(BrowserError::from)?;
        let signed_in = website.finish_sign_in(pending, &browser::signed(&response)?)?;
        channel.close().await?;
        Ok(signed_in)
    }

    /// Shows a code, and waits for a phone that answers it and describes itself in canonical form.
    ///
    /// # Errors
    /// [`LaptopError::Session`], [`LaptopError::Description`], [`LaptopError::Draw`] or [`LaptopError::Code`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the session.
    pub async fn connect(&mut self, hint: Hint, screen: &Screen) -> Result<CtapChannel, LaptopError> {
        let session = self.session(hint)?;
        let (codes, mut shown) = mpsc::unbounded_channel();
        let journal = self.journal.clone();
        let connecting = session.connect(move |progress| match progress {
            Progress::ShowQr { code, .. } => {
                // Fails once nobody waits for a phone any more.
                let _ = codes.send(Some(code));
            }
            progress => {
                if matches!(progress, Progress::HideQr) {
                    let _ = codes.send(None);
                }
                journal.write(LaptopEvent::Progress(progress));
            }
        });
        pin!(connecting);
        let channel = loop {
            tokio::select! {
                channel = &mut connecting => break channel?,
                Some(code) = shown.recv() => self.draw(code, screen)?,
            }
        };
        let described = channel.get_info()?;
        check_canonical(&described.raw).map_err(LaptopError::Description)?;
        Ok(channel)
    }

    /// Starts a session with this laptop's parts, to be connected by the caller.
    ///
    /// # Errors
    /// [`enum@Error`].
    pub fn session(&mut self, hint: Hint) -> Result<Session, Error> {
        let mut config = SessionConfig::new(hint);
        config.timing = self.timing;
        let (radio, dialer) = (Arc::clone(&self.radio), Arc::clone(&self.dialer));
        Session::dangerous_start_with_rng(config, radio, dialer, self.source.draw())
    }

    fn draw(&self, code: Option<QrUri>, screen: &Screen) -> Result<(), LaptopError> {
        let Some(code) = code else {
            screen.clear();
            return Ok(());
        };
        let code = match self.code_time {
            Some(time) => at_time(&code, time)?,
            None => code,
        };
        let shown = screen.show(code.expose_text())?;
        self.journal.write(LaptopEvent::Shows(shown));
        Ok(())
    }

    fn granted(&self, client_data_hash: &[u8], reply: &[u8]) {
        let (client_data_hash, reply) = (client_data_hash.to_vec(), reply.to_vec());
        self.journal.write(LaptopEvent::Granted { client_data_hash, reply });
    }
}

/// How a connected phone describes itself. One without passkeys is not connected.
fn description(channel: &CtapChannel) -> &[u8] {
    channel.raw_get_info().unwrap_or_default()
}

/// The same code, made at another time. Nothing but the phone's display depends on it.
fn at_time(code: &QrUri, unix_time: u64) -> Result<QrUri, QrError> {
    let mut code = QrCode::parse(code.expose_text())?;
    code.timestamp = Some(unix_time);
    Ok(code.to_uri())
}
