//! The phone: passkeys, somebody who decides, a radio, and a way to its tunnel service.

use std::sync::Arc;

use hybridge_authenticator::{Authenticator, DomainId, Progress, StartError, passkey::Attestation};
use hybridge_ble::DynAdvertiser;
use hybridge_tunnel::DynDialer;

use crate::{
    error::Error,
    events::{Event, Reporter},
    person::Approval,
    service::PhoneService,
    state::Passkeys,
};

/// A phone, ready for codes.
pub struct Phone {
    /// Sessions, with the options that each of them has.
    pub authenticator: Authenticator,
    service: PhoneService,
    reporter: Arc<Reporter>,
    tunnel_service: String,
}

impl Phone {
    /// Puts a phone together that uses the tunnel service `domain`.
    ///
    /// # Errors
    /// [`Error::Session`] with [`StartError::Unassigned`] if no host belongs to the tunnel service.
    pub fn new(
        domain: DomainId,
        radio: Arc<dyn DynAdvertiser>,
        dialer: Arc<dyn DynDialer>,
        passkeys: Passkeys,
        approval: Approval,
        reporter: Arc<Reporter>,
    ) -> Result<Self, Error> {
        let unassigned = |_| Error::Session(StartError::Unassigned(domain).into());
        let tunnel_service = domain.host().map_err(unassigned)?;
        let authenticator = Authenticator::new(domain, radio, dialer);
        let service = PhoneService::new(passkeys, approval, Arc::clone(&reporter));
        Ok(Self { authenticator, service, reporter, tunnel_service })
    }

    /// Says what comes with new passkeys from now on: [`Attestation::None`] at first.
    pub fn set_attestation(&mut self, attestation: Attestation) {
        self.service.set_attestation(attestation);
    }

    /// What it keeps.
    pub fn passkeys(&self) -> &Passkeys {
        self.service.passkeys()
    }

    /// Answers the code with this text until the computer is done, and tells what happens.
    ///
    /// # Errors
    /// [`Error::Session`], and [`Error::State`] if a passkey could not be kept. A request that was refused is no
    /// error.
    ///
    /// # Cancel safety
    /// Dropping the future ends any question to the person, stops the advert and hangs up at once.
    pub async fn answer(&mut self, code: &str) -> Result<(), Error> {
        let (reporter, tunnel_service) = (Arc::clone(&self.reporter), self.tunnel_service.clone());
        let mut operation = None;
        let tell = move |progress| match progress {
            Progress::Connecting => {
                reporter.tell(&Event::Connecting { tunnel_service: tunnel_service.clone() });
            }
            Progress::TunnelUnavailable { error, reason } => {
                let reason = reason.unwrap_or_else(|| error.to_string());
                reporter.tell(&Event::TunnelUnavailable { reason });
            }
            Progress::Advertising => reporter.tell(&Event::Advertising),
            Progress::ClientConnected => reporter.tell(&Event::ClientConnected),
            Progress::Request(asked) => operation = Some(asked),
            Progress::Replied { status } => {
                let operation = operation.take().map_or("other", Event::operation);
                reporter.tell(&Event::Replied { operation, status });
            }
            _ => {}
        };
        let outcome = self.authenticator.answer_code(code, &mut self.service, tell).await;
        // It matters more than how the session ended: the website may know a passkey that is not kept.
        if let Some(failure) = self.service.take_failure() {
            return Err(failure.into());
        }
        outcome?;
        self.reporter.tell(&Event::Finished);
        Ok(())
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phone").field("tunnel_service", &self.tunnel_service).finish_non_exhaustive()
    }
}
