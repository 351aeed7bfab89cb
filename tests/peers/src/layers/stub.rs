//! webauthn-authenticator-rs as a phone that gives a prepared reply and notes what it was asked.

use std::net::SocketAddr;

use async_trait::async_trait;
use rand_chacha::ChaCha20Rng;
use serde_cbor_2::Value;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_tungstenite::tungstenite::http::uri::Builder;
use webauthn_authenticator_rs::{
    AuthenticatorBackendHashedClientData,
    cable::{Advertiser, ShareCableAuthenticatorOptions, share_cable_authenticator},
    ctap2::commands::GetInfoResponse,
    error::{CtapError, WebauthnCError},
    softtoken::AAGUID,
    types::{CableRequestType, CableState, EnrollSampleStatus},
    ui::UiCallback,
};
use webauthn_rs_proto::{
    AuthenticationExtensionsClientOutputs, AuthenticatorAssertionResponseRaw, PublicKeyCredential,
    PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions, RegisterPublicKeyCredential,
};

use super::{below, bytes};

/// The longest byte string in a request or reply.
const LONGEST: usize = 700;

/// What a laptop asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    asks_for_passkey: bool,
    rp_id: String,
    hash: Vec<u8>,
    /// Allowed or excluded.
    credentials: Vec<Vec<u8>>,
}

/// What the phone says: a refusal, or a signature of arbitrary bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Refusal(u8),
    Signature { authenticator_data: Vec<u8>, signature: Vec<u8>, credential: Vec<u8> },
}

impl Question {
    pub(crate) fn random(rng: &mut ChaCha20Rng, asks_for_passkey: bool) -> Self {
        let credentials = (0..1 + below(rng, 5))
            .map(|_| {
                let length = 1 + below(rng, LONGEST);
                bytes(rng, length)
            })
            .collect();
        let rp_id = format!("site-{}.example", below(rng, 1000));
        Self { asks_for_passkey, rp_id, hash: bytes(rng, 32), credentials }
    }

    /// What the peer makes of it: it reads every exclude list as an empty one.
    pub(crate) fn as_read(&self) -> Self {
        let mut read = self.clone();
        if read.asks_for_passkey {
            read.credentials.clear();
        }
        read
    }

    /// The command and its map, as CTAP 2.2 sections 6.1 and 6.2 have them.
    pub(crate) fn to_ctap(&self) -> Vec<u8> {
        let text = |text: &str| Value::Text(text.to_owned());
        let map = |fields: Vec<(Value, Value)>| Value::Map(fields.into_iter().collect());
        let key_type = || (text("type"), text("public-key"));
        let credential = |id: &Vec<u8>| map(vec![(text("id"), Value::Bytes(id.clone())), key_type()]);
        let credentials = Value::Array(self.credentials.iter().map(credential).collect());
        let hash = Value::Bytes(self.hash.clone());
        let (command, fields) = if self.asks_for_passkey {
            let party = map(vec![(text("id"), text(&self.rp_id)), (text("name"), text("Site"))]);
            let user = map(vec![
                (text("id"), Value::Bytes(vec![7; 16])),
                (text("name"), text("anna")),
                (text("displayName"), text("Anna")),
            ]);
            let kinds = Value::Array(vec![map(vec![(text("alg"), Value::Integer(-7)), key_type()])]);
            (1, vec![(1, hash), (2, party), (3, user), (4, kinds), (5, credentials)])
        } else {
            (2, vec![(1, text(&self.rp_id)), (2, hash), (3, credentials)])
        };
        let fields = fields.into_iter().map(|(key, value)| (Value::Integer(key), value)).collect();
        [vec![command], serde_cbor_2::to_vec(&map(fields)).unwrap()].concat()
    }
}

impl Reply {
    pub(crate) fn random(rng: &mut ChaCha20Rng, asks_for_passkey: bool) -> Self {
        if asks_for_passkey || below(rng, 4) == 0 {
            return Self::Refusal([0x19, 0x27, 0x2e, 0x2f, 0x30][below(rng, 5)]);
        }
        let mut random = || {
            let length = 1 + below(rng, LONGEST);
            bytes(rng, length)
        };
        Self::Signature { authenticator_data: random(), signature: random(), credential: random() }
    }

    /// Whether a reply says this.
    pub(crate) fn check(&self, answer: &[u8]) {
        let (authenticator_data, signature, credential) = match self {
            Self::Refusal(status) => return assert_eq!(answer, [*status]),
            Self::Signature { authenticator_data, signature, credential } => {
                (authenticator_data, signature, credential)
            }
        };
        let Some((0, cbor)) = answer.split_first() else { panic!("refused: {answer:02x?}") };
        let Value::Map(map) = serde_cbor_2::from_slice(cbor).unwrap() else { panic!("no map") };
        let Value::Map(used) = &map[&Value::Integer(1)] else { panic!("no credential") };
        assert_eq!(used[&Value::Text("id".to_owned())], Value::Bytes(credential.clone()));
        assert_eq!(map[&Value::Integer(2)], Value::Bytes(authenticator_data.clone()));
        assert_eq!(map[&Value::Integer(3)], Value::Bytes(signature.clone()));
    }
}

/// The phone.
pub(crate) struct Phone {
    backend: Backend,
    radio: Radio,
}

struct Backend {
    reply: Reply,
    asked: Option<Question>,
}

struct Radio(Option<UnboundedSender<(u16, Vec<u8>)>>);

impl Phone {
    pub(crate) const fn new(reply: Reply) -> Self {
        Self { backend: Backend { reply, asked: None }, radio: Radio(None) }
    }

    /// What it will advertise: UUID and service data.
    pub(crate) fn adverts(&mut self) -> UnboundedReceiver<(u16, Vec<u8>)> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.radio.0 = Some(sender);
        receiver
    }

    /// What it was asked last.
    pub(crate) const fn asked(&self) -> Option<&Question> {
        self.backend.asked.as_ref()
    }

    /// Answers a code by way of a tunnel service without TLS.
    pub(crate) async fn answer(
        &mut self,
        code: &str,
        domain: u16,
        service: SocketAddr,
    ) -> Result<(), WebauthnCError> {
        let options = ShareCableAuthenticatorOptions::default()
            .tunnel_server_id(domain)
            .tunnel_uri(Builder::new().scheme("ws").authority(service.to_string()));
        let info = GetInfoResponse {
            versions: ["FIDO_2_0".to_owned()].into(),
            aaguid: Some(AAGUID),
            ..GetInfoResponse::default()
        };
        share_cable_authenticator(&mut self.backend, info, code, &mut self.radio, &Screen, options).await
    }
}

impl Backend {
    fn refusal(&self) -> WebauthnCError {
        match &self.reply {
            Reply::Refusal(status) => WebauthnCError::Ctap(CtapError::from(*status)),
            Reply::Signature { .. } => WebauthnCError::NotSupported,
        }
    }
}

impl AuthenticatorBackendHashedClientData for Backend {
    fn perform_register(
        &mut self,
        hash: Vec<u8>,
        options: PublicKeyCredentialCreationOptions,
        _timeout_ms: u32,
    ) -> Result<RegisterPublicKeyCredential, WebauthnCError> {
        let excluded = options.exclude_credentials.into_iter().flatten();
        let credentials = excluded.map(|credential| credential.id).collect();
        self.asked = Some(Question { asks_for_passkey: true, rp_id: options.rp.id, hash, credentials });
        Err(self.refusal())
    }

    fn perform_auth(
        &mut self,
        hash: Vec<u8>,
        options: PublicKeyCredentialRequestOptions,
        _timeout_ms: u32,
    ) -> Result<PublicKeyCredential, WebauthnCError> {
        let credentials = options.allow_credentials.into_iter().map(|credential| credential.id).collect();
        self.asked = Some(Question { asks_for_passkey: false, rp_id: options.rp_id, hash, credentials });
        let Reply::Signature { authenticator_data, signature, credential } = self.reply.clone() else {
            return Err(self.refusal());
        };
        Ok(PublicKeyCredential {
            id: String::new(),
            raw_id: credential,
            response: AuthenticatorAssertionResponseRaw {
                authenticator_data,
                client_data_json: Vec::new(),
                signature,
                user_handle: None,
            },
            extensions: AuthenticationExtensionsClientOutputs::default(),
            type_: "public-key".to_owned(),
        })
    }
}

#[async_trait]
impl Advertiser for Radio {
    async fn start_advertising(&mut self, service_uuid: u16, payload: &[u8]) -> Result<(), WebauthnCError> {
        let heard = self.0.as_ref().is_some_and(|air| air.send((service_uuid, payload.to_vec())).is_ok());
        if heard { Ok(()) } else { Err(WebauthnCError::Internal) }
    }

    async fn stop_advertising(&mut self) -> Result<(), WebauthnCError> {
        Ok(())
    }
}

#[derive(Debug)]
struct Screen;

impl UiCallback for Screen {
    fn request_pin(&self) -> Option<String> {
        None
    }

    fn request_touch(&self) {}

    fn processing(&self) {}

    fn fingerprint_enrollment_feedback(&self, _: u32, _: Option<EnrollSampleStatus>) {}

    fn cable_qr_code(&self, _: CableRequestType, _: String) {}

    fn dismiss_qr_code(&self) {}

    fn cable_status_update(&self, _: CableState) {}
}
