//! The relying party: asks for passkeys, checks the answers, and knows who is signed in.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde::Serialize;
use thiserror::Error;
use url::Url;
use webauthn_rs::prelude::{DiscoverableKey, Uuid, Webauthn, WebauthnBuilder, WebauthnError};
use webauthn_rs_proto::{
    CreationChallengeResponse, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse,
    ResidentKeyRequirement,
};

use crate::{
    accounts::{Accounts, checked_name},
    error::SiteError,
    visits::{Pending, Token, Visits},
};

/// Why there is no site at an origin.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// Browsers know passkeys on secure pages of named hosts only.
    #[error(
        "passkeys need an origin like https://example.com or http://localhost:8080, with nothing behind it"
    )]
    Origin,
    /// The verifier does not take the origin.
    #[error("the origin cannot be used for passkeys; give a host name")]
    Verifier(#[source] WebauthnError),
}

/// A site with accounts in memory, for the pages of one origin.
pub struct Site {
    webauthn: Webauthn,
    origin: String,
    secure: bool,
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    accounts: Accounts,
    visits: Visits,
}

/// Who is signed in, for the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The user name.
    pub user: String,
    /// How many passkeys the account has.
    pub passkeys: usize,
}

/// An answer, and the token that the browser needs from now on if it has changed.
pub(crate) type Answer<T> = Result<(T, Option<Token>), SiteError>;

impl Site {
    /// A site without accounts, for pages at `origin`. Passkeys are for its host.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(origin: &Url) -> Result<Self, SetupError> {
        let host = origin.domain().ok_or(SetupError::Origin)?;
        let local = host == "localhost" || host.ends_with(".localhost");
        let secure = origin.scheme() == "https";
        let bare = origin.path() == "/" && origin.query().is_none() && origin.fragment().is_none();
        if !(bare && (secure || origin.scheme() == "http" && local)) {
            return Err(SetupError::Origin);
        }
        let builder = WebauthnBuilder::new(host, origin).map_err(SetupError::Verifier)?;
        let webauthn = builder.rp_name("Hybridge demonstration").build().map_err(SetupError::Verifier)?;
        let origin = origin.origin().ascii_serialization();
        Ok(Self { webauthn, origin, secure, tables: Mutex::default() })
    }

    /// Where its pages are from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether browsers reach it over TLS only.
    pub(crate) const fn is_secure(&self) -> bool {
        self.secure
    }

    pub(crate) fn who(&self, token: Option<&Token>) -> Option<Person> {
        let tables = &mut *self.tables();
        let user = tables.visits.user(token, Instant::now())?;
        tables.person(user)
    }

    /// Asks for a new passkey: for a new account, or one more for whoever is signed in under this name.
    pub(crate) fn begin_registration(
        &self,
        token: Option<&Token>,
        name: &str,
    ) -> Answer<CreationChallengeResponse> {
        let (tables, now) = (&mut *self.tables(), Instant::now());
        let name = checked_name(name)?;
        let signed_in = tables.visits.user(token, now);
        let (user, excluded) = match tables.accounts.named(name) {
            Some((user, _)) if signed_in != Some(user) => return Err(SiteError::NameTaken),
            Some((user, account)) => (user, Some(account.credential_ids())),
            None => (Uuid::new_v4(), None),
        };
        let asked = self.webauthn.start_passkey_registration(user, name, name, excluded);
        let (mut options, state) = asked.map_err(|_| SiteError::Broken)?;
        // The verifier's library discourages discoverable passkeys, to spare the memory of security keys. Signing in
        // without a user name needs them, and phones have room.
        let selection = options.public_key.authenticator_selection.get_or_insert_default();
        selection.resident_key = Some(ResidentKeyRequirement::Required);
        selection.require_resident_key = true;
        let question = Pending::Registration { user, name: name.to_owned(), state };
        Ok((options, tables.visits.ask(token, question, now)?))
    }

    /// Takes the new passkey, and signs its owner in.
    pub(crate) fn finish_registration(
        &self,
        token: Option<&Token>,
        answer: &RegisterPublicKeyCredential,
    ) -> Answer<Person> {
        let (tables, now) = (&mut *self.tables(), Instant::now());
        let Some(Pending::Registration { user, name, state }) = tables.visits.take_question(token, now)
        else {
            return Err(SiteError::NothingPending);
        };
        let passkey = self.webauthn.finish_passkey_registration(answer, &state);
        tables.accounts.add(user, name, passkey.map_err(SiteError::NotVerified)?)?;
        tables.welcome(token, user, now)
    }

    /// Asks for a passkey: of this user, or without a name any that the authenticator has for this site.
    pub(crate) fn begin_sign_in(
        &self,
        token: Option<&Token>,
        name: Option<&str>,
    ) -> Answer<RequestChallengeResponse> {
        let (tables, now) = (&mut *self.tables(), Instant::now());
        let (options, question) = match name.map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => {
                let (user, account) = tables.accounts.named(name).ok_or(SiteError::NoAccount)?;
                let asked = self.webauthn.start_passkey_authentication(&account.passkeys);
                let (options, state) = asked.map_err(|_| SiteError::Broken)?;
                (options, Pending::SignIn { user, state })
            }
            None => {
                let asked = self.webauthn.start_discoverable_authentication();
                let (mut options, state) = asked.map_err(|_| SiteError::Broken)?;
                // It is meant for a browser's autofill; here the person has pressed a button.
                options.mediation = None;
                (options, Pending::Discovery { state })
            }
        };
        Ok((options, tables.visits.ask(token, question, now)?))
    }

    /// Takes the passkey's signature, and signs its owner in.
    pub(crate) fn finish_sign_in(
        &self,
        token: Option<&Token>,
        answer: &PublicKeyCredential,
    ) -> Answer<Person> {
        let (tables, now) = (&mut *self.tables(), Instant::now());
        let question = tables.visits.take_question(token, now).ok_or(SiteError::NothingPending)?;
        let id = answer.get_credential_id();
        let (user, result) = match question {
            Pending::Registration { .. } => return Err(SiteError::NothingPending),
            Pending::SignIn { user, state } => {
                (user, self.webauthn.finish_passkey_authentication(answer, &state))
            }
            Pending::Discovery { state } => {
                let found = self.webauthn.identify_discoverable_authentication(answer);
                let (user, _) = found.map_err(|_| SiteError::UnknownPasskey)?;
                let account = tables.accounts.get_mut(user).ok_or(SiteError::UnknownPasskey)?;
                let key = DiscoverableKey::from(&*account.passkey_mut(id).ok_or(SiteError::UnknownPasskey)?);
                (user, self.webauthn.finish_discoverable_authentication_v2(answer, state, key))
            }
        };
        let result = result.map_err(SiteError::NotVerified)?;
        let account = tables.accounts.get_mut(user).ok_or(SiteError::UnknownPasskey)?;
        account.passkey_mut(id).ok_or(SiteError::UnknownPasskey)?.update_credential(&result);
        tables.welcome(token, user, now)
    }

    pub(crate) fn sign_out(&self, token: Option<&Token>) {
        self.tables().visits.end(token);
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn person(&self, user: Uuid) -> Option<Person> {
        let account = self.accounts.get(user)?;
        Some(Person { user: account.name.clone(), passkeys: account.passkeys.len() })
    }

    fn welcome(&mut self, token: Option<&Token>, user: Uuid, now: Instant) -> Answer<Person> {
        let person = self.person(user).ok_or(SiteError::Broken)?;
        Ok((person, Some(self.visits.sign_in(token, user, now)?)))
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("origin", &self.origin).finish_non_exhaustive()
    }
}
