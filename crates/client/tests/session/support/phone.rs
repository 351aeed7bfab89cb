//! What answers on the phone: passkeys, and services that do as told.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hybridge_authenticator::{
    CtapService,
    passkey::{ExclusionGuard, InMemoryPasskeys, PasskeyService},
};
use passkey_authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey_crypto::{AvailableBackend, iana::Algorithm};
use passkey_types::{
    Passkey,
    ctap2::{Aaguid, Ctap2Error, get_assertion, make_credential},
    webauthn::{PublicKeyCredentialParameters, PublicKeyCredentialUserEntity},
};

pub const RP_ID: &str = "demo.example";

pub type Passkeys = PasskeyService<InMemoryPasskeys, Owner>;

/// What the phone's owner says to every question.
#[derive(Clone, Copy)]
pub enum Owner {
    Agrees,
    Declines,
}

#[async_trait]
impl UserValidationMethod for Owner {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _hint: UiHint<'a, Passkey>,
        _presence: bool,
        _verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        match self {
            Self::Agrees => Ok(UserCheck { presence: true, verification: true }),
            Self::Declines => Err(Ctap2Error::OperationDenied),
        }
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

pub fn passkeys(owner: Owner) -> Passkeys {
    let (store, owner) = (InMemoryPasskeys::new(), ExclusionGuard::new(owner));
    PasskeyService::new(Authenticator::new(Aaguid::new_empty(), store, owner, AvailableBackend))
}

pub fn creation() -> make_credential::Request {
    make_credential::Request {
        client_data_hash: vec![0xC1; 32].into(),
        rp: make_credential::PublicKeyCredentialRpEntity { id: RP_ID.into(), name: Some("Demo".into()) },
        user: PublicKeyCredentialUserEntity {
            id: b"user handle".to_vec().into(),
            display_name: "Ada".into(),
            name: "ada@demo.example".into(),
        },
        pub_key_cred_params: vec![PublicKeyCredentialParameters::from(Algorithm::ES256)],
        exclude_list: None,
        extensions: None,
        options: make_credential::Options { rk: true, up: true, uv: true },
        pin_auth: None,
        pin_protocol: None,
    }
}

pub fn assertion() -> get_assertion::Request {
    get_assertion::Request {
        rp_id: RP_ID.into(),
        client_data_hash: vec![0xA5; 32].into(),
        allow_list: None,
        extensions: None,
        options: get_assertion::Options { up: true, uv: true },
        pin_auth: None,
        pin_protocol: None,
    }
}

/// What a scripted service was asked.
pub type Asked = Arc<Mutex<Vec<Vec<u8>>>>;

/// Gives the same getInfo and the same reply each time, or never replies.
#[derive(Clone)]
pub struct Scripted {
    pub info: Vec<u8>,
    pub reply: Option<Vec<u8>>,
    pub asked: Asked,
}

impl Scripted {
    pub fn replying(reply: impl Into<Vec<u8>>) -> Self {
        Self { info: vec![0xA0], reply: Some(reply.into()), asked: Asked::default() }
    }

    pub fn silent() -> Self {
        Self { info: vec![0xA0], reply: None, asked: Asked::default() }
    }
}

impl CtapService for Scripted {
    async fn get_info(&mut self) -> Vec<u8> {
        self.info.clone()
    }

    async fn call(&mut self, request: &[u8]) -> Vec<u8> {
        self.asked.lock().unwrap().push(request.to_vec());
        match &self.reply {
            Some(reply) => reply.clone(),
            None => std::future::pending().await,
        }
    }
}
