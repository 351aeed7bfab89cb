//! The client and authenticator crates.

use std::{sync::Arc, time::Instant};

use hybridge_authenticator::{Authenticator, CtapService, DomainId, passkey::InMemoryPasskeys};
use hybridge_ble::sim::Air;
use hybridge_client::{
    CtapChannel, Error, Hint, Link, Progress, Session, SessionConfig,
    webauthn::{Assertion, Creation, CreationOptions, Origin, RequestOptions},
};
use hybridge_demo::owner::{Owner, passkeys_of};
use hybridge_proto::{
    keys::QrSecret,
    qr::{QrCode, QrUri},
};
use hybridge_tests::website::Website;
use hybridge_tunnel::{DialError, MemoryService};
use tokio::sync::mpsc::unbounded_channel;

use super::{key, linking_info, linking_info_shown};

fn uri() -> QrUri {
    QrCode::new(*key().public_key(), QrSecret::from_bytes(&[1; 16])).to_uri()
}

fn link() -> Link {
    Link::new(DomainId::new(266), linking_info())
}

fn link_shown() -> String {
    format!("Link {{ domain: DomainId(266), info: {} }}", linking_info_shown())
}

#[test]
fn what_a_session_tells() {
    let (code, until) = (uri(), Instant::now());
    let shown =
        format!("ShowQr {{ code: QrUri({} characters), until: {until:?} }}", code.expose_text().len());
    assert_eq!(format!("{:?}", Progress::ShowQr { code, until }), shown);
    assert_eq!(format!("{:?}", Progress::Linked(Box::new(link()))), format!("Linked({})", link_shown()));
}

#[test]
fn what_a_caller_chooses() {
    let mut config = SessionConfig::new(Hint::MakeCredential);
    config.links = vec![link()];
    config.unix_time = Some(1);
    let timing = format!("{:?}", config.timing);
    assert_eq!(
        format!("{config:?}"),
        format!(
            "SessionConfig {{ hint: MakeCredential, required: Features {{ ctap: true, digital_credentials: false }}, \
             show_code: true, links: [{}], accept_linking: false, unix_time: Some(1), l2cap: None, \
             l2cap_framing: CrLf, timing: {timing} }}",
            link_shown()
        )
    );
}

#[test]
fn what_a_website_asks() {
    const CREATE: &[u8] = br#"{"rp": {"id": "demo.example", "name": "n"}, "user": {"id": "AQID", "name": "n",
        "displayName": "n"}, "challenge": "bm9uY2U", "pubKeyCredParams": []}"#;
    const GET: &[u8] = br#"{"rpId": "demo.example", "challenge": "bm9uY2U"}"#;
    // {4: {"rk": true, "uv": true}}
    const ABLE: &[u8] = b"\xa1\x04\xa2\x62rk\xf5\x62uv\xf5";
    let origin = Origin::parse("https://demo.example").unwrap();
    assert_eq!(format!("{origin:?}"), "Origin(https://demo.example)");

    let (create, get) =
        (CreationOptions::from_json(CREATE).unwrap(), RequestOptions::from_json(GET).unwrap());
    assert_eq!(format!("{create:?}"), "CreationOptions { rp_id: Some(\"demo.example\"), .. }");
    assert_eq!(format!("{get:?}"), "RequestOptions { rp_id: Some(\"demo.example\"), .. }");
    let (create, get) = (Creation::new(&origin, create).unwrap(), Assertion::new(&origin, &get).unwrap());
    assert_eq!(format!("{create:?}"), "Creation { rp_id: \"demo.example\", .. }");
    assert_eq!(format!("{get:?}"), "Assertion { rp_id: \"demo.example\", .. }");
    let (create, get) = (create.for_phone(ABLE).unwrap(), get.for_phone(ABLE).unwrap());
    assert_eq!(format!("{create:?}"), "CreationRequest { rp_id: \"demo.example\", .. }");
    assert_eq!(format!("{get:?}"), "AssertionRequest { rp_id: \"demo.example\", .. }");
}

#[tokio::test]
async fn what_a_website_gets() {
    let mut passkeys = passkeys_of(Owner::Agrees);
    let website = Website::new();
    let described = passkeys.get_info().await;
    let create = website.creation().for_phone(&described).unwrap();
    let reply = passkeys.call(create.command()).await;
    let response = create.finish(&reply[1..]).unwrap();
    assert_eq!(format!("{response:?}"), "RegistrationResponse(..)");
    let get = website.assertion().for_phone(&described).unwrap();
    let reply = passkeys.call(get.command()).await;
    assert_eq!(format!("{:?}", get.finish(&reply[1..]).unwrap()), "AuthenticationResponse(..)");
}

#[test]
fn what_went_wrong() {
    let source = DialError::Refused { status: 404, text: "No.".to_owned() };
    let error = hybridge_client::AttemptError::Dial(source.failure());
    let shown = "Tunnel { error: Dial(Refused(404)), source: Some(Refused { status: 404, text: \"No.\" }) }";
    assert_eq!(format!("{:?}", Error::Tunnel { error, source: Some(source) }), shown);
}

/// A laptop connected to a phone, and the phone's session in a task.
async fn connected() -> CtapChannel {
    let (air, service) = (Air::new(1), MemoryService::new());
    let (radio, dialer) = (Arc::new(air.device("laptop")), Arc::new(service.clone()));
    let session = Session::start(SessionConfig::new(Hint::MakeCredential), radio, dialer).unwrap();
    assert_eq!(format!("{session:?}"), "Session { calls: [], .. }");
    let (show, mut screen) = unbounded_channel();
    let connecting = session.connect(move |progress| {
        if let Progress::ShowQr { code, .. } = progress {
            show.send(code.expose_text().to_owned()).unwrap();
        }
    });
    let phone = async move {
        let code = screen.recv().await.unwrap();
        let mut authenticator =
            Authenticator::new(DomainId::new(266), Arc::new(air.device("phone")), Arc::new(service));
        assert_eq!(format!("{authenticator:?}"), "Authenticator { domain: DomainId(266), .. }");
        let mut passkeys = passkeys_of(Owner::Agrees);
        let _ = authenticator.answer_code(&code, &mut passkeys, |_| {}).await;
        assert_eq!(format!("{passkeys:?}"), "PasskeyService { .. }");
        assert_eq!(format!("{:?}", passkeys.authenticator().store()), "InMemoryPasskeys(1 passkeys)");
    };
    tokio::spawn(phone);
    connecting.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn channels_and_replies() {
    let mut channel = connected().await;
    assert_eq!(
        format!("{channel:?}"),
        "CtapChannel { features: Features { ctap: true, digital_credentials: false }, .. }"
    );
    let info = channel.get_info().unwrap();
    assert_eq!(format!("{info:?}"), format!("Reply({} bytes)", info.raw.len()));
    Website::new().register(&mut channel).await;
    channel.close().await.unwrap();
}

#[tokio::test]
async fn passkeys() {
    assert_eq!(format!("{:?}", InMemoryPasskeys::new()), "InMemoryPasskeys(0 passkeys)");
    let mut passkeys = passkeys_of(Owner::Declines);
    assert_eq!(passkeys.call(&[]).await, [0x03]);
    assert_eq!(format!("{passkeys:?}"), "PasskeyService { .. }");
}
