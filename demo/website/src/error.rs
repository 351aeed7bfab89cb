//! What the site says no to, in words for the person at the page.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use thiserror::Error;
use webauthn_rs::prelude::WebauthnError;

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
    /// The request comes from a page of another site.
    #[error("This request does not come from a page of this site. Open the site itself.")]
    ForeignPage,
    /// The body is not the JSON that is expected here.
    #[error("The browser sent something that this site does not understand. Reload the page.")]
    Malformed,
    /// There is no room for more accounts or passkeys.
    #[error("This demonstration has no room for more. Try again later.")]
    Full,
    /// The site cannot ask; its settings or the system are at fault.
    #[error("This site has a problem of its own. Try again later.")]
    Broken,
}

impl SiteError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Name | Self::NothingPending | Self::Malformed => StatusCode::BAD_REQUEST,
            Self::UnknownPasskey | Self::NotVerified(_) => StatusCode::UNAUTHORIZED,
            Self::ForeignPage => StatusCode::FORBIDDEN,
            Self::NoAccount => StatusCode::NOT_FOUND,
            Self::NameTaken | Self::AlreadyRegistered => StatusCode::CONFLICT,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// How the page gets it.
#[derive(Serialize)]
struct Body {
    error: String,
}

impl IntoResponse for SiteError {
    fn into_response(self) -> Response {
        if let Self::NotVerified(reason) = &self {
            tracing::info!(%reason, "not verified");
        }
        (self.status(), Json(Body { error: self.to_string() })).into_response()
    }
}
