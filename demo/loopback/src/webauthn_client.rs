//! The browser's part of WebAuthn: from a relying party's options to a CTAP request, and from the authenticator's
//! reply to the response that the relying party verifies.
//!
//! The authenticator data, the attestation statement and the signature pass through as the phone sent them. A reply
//! that is not canonical CBOR is refused, as browsers do.

use hybridge_proto::cbor::{CborError, check_canonical};
use passkey_types::{
    ctap2::{get_assertion, make_credential},
    webauthn::{ClientDataType, CollectedClientData},
};
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::Url;
use webauthn_rs_proto::{
    CreationChallengeResponse, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse,
};

mod request;
mod response;

/// Why a ceremony did not come to a response.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The options name a relying party that the page does not belong to.
    #[error("a page at {origin} may not ask for passkeys of {rp_id}; open the right site")]
    ForeignRelyingParty {
        /// Where the page is from.
        origin: String,
        /// Whose passkeys it asked for.
        rp_id: String,
    },
    /// The relying party takes none of the signature algorithms that the client knows.
    #[error("the relying party accepts no known signature algorithm; it should offer ES256")]
    NoAlgorithm,
    /// The reply is not canonical CBOR.
    #[error("the phone's reply breaks the form that CTAP demands; the phone's software is at fault")]
    NotCanonical(#[from] CborError),
    /// A part of the reply is missing or has the wrong type.
    #[error("the phone's reply lacks a usable {0}; the phone's software is at fault")]
    Malformed(&'static str),
    /// The client data did not serialise.
    #[error("the client data could not be written")]
    ClientData(#[from] serde_json::Error),
}

/// A browser with one page open.
#[derive(Debug, Clone)]
pub struct WebauthnClient {
    origin: Url,
}

/// A passkey is being made: what goes to the phone, and what is needed when it answers.
#[derive(Debug)]
pub struct Creation {
    client_data: Vec<u8>,
    request: make_credential::Request,
}

/// A sign-in is under way: what goes to the phone, and what is needed when it answers.
#[derive(Debug)]
pub struct Assertion {
    client_data: Vec<u8>,
    request: get_assertion::Request,
}

impl WebauthnClient {
    /// A browser that shows a page of this origin.
    pub const fn new(origin: Url) -> Self {
        Self { origin }
    }

    /// `navigator.credentials.create()` up to the point where the phone is asked.
    ///
    /// # Errors
    /// [`ClientError::ForeignRelyingParty`] or [`ClientError::NoAlgorithm`].
    pub fn create(&self, options: &CreationChallengeResponse) -> Result<Creation, ClientError> {
        let options = &options.public_key;
        self.check_relying_party(&options.rp.id)?;
        let client_data = self.client_data(ClientDataType::Create, &options.challenge)?;
        let request = request::creation(options, &Sha256::digest(&client_data))?;
        Ok(Creation { client_data, request })
    }

    /// `navigator.credentials.get()` up to the point where the phone is asked.
    ///
    /// # Errors
    /// [`ClientError::ForeignRelyingParty`].
    pub fn get(&self, options: &RequestChallengeResponse) -> Result<Assertion, ClientError> {
        let options = &options.public_key;
        self.check_relying_party(&options.rp_id)?;
        let client_data = self.client_data(ClientDataType::Get, &options.challenge)?;
        let request = request::assertion(options, &Sha256::digest(&client_data));
        Ok(Assertion { client_data, request })
    }

    /// A page may use its own host and the domains above it. Browsers also exclude public suffixes such as `com`,
    /// which takes a list that a demonstration does not carry.
    fn check_relying_party(&self, rp_id: &str) -> Result<(), ClientError> {
        let host = self.origin.domain().unwrap_or_default();
        let above = |rest: &str| rest.is_empty() || rest.ends_with('.');
        let own = !rp_id.is_empty() && host.strip_suffix(rp_id).is_some_and(above);
        if own && self.origin.scheme() == "https" {
            return Ok(());
        }
        Err(ClientError::ForeignRelyingParty {
            origin: self.origin.origin().ascii_serialization(),
            rp_id: rp_id.to_owned(),
        })
    }

    /// The client data JSON (WebAuthn section 5.8.1.1), whose hash is what the phone signs.
    fn client_data(&self, ty: ClientDataType, challenge: &[u8]) -> Result<Vec<u8>, ClientError> {
        Ok(serde_json::to_vec(&CollectedClientData {
            ty,
            challenge: data_encoding::BASE64URL_NOPAD.encode(challenge),
            origin: self.origin.origin().ascii_serialization(),
            cross_origin: None,
            extra_data: (),
            unknown_keys: Default::default(),
        })?)
    }
}

impl Creation {
    /// The request for the phone.
    pub const fn request(&self) -> &make_credential::Request {
        &self.request
    }

    /// Takes the CBOR of the phone's reply, without its status byte.
    ///
    /// # Errors
    /// [`ClientError::NotCanonical`] or [`ClientError::Malformed`].
    pub fn finish(self, cbor: &[u8]) -> Result<RegisterPublicKeyCredential, ClientError> {
        check_canonical(cbor)?;
        response::creation(self.client_data, cbor)
    }
}

impl Assertion {
    /// The request for the phone.
    pub const fn request(&self) -> &get_assertion::Request {
        &self.request
    }

    /// Takes the CBOR of the phone's reply, without its status byte.
    ///
    /// # Errors
    /// [`ClientError::NotCanonical`] or [`ClientError::Malformed`].
    pub fn finish(self, cbor: &[u8]) -> Result<PublicKeyCredential, ClientError> {
        check_canonical(cbor)?;
        // Only one credential was allowed: then the phone need not say which one it used.
        let only = match self.request.allow_list.as_deref() {
            Some([only]) => Some(only.id.to_vec()),
            _ => None,
        };
        response::assertion(self.client_data, only, cbor)
    }
}

#[cfg(test)]
mod tests;
