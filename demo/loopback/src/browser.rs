//! The browser on the laptop, with one page open: the website's options become a request, and the phone's reply becomes
//! the response that the website verifies.

use hybridge_client::webauthn::{
    Assertion, AuthenticationResponse, Creation, CreationOptions, OptionsError, Origin, OriginError,
    PhoneError, RegistrationResponse, RequestOptions,
};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use url::Url;
use webauthn_rs_proto::{
    CreationChallengeResponse, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse,
};

/// Why a ceremony did not come to a response.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BrowserError {
    /// Pages of this origin get no passkeys.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The page may not ask for this.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The phone cannot do it, or its reply is not usable.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// Page and browser do not understand each other's JSON.
    #[error("page and browser do not understand each other")]
    Json(#[from] serde_json::Error),
}

/// A browser with one page open.
#[derive(Debug, Clone)]
pub struct Browser {
    origin: Origin,
}

impl Browser {
    /// A browser that shows a page of this origin.
    ///
    /// # Errors
    /// [`BrowserError::Origin`].
    pub fn new(origin: &Url) -> Result<Self, BrowserError> {
        Ok(Self { origin: Origin::parse(origin.as_str())? })
    }

    /// `navigator.credentials.create()` up to the point where a phone is asked.
    ///
    /// # Errors
    /// [`BrowserError::Options`] or [`BrowserError::Json`].
    pub fn create(&self, options: &CreationChallengeResponse) -> Result<Creation, BrowserError> {
        let options = CreationOptions::from_json(&serde_json::to_vec(options)?)?;
        Ok(Creation::new(&self.origin, options)?)
    }

    /// `navigator.credentials.get()` up to the point where a phone is asked.
    ///
    /// # Errors
    /// As [`Browser::create`].
    pub fn get(&self, options: &RequestChallengeResponse) -> Result<Assertion, BrowserError> {
        let options = RequestOptions::from_json(&serde_json::to_vec(options)?)?;
        Ok(Assertion::new(&self.origin, &options)?)
    }
}

/// What the page sends to its website after a registration.
///
/// # Errors
/// [`BrowserError::Json`].
pub fn registered(response: &RegistrationResponse) -> Result<RegisterPublicKeyCredential, BrowserError> {
    sent(response)
}

/// What the page sends to its website after a sign-in.
///
/// # Errors
/// [`BrowserError::Json`].
pub fn signed(response: &AuthenticationResponse) -> Result<PublicKeyCredential, BrowserError> {
    sent(response)
}

fn sent<T: DeserializeOwned>(response: &impl Serialize) -> Result<T, BrowserError> {
    Ok(serde_json::from_slice(&serde_json::to_vec(response)?)?)
}
