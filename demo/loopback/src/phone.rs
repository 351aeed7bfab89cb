//! The phone: a camera, a radio, a way to its tunnel service, and passkeys.

use std::sync::Arc;

use hybridge_authenticator::{Authenticator, AuthenticatorTiming, CtapService, DomainId, Error, Progress};
use hybridge_ble::DynAdvertiser;
use hybridge_picture::{ReadError, from_png};
use hybridge_tunnel::DynDialer;
use thiserror::Error;

use crate::{chance::Source, journal::Journal, laptop::Laptop, owner::Passkeys, screen::View};

/// What happens on the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhoneEvent {
    /// Its camera has read a code.
    ReadsCode,
    /// The session went on.
    Progress(Progress),
}

/// Why a ceremony failed on the phone.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PhoneError {
    /// The laptop gave up before it showed a code.
    #[error("the laptop showed no code to scan; see what went wrong there")]
    NothingToScan,
    /// The picture could not be read.
    #[error(transparent)]
    Camera(#[from] ReadError),
    /// The session failed.
    #[error(transparent)]
    Session(#[from] Error),
}

/// A phone. The public fields can be exchanged for others.
#[non_exhaustive]
pub struct Phone<S = Passkeys> {
    /// Answers requests.
    pub service: S,
    /// Its tunnel service.
    pub domain: DomainId,
    /// Sends adverts.
    pub radio: Arc<dyn DynAdvertiser>,
    /// Opens channels to its tunnel service.
    pub dialer: Arc<dyn DynDialer>,
    /// How long things may take.
    pub timing: AuthenticatorTiming,
    source: Source,
    journal: Journal,
}

impl<S: CtapService> Phone<S> {
    /// A phone with the laptop's patience.
    pub fn new(
        service: S,
        domain: DomainId,
        radio: Arc<dyn DynAdvertiser>,
        dialer: Arc<dyn DynDialer>,
        source: Source,
        journal: Journal,
    ) -> Self {
        let mut timing = AuthenticatorTiming::default();
        timing.connect = Laptop::PATIENCE;
        timing.advertise = Laptop::SEARCH;
        timing.idle = Laptop::PATIENCE;
        Self { service, domain, radio, dialer, timing, source, journal }
    }

    /// Waits for a code on the screen, reads it with the camera, and answers it until the laptop is done.
    ///
    /// # Errors
    /// [`PhoneError`].
    ///
    /// # Cancel safety
    /// Dropping the future stops the advert and hangs up.
    pub async fn scan(&mut self, mut view: View) -> Result<(), PhoneError> {
        let shown = view.next().await.ok_or(PhoneError::NothingToScan)?;
        let text = from_png(&shown.png)?;
        self.journal.write(PhoneEvent::ReadsCode);
        Ok(self.answer(&text).await?)
    }

    /// Answers the code with this text until the laptop is done.
    ///
    /// # Errors
    /// [`enum@Error`].
    ///
    /// # Cancel safety
    /// Dropping the future stops the advert and hangs up.
    pub async fn answer(&mut self, text: &str) -> Result<(), Error> {
        let (radio, dialer) = (Arc::clone(&self.radio), Arc::clone(&self.dialer));
        let mut authenticator = Authenticator::new(self.domain, radio, dialer);
        authenticator.timing = self.timing;
        authenticator.dangerous_set_rng(self.source.draw());
        let journal = self.journal.clone();
        let tell = move |progress| journal.write(PhoneEvent::Progress(progress));
        authenticator.answer_code(text, &mut self.service, tell).await
    }
}
