//! The relying party: asks for passkeys, checks the answers, and knows who is signed in.

mod account;
mod passwords;
mod registration;
mod sign_in;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use serde::Serialize;
use thiserror::Error;
use url::Url;
use webauthn_rs::prelude::{Uuid, Webauthn, WebauthnBuilder, WebauthnError};

pub(crate) use self::{registration::Registration, sign_in::SignIn};
use crate::{
    attempts::Attempts,
    error::SiteError,
    password::Hasher,
    policy::Policies,
    store::{Account, Store, StoreError},
    visits::{Token, Visits},
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
    /// There is no database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no randomness or memory for passwords.
    #[error("the system gives no randomness or memory for passwords; free some resources")]
    Passwords,
}

/// A site for the pages of one origin.
pub struct Site {
    webauthn: Webauthn,
    origin: String,
    secure: bool,
    policies: Policies,
    store: Store,
    hasher: Hasher,
    attempts: Mutex<Attempts>,
    visits: Mutex<Visits>,
}

/// Who is signed in, for the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The user name.
    pub user: String,
    /// How many passkeys the account has.
    pub passkeys: usize,
}

/// What a browser is asked, with the rules of the group in words.
#[derive(Serialize)]
pub(crate) struct Question<T> {
    #[serde(flatten)]
    options: T,
    rules: String,
}

/// An answer, and the token that the browser needs from now on if it has changed.
pub(crate) type Answer<T> = Result<(T, Option<Token>), SiteError>;

impl Site {
    /// A site with accounts in memory and the built-in groups, for pages at `origin`. Passkeys are for its host.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(origin: &Url) -> Result<Self, SetupError> {
        Self::with(origin, Store::in_memory()?, Policies::built_in())
    }

    /// The same, with accounts and groups of the caller's.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn with(origin: &Url, store: Store, policies: Policies) -> Result<Self, SetupError> {
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
        let hasher = Hasher::new().map_err(|_| SetupError::Passwords)?;
        let (attempts, visits) = <(Mutex<Attempts>, Mutex<Visits>)>::default();
        Ok(Self { webauthn, origin, secure, policies, store, hasher, attempts, visits })
    }

    /// Where its pages are from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether browsers reach it over TLS only.
    pub(crate) const fn is_secure(&self) -> bool {
        self.secure
    }

    pub(crate) const fn policies(&self) -> &Policies {
        &self.policies
    }

    pub(crate) async fn who(&self, token: Option<&Token>) -> Result<Option<Person>, SiteError> {
        Ok(self.signed_in(token).await?.as_ref().map(Person::from))
    }

    /// The account of whoever is signed in.
    pub(crate) async fn signed_in(&self, token: Option<&Token>) -> Result<Option<Account>, SiteError> {
        let Some(user) = self.visits().user(token, Instant::now()) else { return Ok(None) };
        self.store.run(move |db| Account::by_id(db, user)).await
    }

    pub(crate) fn sign_out(&self, token: Option<&Token>) {
        self.visits().end(token);
    }

    /// Leaves a word for the next page of a visit.
    pub(crate) fn leave_word(&self, token: Option<&Token>, word: &'static str) {
        self.visits().leave_word(token, word, Instant::now());
    }

    pub(crate) fn take_word(&self, token: Option<&Token>) -> Option<&'static str> {
        self.visits().take_word(token, Instant::now())
    }

    fn welcome(&self, token: Option<&Token>, user: Uuid) -> Result<Token, SiteError> {
        self.visits().sign_in(token, user, Instant::now())
    }

    fn question<T>(&self, options: T, group: &str) -> Result<Question<T>, SiteError> {
        let words = self.policies.of(group)?.words().join(" ");
        Ok(Question { options, rules: format!("Group \u{201c}{group}\u{201d}: {words}") })
    }

    fn visits(&self) -> MutexGuard<'_, Visits> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<&Account> for Person {
    fn from(account: &Account) -> Self {
        Self { user: account.name.clone(), passkeys: account.passkeys.len() }
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("origin", &self.origin).finish_non_exhaustive()
    }
}
