//! What goes back to the website, in WebAuthn's JSON (Level 3 section 5.1.8).

use std::fmt;

use serde::Serialize;

use super::{base64, base64::Base64Url, options::PUBLIC_KEY};

/// A phone is another device than the one that asks.
const CROSS_PLATFORM: &str = "cross-platform";

/// A new passkey: `RegistrationResponseJSON`. Serialised as JSON it is what a website verifies.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RegistrationResponse(Credential<Attestation>);

/// A signature by a passkey: `AuthenticationResponseJSON`. Serialised as JSON it is what a website verifies.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AuthenticationResponse(Credential<Assertion>);

#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Credential<T> {
    id: String,
    raw_id: Base64Url,
    response: T,
    authenticator_attachment: &'static str,
    client_extension_results: ExtensionResults,
    #[serde(rename = "type")]
    ty: &'static str,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attestation {
    #[serde(rename = "clientDataJSON")]
    pub(super) client_data_json: Base64Url,
    pub(super) authenticator_data: Base64Url,
    pub(super) transports: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) public_key: Option<Base64Url>,
    pub(super) public_key_algorithm: i64,
    pub(super) attestation_object: Base64Url,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Assertion {
    #[serde(rename = "clientDataJSON")]
    pub(super) client_data_json: Base64Url,
    pub(super) authenticator_data: Base64Url,
    pub(super) signature: Base64Url,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_handle: Option<Base64Url>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExtensionResults {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cred_props: Option<Properties>,
}

/// What the extension `credProps` tells.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub(super) struct Properties {
    /// Whether a passkey was asked for that is found without the account's name.
    pub(super) rk: bool,
}

impl<T> Credential<T> {
    fn new(id: &[u8], response: T, extensions: ExtensionResults) -> Self {
        Self {
            id: base64::encode(id),
            raw_id: Base64Url(id.to_vec()),
            response,
            authenticator_attachment: CROSS_PLATFORM,
            client_extension_results: extensions,
            ty: PUBLIC_KEY,
        }
    }
}

impl RegistrationResponse {
    pub(super) fn new(id: &[u8], response: Attestation, extensions: ExtensionResults) -> Self {
        Self(Credential::new(id, response, extensions))
    }

    /// The ID of the new passkey.
    pub fn credential_id(&self) -> &[u8] {
        &self.0.raw_id.0
    }
}

impl AuthenticationResponse {
    pub(super) fn new(id: &[u8], response: Assertion) -> Self {
        Self(Credential::new(id, response, ExtensionResults::default()))
    }

    /// The ID of the passkey that signed.
    pub fn credential_id(&self) -> &[u8] {
        &self.0.raw_id.0
    }
}

impl fmt::Debug for RegistrationResponse {
    /// Nothing of it: whoever has it first can present it to the website.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrationResponse(..)")
    }
}

impl fmt::Debug for AuthenticationResponse {
    /// Nothing of it: whoever has it first can present it to the website.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthenticationResponse(..)")
    }
}
