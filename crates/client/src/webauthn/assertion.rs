//! Signing in with a passkey (WebAuthn Level 3 section 5.1.4).

use std::{fmt, time::Duration};

use hybridge_proto::cbor::check_canonical;
use sha2::{Digest, Sha256};

use super::{
    authenticator_data::AuthenticatorData,
    base64::Base64Url,
    cbor::{self, Key},
    client_data::ClientData,
    error::{OptionsError, PhoneError},
    options::{RequestOptions, Wish},
    origin::Origin,
    phone::Phone,
    request::GetAssertion,
    response::{self, AuthenticationResponse},
};

/// A signature is to be made: checked, and ready for whichever phone comes.
#[derive(Clone)]
pub struct Assertion {
    rp_id: String,
    allowed: Vec<Vec<u8>>,
    verification: Wish,
    timeout: Duration,
    client_data: ClientData,
}

/// A signature is to be made by a certain phone.
#[derive(Clone)]
pub struct AssertionRequest {
    command: Vec<u8>,
    rp_id: String,
    allowed: Vec<Vec<u8>>,
    client_data: ClientData,
}

impl Assertion {
    /// Checks that the site may ask for this, and makes the client data.
    ///
    /// # Errors
    /// [`OptionsError::ForeignRelyingParty`], [`OptionsError::PublicSuffix`] or [`OptionsError::NotAHost`].
    pub fn new(origin: &Origin, options: &RequestOptions) -> Result<Self, OptionsError> {
        Ok(Self {
            rp_id: origin.relying_party(options.rp_id.as_deref())?,
            allowed: options.allowed().map(<[u8]>::to_vec).collect(),
            verification: options.verification(),
            timeout: options.timeout(),
            client_data: ClientData::new("webauthn.get", &options.challenge.0, origin),
        })
    }

    /// Whose passkey is to sign.
    pub fn rp_id(&self) -> &str {
        &self.rp_id
    }

    /// What the passkey will sign of the client data, SHA-256.
    pub const fn client_data_hash(&self) -> &[u8; 32] {
        &self.client_data.hash
    }

    /// How long the ceremony may take, from the options: between 5 and 10 minutes, as the standard recommends.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The request for a phone that describes itself so: CBOR without a status byte.
    ///
    /// # Errors
    /// [`PhoneError::NoVerification`] when the phone cannot do what is required, [`PhoneError::NotCanonical`] or
    /// [`PhoneError::Malformed`] for its description.
    pub fn for_phone(self, get_info: &[u8]) -> Result<AssertionRequest, PhoneError> {
        let Self { rp_id, allowed, verification, client_data, .. } = self;
        let request = GetAssertion {
            client_data_hash: &client_data.hash,
            rp_id: &rp_id,
            allowed: &allowed,
            verify_user: Phone::from_get_info(get_info)?.verification(verification)?,
        };
        Ok(AssertionRequest { command: request.encode(), rp_id, allowed, client_data })
    }
}

impl AssertionRequest {
    /// The CTAP command: authenticatorGetAssertion and its parameters.
    pub fn command(&self) -> &[u8] {
        &self.command
    }

    /// Takes the CBOR of the phone's reply, without its status byte. Authenticator data and signature are passed on
    /// byte for byte.
    ///
    /// # Errors
    /// [`PhoneError::NotCanonical`], [`PhoneError::Malformed`], [`PhoneError::ForeignReply`] or
    /// [`PhoneError::UnlistedCredential`].
    pub fn finish(self, reply: &[u8]) -> Result<AuthenticationResponse, PhoneError> {
        check_canonical(reply)?;
        let id = self.credential_id(reply)?;
        let data = cbor::bytes(reply, Key::Number(2)).ok_or(PhoneError::Malformed("authenticator data"))?;
        if AuthenticatorData::parse(data)?.rp_id_hash[..] != Sha256::digest(&self.rp_id)[..] {
            return Err(PhoneError::ForeignReply);
        }
        let signature = cbor::bytes(reply, Key::Number(3)).ok_or(PhoneError::Malformed("signature"))?;
        let user = cbor::member(reply, Key::Number(4)).and_then(|user| cbor::bytes(user, Key::Name("id")));
        let response = response::Assertion {
            authenticator_data: Base64Url(data.to_vec()),
            signature: Base64Url(signature.to_vec()),
            user_handle: user.map(|user| Base64Url(user.to_vec())),
            client_data_json: Base64Url(self.client_data.json),
        };
        Ok(AuthenticationResponse::new(&id, response))
    }

    /// The ID of the passkey that signed. If only one was allowed, the phone need not name it.
    fn credential_id(&self, reply: &[u8]) -> Result<Vec<u8>, PhoneError> {
        let named = cbor::member(reply, Key::Number(1)).and_then(|named| cbor::bytes(named, Key::Name("id")));
        match (named, self.allowed.as_slice()) {
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(PhoneError::Malformed("credential ID")),
            (Some(id), allowed) if allowed.is_empty() || allowed.iter().any(|one| one == id) => {
                Ok(id.to_vec())
            }
            (Some(_), _) => Err(PhoneError::UnlistedCredential),
        }
    }
}

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertion").field("rp_id", &self.rp_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for AssertionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionRequest").field("rp_id", &self.rp_id).finish_non_exhaustive()
    }
}
