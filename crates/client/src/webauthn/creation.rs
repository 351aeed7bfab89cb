//! Making a passkey (WebAuthn Level 3 section 5.1.3).

use std::{fmt, time::Duration};

use hybridge_proto::cbor::check_canonical;
use minicbor::Encoder;
use sha2::{Digest, Sha256};

use super::{
    authenticator_data::{Attested, AuthenticatorData},
    base64::Base64Url,
    cbor::{self, Key},
    client_data::ClientData,
    error::{OptionsError, PhoneError},
    options::CreationOptions,
    origin::Origin,
    phone::Phone,
    public_key,
    request::MakeCredential,
    response::{Attestation, ExtensionResults, Properties, RegistrationResponse},
};

/// A passkey is to be made: checked, and ready for whichever phone comes.
#[derive(Clone)]
pub struct Creation {
    rp_id: String,
    algorithms: Vec<i64>,
    options: CreationOptions,
    client_data: ClientData,
}

/// A passkey is to be made by a certain phone.
#[derive(Clone)]
pub struct CreationRequest {
    command: Vec<u8>,
    rp_id: String,
    client_data: ClientData,
    phone: Phone,
    discoverable: bool,
    wants_attestation: bool,
    wants_properties: bool,
}

impl Creation {
    /// Checks that the site may ask for this, and makes the client data.
    ///
    /// # Errors
    /// [`OptionsError::ForeignRelyingParty`], [`OptionsError::PublicSuffix`], [`OptionsError::NotAHost`] or
    /// [`OptionsError::NoAlgorithm`].
    pub fn new(origin: &Origin, options: CreationOptions) -> Result<Self, OptionsError> {
        let rp_id = origin.relying_party(options.rp.id.as_deref())?;
        let algorithms = options.algorithms()?;
        let client_data = ClientData::new("webauthn.create", &options.challenge.0, origin);
        Ok(Self { rp_id, algorithms, options, client_data })
    }

    /// Whose passkey it will be.
    pub fn rp_id(&self) -> &str {
        &self.rp_id
    }

    /// What the passkey will sign of the client data, SHA-256.
    pub const fn client_data_hash(&self) -> &[u8; 32] {
        &self.client_data.hash
    }

    /// How long the ceremony may take, from the options: between 5 and 10 minutes, as the standard recommends.
    pub fn timeout(&self) -> Duration {
        self.options.timeout()
    }

    /// The request for a phone that describes itself so: CBOR without a status byte.
    ///
    /// # Errors
    /// [`PhoneError::NotDiscoverable`] or [`PhoneError::NoVerification`] when the phone cannot do what is required,
    /// [`PhoneError::NotCanonical`] or [`PhoneError::Malformed`] for its description.
    pub fn for_phone(self, get_info: &[u8]) -> Result<CreationRequest, PhoneError> {
        let Self { rp_id, algorithms, options, client_data } = self;
        let phone = Phone::from_get_info(get_info)?;
        let discoverable = phone.discoverable(options.discoverable())?;
        let request = MakeCredential {
            client_data_hash: &client_data.hash,
            rp_id: &rp_id,
            rp_name: &options.rp.name,
            user: &options.user,
            algorithms: &algorithms,
            excluded: options.excluded().collect(),
            discoverable,
            verify_user: phone.verification(options.verification())?,
        };
        Ok(CreationRequest {
            command: request.encode(),
            rp_id,
            client_data,
            phone,
            discoverable,
            wants_attestation: options.wants_attestation(),
            wants_properties: options.wants_properties(),
        })
    }
}

impl CreationRequest {
    /// The CTAP command: authenticatorMakeCredential and its parameters.
    pub fn command(&self) -> &[u8] {
        &self.command
    }

    /// Takes the CBOR of the phone's reply, without its status byte. The authenticator data is passed on byte for
    /// byte; the attestation statement too if the website asked for one, and is left out if not.
    ///
    /// # Errors
    /// [`PhoneError::NotCanonical`], [`PhoneError::Malformed`] or [`PhoneError::ForeignReply`].
    pub fn finish(self, reply: &[u8]) -> Result<RegistrationResponse, PhoneError> {
        check_canonical(reply)?;
        let format = cbor::text(reply, Key::Number(1)).ok_or(PhoneError::Malformed("attestation format"))?;
        let data = cbor::bytes(reply, Key::Number(2)).ok_or(PhoneError::Malformed("authenticator data"))?;
        let statement = cbor::member(reply, Key::Number(3)).filter(|statement| cbor::is_map(statement));
        let statement = statement.ok_or(PhoneError::Malformed("attestation statement"))?;
        let parsed = AuthenticatorData::parse(data)?;
        if parsed.rp_id_hash[..] != Sha256::digest(&self.rp_id)[..] {
            return Err(PhoneError::ForeignReply);
        }
        let attested = parsed.attested()?;
        let object = if self.wants_attestation || is_anonymous(format, statement, &attested) {
            attestation_object(format, statement, data)
        } else {
            attestation_object("none", &[EMPTY_MAP], data)
        };
        let response = Attestation {
            client_data_json: Base64Url(self.client_data.json),
            authenticator_data: Base64Url(data.to_vec()),
            transports: self.phone.transports,
            public_key: public_key::to_der(attested.key, attested.algorithm).map(Base64Url),
            public_key_algorithm: attested.algorithm,
            attestation_object: Base64Url(object),
        };
        let cred_props = self.wants_properties.then_some(Properties { rk: self.discoverable });
        Ok(RegistrationResponse::new(attested.id, response, ExtensionResults { cred_props }))
    }
}

impl fmt::Debug for Creation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Creation").field("rp_id", &self.rp_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for CreationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreationRequest").field("rp_id", &self.rp_id).finish_non_exhaustive()
    }
}

const EMPTY_MAP: u8 = 0xa0;

/// Whether a statement says nothing about the phone: one by the passkey itself, of a phone that names no model.
fn is_anonymous(format: &str, statement: &[u8], attested: &Attested<'_>) -> bool {
    let certificates = cbor::member(statement, Key::Name("x5c")).is_some();
    format == "packed" && !certificates && *attested.aaguid == [0; 16]
}

/// The attestation object (section 6.5.4).
fn attestation_object(format: &str, statement: &[u8], data: &[u8]) -> Vec<u8> {
    let mut writer = Encoder::new(Vec::new());
    // Writing to a vector cannot fail, so the results say nothing.
    let _ = writer.map(3).and_then(|map| map.str("fmt")?.str(format)?.str("attStmt"));
    writer.writer_mut().extend_from_slice(statement);
    let _ = writer.str("authData").and_then(|map| map.bytes(data));
    writer.into_writer()
}
