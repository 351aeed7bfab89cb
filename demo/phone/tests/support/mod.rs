//! A table with a phone and laptops on it, and a person who answers questions.
#![allow(dead_code, reason = "each test file uses a part")]

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use hybridge_authenticator::DomainId;
use hybridge_ble::sim::{Air, SimDevice};
use hybridge_client::{Hint, Progress, Session, SessionConfig, tunnel::MemoryService};
use hybridge_phone::{Approval, Console, Echo, Error, Passkeys, Phone, Reporter, Style};
use hybridge_proto::{cbor::canonicalize, service::ServiceRequest};
use hybridge_tunnel::{DialError, Dialed, Dialer, DynDialer};
use passkey_crypto::iana::Algorithm;
use passkey_types::{
    ctap2::{get_assertion, make_credential},
    webauthn::{
        PublicKeyCredentialDescriptor, PublicKeyCredentialParameters, PublicKeyCredentialType,
        PublicKeyCredentialUserEntity,
    },
};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

pub(crate) const RP_ID: &str = "login.example";

/// A phone, its air and its tunnel service.
pub(crate) struct Table {
    pub(crate) phone: Phone,
    radio: Arc<SimDevice>,
    air: Air,
    service: MemoryService,
    told: Told,
    /// Whether laptops connect over Bluetooth.
    l2cap: bool,
}

impl Table {
    pub(crate) fn new(passkeys: Passkeys, approval: Approval) -> Self {
        let service = MemoryService::new();
        Self::with_dialer(Arc::new(service.clone()), service, passkeys, approval)
    }

    /// A phone whose tunnel service has a bad certificate, and that can be connected to over Bluetooth.
    pub(crate) fn without_tunnel(passkeys: Passkeys, approval: Approval) -> Self {
        let mut table = Self::with_dialer(Arc::new(BadCertificate), MemoryService::new(), passkeys, approval);
        table.phone.authenticator.l2cap = Some(table.radio.clone());
        Self { l2cap: true, ..table }
    }

    fn with_dialer(
        dialer: Arc<dyn DynDialer>,
        service: MemoryService,
        passkeys: Passkeys,
        approval: Approval,
    ) -> Self {
        let (air, told) = (Air::new(1), Told::default());
        let reporter = Arc::new(Reporter::new(Style::Json, Box::new(told.clone())));
        let radio = Arc::new(air.device("phone"));
        let device = radio.clone();
        let phone = Phone::new(DomainId::new(266), device, dialer, passkeys, approval, reporter).unwrap();
        Self { phone, radio, air, service, told, l2cap: false }
    }

    /// One ceremony in which a laptop sends this request; its reply.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        let (reply, phone) = self.ceremony(request).await;
        phone.unwrap();
        reply.unwrap()
    }

    /// One ceremony, and how it went on both sides.
    pub(crate) async fn ceremony(
        &mut self,
        request: &[u8],
    ) -> (Result<Vec<u8>, hybridge_client::Error>, Result<(), Error>) {
        let (radio, dialer) = (Arc::new(self.air.device("laptop")), Arc::new(self.service.clone()));
        let mut config = SessionConfig::new(Hint::GetAssertion);
        if self.l2cap {
            config.l2cap = Some(radio.clone());
        }
        let session = Session::start(config, radio, dialer).unwrap();
        let (show, mut screen) = mpsc::unbounded_channel();
        let laptop = async {
            let mut channel = session
                .connect(move |progress| {
                    if let Progress::ShowQr { code, .. } = progress {
                        show.send(code.expose_text().to_owned()).unwrap();
                    }
                })
                .await?;
            let reply = channel.raw(request).await?;
            channel.close().await?;
            Ok(reply)
        };
        let phone = async {
            let code = screen.recv().await.unwrap();
            self.phone.answer(&code).await
        };
        tokio::join!(laptop, phone)
    }

    /// The events told so far, as JSON.
    pub(crate) fn told(&self) -> Vec<serde_json::Value> {
        let told = self.told.0.lock().unwrap();
        str::from_utf8(&told).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The newest event of a kind.
    pub(crate) fn newest(&self, kind: &str) -> serde_json::Value {
        self.told().into_iter().rev().find(|event| event["event"] == kind).unwrap()
    }
}

/// What a phone meets whose tunnel service it cannot trust.
struct BadCertificate;

impl Dialer for BadCertificate {
    async fn dial(&self, _request: &ServiceRequest) -> Result<Dialed, DialError> {
        Err(DialError::Tls(io::Error::other("the certificate is of another host")))
    }
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Somebody at a terminal, who gives prepared answers and takes down the questions.
#[derive(Clone, Default)]
pub(crate) struct Person {
    answers: Arc<Mutex<VecDeque<String>>>,
    questions: Arc<Mutex<Vec<(String, Echo)>>>,
}

impl Person {
    pub(crate) fn new(answers: &[&str]) -> Self {
        let person = Self::default();
        person.will_say(answers);
        person
    }

    pub(crate) fn will_say(&self, answers: &[&str]) {
        self.answers.lock().unwrap().extend(answers.iter().map(|answer| (*answer).to_owned()));
    }

    /// The questions since the last call. Every prepared answer must have been used.
    pub(crate) fn was_asked(&self) -> Vec<(String, Echo)> {
        assert!(self.answers.lock().unwrap().is_empty(), "answers that nobody asked for");
        std::mem::take(&mut *self.questions.lock().unwrap())
    }
}

#[async_trait]
impl Console for Person {
    async fn ask(&self, question: &str, echo: Echo) -> io::Result<Option<Zeroizing<String>>> {
        self.questions.lock().unwrap().push((question.to_owned(), echo));
        Ok(self.answers.lock().unwrap().pop_front().map(Zeroizing::new))
    }
}

/// A request for a passkey.
pub(crate) struct Creation<'a> {
    pub(crate) user: &'a str,
    pub(crate) discoverable: bool,
    pub(crate) verified: bool,
    pub(crate) exclude: &'a [&'a [u8]],
}

impl Default for Creation<'_> {
    fn default() -> Self {
        Self { user: "ada", discoverable: true, verified: true, exclude: &[] }
    }
}

impl Creation<'_> {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let request = make_credential::Request {
            client_data_hash: vec![0xC1; 32].into(),
            rp: make_credential::PublicKeyCredentialRpEntity { id: RP_ID.into(), name: None },
            user: PublicKeyCredentialUserEntity {
                id: format!("handle of {}", self.user).into_bytes().into(),
                display_name: String::new(),
                name: self.user.to_owned(),
            },
            pub_key_cred_params: vec![PublicKeyCredentialParameters::from(Algorithm::ES256)],
            exclude_list: (!self.exclude.is_empty()).then(|| descriptors(self.exclude)),
            extensions: None,
            options: make_credential::Options { rk: self.discoverable, up: true, uv: self.verified },
            pin_auth: None,
            pin_protocol: None,
        };
        bytes(0x01, &request)
    }
}

/// A request for an assertion.
pub(crate) fn assertion(allow: &[&[u8]], verified: bool) -> Vec<u8> {
    let request = get_assertion::Request {
        rp_id: RP_ID.into(),
        client_data_hash: vec![0xA5; 32].into(),
        allow_list: (!allow.is_empty()).then(|| descriptors(allow)),
        extensions: None,
        options: get_assertion::Options { up: true, uv: verified },
        pin_auth: None,
        pin_protocol: None,
    };
    bytes(0x02, &request)
}

fn descriptors(ids: &[&[u8]]) -> Vec<PublicKeyCredentialDescriptor> {
    let descriptor = |id: &&[u8]| PublicKeyCredentialDescriptor {
        ty: PublicKeyCredentialType::PublicKey,
        id: id.to_vec().into(),
        transports: None,
    };
    ids.iter().map(descriptor).collect()
}

fn bytes(command: u8, parameters: &impl serde::Serialize) -> Vec<u8> {
    let mut cbor = Vec::new();
    ciborium::into_writer(parameters, &mut cbor).unwrap();
    let mut request = vec![command];
    request.extend(canonicalize(&cbor).unwrap());
    request
}

pub(crate) const UP: u8 = 0x01;
pub(crate) const UV: u8 = 0x04;

/// The members of a successful reply that tests look at.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) flags: u8,
    pub(crate) counter: u32,
    /// Of the new passkey, or of the one that signed.
    pub(crate) credential_id: Vec<u8>,
    pub(crate) user_handle: Option<Vec<u8>>,
}

impl Granted {
    pub(crate) fn made(reply: &[u8]) -> Self {
        assert_eq!(reply[0], 0, "status {:#04x}", reply[0]);
        let made: make_credential::Response = ciborium::from_reader(&reply[1..]).unwrap();
        let data = made.auth_data.to_vec();
        let length = usize::from(u16::from_be_bytes([data[53], data[54]]));
        Self::read(&data, data[55..55 + length].to_vec(), None)
    }

    pub(crate) fn signed(reply: &[u8]) -> Self {
        assert_eq!(reply[0], 0, "status {:#04x}", reply[0]);
        let signed: get_assertion::Response = ciborium::from_reader(&reply[1..]).unwrap();
        let user = signed.user.map(|user| user.id.to_vec());
        Self::read(&signed.auth_data.to_vec(), signed.credential.unwrap().id.to_vec(), user)
    }

    fn read(data: &[u8], credential_id: Vec<u8>, user_handle: Option<Vec<u8>>) -> Self {
        let counter = u32::from_be_bytes([data[33], data[34], data[35], data[36]]);
        Self { flags: data[32] & (UP | UV), counter, credential_id, user_handle }
    }
}
