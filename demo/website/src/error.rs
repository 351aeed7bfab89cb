//! What the site says no to, in words for the person at the page.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use thiserror::Error;
use webauthn_rs::prelude::WebauthnError;

use crate::{
    password::{MAX_BYTES, MIN_CHARS},
    policy::Breach,
    store::StoreError,
};

/// Why a request was not granted. `Display` is what the page shows.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SiteError {
    /// The user name is empty, too long, or has characters that cannot be seen.
    #[error("Choose a user name of 1 to 64 letters, digits and other visible characters.")]
    Name,
    /// Somebody else has the name.
    #[error("This name is taken. Sign in if it is yours, or choose another.")]
    NameTaken,
    /// The name of a passkey is empty, too long, or has characters that cannot be seen.
    #[error("Call the passkey something of 1 to 64 letters, digits and other visible characters.")]
    PasskeyName,
    /// Nobody has the name.
    #[error("There is no account of this name. Register it first.")]
    NoAccount,
    /// The browser answers a question that was not asked, or was answered before.
    #[error("This answer does not belong to a question of this page, or came too late. Start again.")]
    NothingPending,
    /// No account has the passkey.
    #[error("This site does not know this passkey. Register first.")]
    UnknownPasskey,
    /// The passkey belongs to an account already.
    #[error("This passkey is registered already. Sign in with it.")]
    AlreadyRegistered,
    /// The answer did not verify.
    #[error("The passkey's answer was not accepted. Start again.")]
    NotVerified(#[source] WebauthnError),
    /// The account has nothing but a password.
    #[error("This account has no passkey yet. Sign in with its password, and add one.")]
    NoPasskey,
    /// There is no such group, or no longer.
    #[error("This site has no such group. Reload the page, or ask whoever runs the site.")]
    Group,
    /// The group of the account may not use the passkey.
    #[error("Group \u{201c}{group}\u{201d} cannot use this passkey: {breach}. {advice}")]
    Refused {
        /// The group.
        group: String,
        /// What is wrong with the passkey.
        breach: Breach,
        /// What the person may do.
        advice: &'static str,
    },
    /// The device did not check its owner this time, which has a reason other than the group's rules.
    #[error(
        "The device did not check that it is you, by fingerprint, face or PIN. {0} Start again, and let it check."
    )]
    Unchecked(&'static str),
    /// User name and password do not belong together; which of them is wrong is not told.
    #[error("This user name and password do not belong together.")]
    WrongPassword,
    /// The password is too short or too long to be chosen.
    #[error("Choose a password of at least {MIN_CHARS} characters, and at most {MAX_BYTES} bytes.")]
    WeakPassword,
    /// The group of the account may not use passwords.
    #[error("Group \u{201c}{0}\u{201d} cannot use a password. Use a passkey, or ask whoever runs this site.")]
    NoPasswords(String),
    /// Too many wrong passwords.
    #[error("Too many wrong passwords. Try again in {0} seconds, or sign in with a passkey.")]
    TooOften(u64),
    /// Nobody could sign in any more without the passkey.
    #[error("This is the last way into your account. Add another passkey or a password first.")]
    LastWayIn,
    /// Nobody is signed in, or the visit is over.
    #[error("You are not signed in any more. Sign in again.")]
    SignedOut,
    /// The request comes from a page of another site.
    #[error("This request does not come from a page of this site. Open the site itself.")]
    ForeignPage,
    /// The body is not the JSON that is expected here.
    #[error("The browser sent something that this site does not understand. Reload the page.")]
    Malformed,
    /// There is no room for more accounts or passkeys.
    #[error("This demonstration has no room for more. Try again later.")]
    Full,
    /// Too many passwords are looked at already.
    #[error("This site is busy. Try again in a moment.")]
    Busy,
    /// The database fails.
    #[error("This site cannot reach its accounts. Try again later.")]
    Storage(#[source] StoreError),
    /// The site cannot ask; its settings or the system are at fault.
    #[error("This site has a problem of its own. Try again later.")]
    Broken,
}

impl SiteError {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Name | Self::PasskeyName | Self::NothingPending | Self::Malformed => {
                StatusCode::BAD_REQUEST
            }
            Self::Group | Self::WeakPassword => StatusCode::BAD_REQUEST,
            Self::UnknownPasskey | Self::NotVerified(_) => StatusCode::UNAUTHORIZED,
            Self::WrongPassword | Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::ForeignPage | Self::Refused { .. } | Self::NoPasswords(_) => StatusCode::FORBIDDEN,
            Self::Unchecked(_) => StatusCode::FORBIDDEN,
            Self::NoAccount => StatusCode::NOT_FOUND,
            Self::NameTaken | Self::AlreadyRegistered => StatusCode::CONFLICT,
            Self::NoPasskey | Self::LastWayIn => StatusCode::CONFLICT,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Full | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken | Self::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Tells the operator what the person at the page is not told.
    pub(crate) fn log(&self) {
        match self {
            Self::NotVerified(reason) => tracing::info!(%reason, "not verified"),
            Self::Storage(reason) => tracing::error!(%reason, "the database fails"),
            _ => {}
        }
    }
}

impl From<rusqlite::Error> for SiteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<StoreError> for SiteError {
    fn from(error: StoreError) -> Self {
        Self::Storage(error)
    }
}

/// How the page gets it.
#[derive(Serialize)]
struct Body {
    error: String,
}

impl IntoResponse for SiteError {
    fn into_response(self) -> Response {
        self.log();
        (self.status(), Json(Body { error: self.to_string() })).into_response()
    }
}
