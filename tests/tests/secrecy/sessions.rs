//! The sessions that are listened to: one with a code over the real tunnel service and TLS, which ends in a link; one
//! without a code, which uses the link.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use hybridge_authenticator::{Authenticator, CtapService, IncomingCall, LinkOffer};
use hybridge_ble::sim::Air;
use hybridge_client::{Hint, Link, Progress, Reply, Session, SessionConfig};
use hybridge_demo::owner::{Owner, Passkeys, passkeys_of};
use hybridge_proto::{
    ids::{ContactId, LinkId},
    keys::{LinkSecret, PrivateKey},
    link::{ClientPayload, LinkingInfo},
};
use hybridge_tests::{
    network::Sent,
    recorder::{Drawn, Recorder},
    service::{DOMAIN, TlsService},
};
use hybridge_tunnel::MemoryService;
use passkey_crypto::iana::Algorithm;
use passkey_types::{
    ctap2::{get_assertion, make_credential},
    webauthn::{PublicKeyCredentialParameters, PublicKeyCredentialUserEntity},
};
use tokio::sync::mpsc::unbounded_channel;

pub type Payloads = Vec<(&'static str, Vec<u8>)>;

/// What passed between a laptop and a phone, and what they drew.
pub struct Heard {
    pub laptop: Drawn,
    pub phone: Drawn,
    /// Requests, replies, descriptions and credential IDs, named.
    pub payloads: Payloads,
}

pub struct ByCode {
    pub heard: Heard,
    pub relay: Drawn,
    pub code: String,
    pub link: Remembered,
}

/// What the phone gives to be remembered, again and again.
pub struct Remembered {
    pub contact: Vec<u8>,
    pub link: [u8; 8],
    pub secret: [u8; 32],
    pub identity: Arc<PrivateKey>,
}

impl Remembered {
    fn draw() -> Self {
        let mut rng = Recorder::new(77).0;
        let contact: [u8; 40] = rng_bytes(&mut rng);
        let identity = PrivateKey::generate(&mut rng);
        Self {
            contact: contact.to_vec(),
            link: rng_bytes(&mut rng),
            secret: rng_bytes(&mut rng),
            identity: Arc::new(identity),
        }
    }

    pub fn info(&self) -> LinkingInfo {
        let contact = ContactId::new(self.contact.clone()).unwrap();
        let (link, secret) = (LinkId::from_bytes(self.link), LinkSecret::from_bytes(&self.secret));
        LinkingInfo::new(contact, link, secret, *self.identity.public_key(), "Ada's phone")
    }
}

fn rng_bytes<const N: usize>(rng: &mut Recorder) -> [u8; N] {
    let mut bytes = [0; N];
    rand_chacha::rand_core::Rng::fill_bytes(rng, &mut bytes);
    bytes
}

/// Passkeys that note what passes.
struct Noting {
    passkeys: Passkeys,
    payloads: Arc<Mutex<Payloads>>,
}

impl Noting {
    fn new() -> Self {
        Self { passkeys: passkeys_of(Owner::Agrees), payloads: Arc::default() }
    }

    fn note(&self, name: &'static str, bytes: &[u8]) {
        self.payloads.lock().unwrap().push((name, bytes.to_vec()));
    }
}

impl CtapService for Noting {
    async fn get_info(&mut self) -> Vec<u8> {
        let info = self.passkeys.get_info().await;
        self.note("getInfo", &info);
        info
    }

    async fn call(&mut self, request: &[u8]) -> Vec<u8> {
        self.note("request", request);
        let reply = self.passkeys.call(request).await;
        self.note("reply", &reply);
        reply
    }
}

/// A registration and a sign-in in one session, and a link at its end.
pub async fn by_code() -> ByCode {
    let remembered = Remembered::draw();
    let (rng, relay) = Recorder::new(1);
    let service = TlsService::with_rng(rng);
    let dialer = service.simulated(Duration::from_millis(3), &Sent::default());
    let air = Air::new(5);
    let (laptop_rng, laptop_drawn) = Recorder::new(2);
    let mut config = SessionConfig::new(Hint::MakeCredential);
    config.accept_linking = true;
    let radio = Arc::new(air.device("laptop"));
    let session =
        Session::dangerous_start_with_rng(config, radio, Arc::new(dialer.clone()), Box::new(laptop_rng))
            .unwrap();
    let (show, mut screen) = unbounded_channel();
    let (linked, mut links) = unbounded_channel();
    let laptop = async {
        let watch = move |progress| match progress {
            Progress::ShowQr { code, .. } => show.send(code.expose_text().to_owned()).unwrap(),
            Progress::Linked(link) => linked.send(link).unwrap(),
            _ => {}
        };
        let mut channel = session.connect(watch).await.unwrap();
        let made = channel.make_credential(&creation()).await.unwrap();
        channel.get_assertion(&assertion()).await.unwrap();
        channel.close().await.unwrap();
        credential_id(&made)
    };
    let mut passkeys = Noting::new();
    let (phone_rng, phone_drawn) = Recorder::new(3);
    let offer = LinkOffer { identity: Arc::clone(&remembered.identity), info: remembered.info() };
    let phone = async {
        let code = screen.recv().await.unwrap();
        let mut authenticator = Authenticator::new(DOMAIN, Arc::new(air.device("phone")), Arc::new(dialer));
        authenticator.linking = Some(offer);
        authenticator.dangerous_set_rng(Box::new(phone_rng));
        authenticator.answer_code(&code, &mut passkeys, |_| {}).await.unwrap();
        code
    };
    let (credential, code) = tokio::join!(laptop, phone);
    passkeys.note("credential ID", &credential);
    let link: Box<Link> = links.recv().await.unwrap();
    assert_eq!(link.info.secret.expose_bytes(), &remembered.secret);
    let payloads = passkeys.payloads.lock().unwrap().clone();
    let heard = Heard { laptop: laptop_drawn, phone: phone_drawn, payloads };
    ByCode { heard, relay, code, link: remembered }
}

/// A registration on a phone that is called.
pub async fn by_call(remembered: &Remembered) -> Heard {
    let (service, air) = (MemoryService::new(), Air::new(6));
    let mut calls = service.register(remembered.info().contact);
    let (laptop_rng, laptop_drawn) = Recorder::new(12);
    let mut config = SessionConfig::new(Hint::MakeCredential);
    (config.show_code, config.links) = (false, vec![Link::new(DOMAIN, remembered.info())]);
    let (radio, dialer) = (Arc::new(air.device("laptop")), Arc::new(service.clone()));
    let session = Session::dangerous_start_with_rng(config, radio, dialer, Box::new(laptop_rng)).unwrap();
    let laptop = async {
        let mut channel = session.connect(|_| {}).await.unwrap();
        let made = channel.make_credential(&creation()).await.unwrap();
        channel.close().await.unwrap();
        credential_id(&made)
    };
    let mut passkeys = Noting::new();
    let (phone_rng, phone_drawn) = Recorder::new(13);
    let phone = async {
        let call = calls.recv().await.unwrap();
        let payload = ClientPayload::from_header(&call.client_payload).unwrap();
        let (secret, identity) =
            (LinkSecret::from_bytes(&remembered.secret), Arc::clone(&remembered.identity));
        let incoming = IncomingCall::new(call.tunnel, call.routing, payload, secret, identity);
        let radio = Arc::new(air.device("phone"));
        let mut authenticator = Authenticator::new(DOMAIN, radio, Arc::new(service.clone()));
        authenticator.dangerous_set_rng(Box::new(phone_rng));
        authenticator.answer_call(incoming, &mut passkeys, |_| {}).await.unwrap();
    };
    let (credential, ()) = tokio::join!(laptop, phone);
    passkeys.note("credential ID", &credential);
    let payloads = passkeys.payloads.lock().unwrap().clone();
    Heard { laptop: laptop_drawn, phone: phone_drawn, payloads }
}

fn credential_id(made: &Reply<make_credential::Response>) -> Vec<u8> {
    made.value.auth_data.attested_credential_data.as_ref().unwrap().credential_id().to_vec()
}

fn creation() -> make_credential::Request {
    make_credential::Request {
        client_data_hash: (0..32).map(|number| 0xC1 ^ (number * 5)).collect::<Vec<u8>>().into(),
        rp: make_credential::PublicKeyCredentialRpEntity { id: "demo.example".into(), name: None },
        user: PublicKeyCredentialUserEntity {
            id: b"the handle of a user".to_vec().into(),
            display_name: "Ada Lovelace, Countess".into(),
            name: "ada.lovelace@demo.example".into(),
        },
        pub_key_cred_params: vec![PublicKeyCredentialParameters::from(Algorithm::ES256)],
        exclude_list: None,
        extensions: None,
        options: make_credential::Options { rk: true, up: true, uv: true },
        pin_auth: None,
        pin_protocol: None,
    }
}

fn assertion() -> get_assertion::Request {
    get_assertion::Request {
        rp_id: "demo.example".into(),
        client_data_hash: (0..32).map(|number| 0xA5 ^ (number * 3)).collect::<Vec<u8>>().into(),
        allow_list: None,
        extensions: None,
        options: get_assertion::Options { up: true, uv: true },
        pin_auth: None,
        pin_protocol: None,
    }
}
