//! The website as its visitors and its operator see it: a relying party behind one address.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;
use webauthn_rs::prelude::WebauthnError;
use webauthn_rs_proto::{
    CreationChallengeResponse, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse,
};

use crate::{
    journal::Journal,
    relying_party::{PendingRegistration, PendingSignIn, RelyingParty, RelyingPartyError, SignedIn},
};

/// What happens at the website.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebsiteEvent {
    /// It asks for a new passkey, with a fresh challenge.
    AsksForPasskey {
        /// The name of the account.
        user: String,
    },
    /// It asks for a signature by any of its passkeys, with a fresh challenge.
    AsksForSignature,
    /// A new passkey was verified and stored.
    Registered,
    /// A signature was verified.
    SignedIn(SignedIn),
    /// A response did not verify.
    Refused,
}

/// A website in this process. Clones are the same site; several visitors may use it at once.
#[derive(Clone)]
pub struct Website {
    origin: Url,
    party: Arc<Mutex<RelyingParty>>,
    journal: Journal,
}

impl Website {
    /// The relying party ID of every demonstration, and the host of its only origin.
    pub const ID: &str = "demo.example";

    /// A site without accounts.
    ///
    /// # Errors
    /// [`RelyingPartyError::Setup`].
    pub fn new(journal: Journal) -> Result<Self, RelyingPartyError> {
        let origin = format!("https://{}", Self::ID);
        let origin =
            Url::parse(&origin).map_err(|_| RelyingPartyError::Setup(WebauthnError::Configuration))?;
        let party = RelyingParty::new(Self::ID, &origin)?;
        Ok(Self { origin, party: Arc::new(Mutex::new(party)), journal })
    }

    /// Where its pages are from.
    pub const fn origin(&self) -> &Url {
        &self.origin
    }

    /// See [`RelyingParty::begin_registration`].
    ///
    /// # Errors
    /// As there.
    pub fn begin_registration(
        &self,
        user: &str,
    ) -> Result<(CreationChallengeResponse, PendingRegistration), RelyingPartyError> {
        self.journal.write(WebsiteEvent::AsksForPasskey { user: user.to_owned() });
        self.party().begin_registration(user)
    }

    /// See [`RelyingParty::finish_registration`].
    ///
    /// # Errors
    /// As there.
    pub fn finish_registration(
        &self,
        pending: PendingRegistration,
        response: &RegisterPublicKeyCredential,
    ) -> Result<(), RelyingPartyError> {
        let verified = self.party().finish_registration(pending, response);
        self.journal.write(if verified.is_ok() { WebsiteEvent::Registered } else { WebsiteEvent::Refused });
        verified
    }

    /// See [`RelyingParty::begin_sign_in`].
    ///
    /// # Errors
    /// As there.
    pub fn begin_sign_in(&self) -> Result<(RequestChallengeResponse, PendingSignIn), RelyingPartyError> {
        self.journal.write(WebsiteEvent::AsksForSignature);
        self.party().begin_sign_in()
    }

    /// See [`RelyingParty::finish_sign_in`].
    ///
    /// # Errors
    /// As there.
    pub fn finish_sign_in(
        &self,
        pending: PendingSignIn,
        response: &PublicKeyCredential,
    ) -> Result<SignedIn, RelyingPartyError> {
        let verified = self.party().finish_sign_in(pending, response);
        self.journal.write(match &verified {
            Ok(signed_in) => WebsiteEvent::SignedIn(signed_in.clone()),
            Err(_) => WebsiteEvent::Refused,
        });
        verified
    }

    fn party(&self) -> MutexGuard<'_, RelyingParty> {
        self.party.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
