//! The browser's part of WebAuthn Level 3, for programs without a browser: a website's options in JSON become a CTAP
//! request, and the phone's reply becomes the credential in JSON that the website verifies.
//!
//! Before anything is asked, the relying party ID is checked against the [`Origin`] with the public suffix list, as in
//! a browser. What a phone sends is passed on byte for byte: authenticator data, signature, attestation statement (if
//! the website asked for one). A reply that is not canonical CBOR, or about another site or passkey than was asked
//! about, is refused.
//!
//! Of the extensions, `credProps` is served. The others count as unknown, which the standard allows.
//!
//! ```
//! use hybridge_client::webauthn::{Assertion, Origin, RequestOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let origin = Origin::parse("https://www.example.com")?;
//! let options = RequestOptions::from_json(br#"{"challenge": "bm9uY2U", "rpId": "example.com"}"#)?;
//! assert_eq!(Assertion::new(&origin, &options)?.rp_id(), "example.com");
//!
//! let other = RequestOptions::from_json(br#"{"challenge": "bm9uY2U", "rpId": "com"}"#)?;
//! assert!(Assertion::new(&origin, &other).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! With a connected phone, [`Assertion::run`] and [`Creation::run`] do the rest:
//!
//! ```no_run
//! use hybridge_client::{CtapChannel, webauthn::{Assertion, CeremonyError}};
//!
//! async fn sign_in(asked: Assertion, phone: &mut CtapChannel) -> Result<String, Box<dyn std::error::Error>> {
//!     let response = asked.run(phone).await?;
//!     Ok(serde_json::to_string(&response)?)
//! }
//! ```

use thiserror::Error;

use crate::{channel::CtapChannel, error::Error};

mod assertion;
mod authenticator_data;
mod base64;
mod cbor;
mod client_data;
mod creation;
mod error;
mod options;
mod origin;
mod phone;
mod public_key;
mod request;
mod response;

pub use self::{
    assertion::{Assertion, AssertionRequest},
    creation::{Creation, CreationRequest},
    error::{OptionsError, OriginError, PhoneError},
    options::{CreationOptions, RequestOptions},
    origin::Origin,
    response::{AuthenticationResponse, RegistrationResponse},
};

/// Why a ceremony with a connected phone brought no credential.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The phone refused, left or broke the protocol of the transport.
    #[error(transparent)]
    Session(#[from] Error),
    /// The phone cannot do it, or its reply is not usable.
    #[error(transparent)]
    Phone(#[from] PhoneError),
}

impl Creation {
    /// Has a connected phone make the passkey.
    ///
    /// # Errors
    /// [`CeremonyError`].
    ///
    /// # Cancel safety
    /// As [`CtapChannel::call`].
    pub async fn run(self, phone: &mut CtapChannel) -> Result<RegistrationResponse, CeremonyError> {
        let request = self.for_phone(described(phone)?)?;
        let reply = phone.call(request.command()).await?;
        Ok(request.finish(&reply)?)
    }
}

impl Assertion {
    /// Has a connected phone sign.
    ///
    /// # Errors
    /// [`CeremonyError`].
    ///
    /// # Cancel safety
    /// As [`CtapChannel::call`].
    pub async fn run(self, phone: &mut CtapChannel) -> Result<AuthenticationResponse, CeremonyError> {
        let request = self.for_phone(described(phone)?)?;
        let reply = phone.call(request.command()).await?;
        Ok(request.finish(&reply)?)
    }
}

fn described(phone: &CtapChannel) -> Result<&[u8], PhoneError> {
    phone.raw_get_info().ok_or(PhoneError::Malformed("description"))
}

#[cfg(test)]
mod tests;
