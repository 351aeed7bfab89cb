//! A whole session with everything logged at TRACE, and then a search of the log for every secret of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "secrecy/forms.rs"]
mod forms;
#[path = "secrecy/recording.rs"]
mod recording;

use std::{
    io,
    sync::{Arc, Mutex},
};

use forms::Secret;
use hybridge_authenticator::Authenticator;
use hybridge_ble::{Scan, Scanner, sim::Air};
use hybridge_client::{Hint, Progress, Session, SessionConfig};
use hybridge_demo::{
    chance::Chance,
    journal::Journal,
    owner::{Owner, passkeys_of},
    tunnel_service::TunnelService,
};
use hybridge_proto::{
    advert::{Advert, open},
    domain::DomainId,
    qr::QrCode,
};
use passkey_crypto::iana::Algorithm;
use passkey_types::{
    ctap2::{
        get_assertion,
        make_credential::{Options, PublicKeyCredentialRpEntity, Request},
    },
    webauthn::{PublicKeyCredentialParameters, PublicKeyCredentialUserEntity},
};
use recording::Recording;
use tokio::sync::oneshot;
use tracing_subscriber::fmt::MakeWriter;

const DOMAIN: DomainId = DomainId::new(266);
const CLIENT_DATA_HASH: [u8; 32] = *b"the hash of client data, 32 byte";
const USER: [u8; 16] = *b"user handle, 16b";

/// Where the whole log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn make_request() -> Request {
    Request {
        client_data_hash: CLIENT_DATA_HASH.to_vec().into(),
        rp: PublicKeyCredentialRpEntity { id: "example.com".into(), name: None },
        user: PublicKeyCredentialUserEntity {
            id: USER.to_vec().into(),
            name: "account name".into(),
            display_name: "Display Name".into(),
        },
        pub_key_cred_params: vec![PublicKeyCredentialParameters::from(Algorithm::ES256)],
        exclude_list: None,
        extensions: None,
        options: Options { rk: true, up: true, uv: true },
        pin_auth: None,
        pin_protocol: None,
    }
}

fn get_request() -> get_assertion::Request {
    get_assertion::Request {
        rp_id: "example.com".into(),
        client_data_hash: CLIENT_DATA_HASH.to_vec().into(),
        allow_list: None,
        extensions: None,
        options: get_assertion::Options { up: true, uv: true },
        pin_auth: None,
        pin_protocol: None,
    }
}

/// Registers and signs in within one session, and gives what a log must not hold.
async fn session() -> Vec<Secret> {
    let air = Air::new(1);
    let chance = Chance::new(1);
    let service = TunnelService::start(DOMAIN, &mut chance.source("relay"), Journal::unread()).unwrap();
    let (at_laptop, at_phone) = (Recording::new(2), Recording::new(3));
    let mut bystander = air.device("bystander").scan().await.unwrap();

    let laptop = Session::dangerous_start_with_rng(
        SessionConfig::new(Hint::MakeCredential),
        Arc::new(air.device("laptop")),
        Arc::new(service.dialer()),
        Box::new(at_laptop.clone()),
    )
    .unwrap();
    let (shown, scanned) = oneshot::channel();
    let mut shown = Some(shown);
    let connecting = laptop.connect(move |progress| {
        if let Progress::ShowQr { code, .. } = progress {
            let shown = shown.take().expect("one code is enough");
            shown.send(code.expose_text().to_owned()).unwrap();
        }
    });

    let phone_radio = Arc::new(air.device("phone"));
    let phone_dialer = Arc::new(service.dialer());
    let (phone_draws, (code_to, code_from)) = (at_phone.clone(), oneshot::channel());
    let phone = tokio::spawn(async move {
        let text: String = scanned.await.unwrap();
        let mut authenticator = Authenticator::new(DOMAIN, phone_radio, phone_dialer);
        authenticator.dangerous_set_rng(Box::new(phone_draws));
        let outcome = authenticator.answer_code(&text, &mut passkeys_of(Owner::Agrees), |_| {}).await;
        let _ = code_to.send(text);
        outcome
    });

    let mut channel = connecting.await.unwrap();
    let made = channel.make_credential(&make_request()).await.unwrap();
    let signed = channel.get_assertion(&get_request()).await.unwrap();
    channel.close().await.unwrap();
    phone.await.unwrap().unwrap();

    let text = code_from.await.unwrap();
    let heard = bystander.next().await.unwrap();
    let mut secrets = of_code(&text, &heard.data);
    secrets.extend(at_laptop.drawn().into_iter().map(|bytes| Secret::new("drawn by the laptop", &bytes)));
    secrets.extend(at_phone.drawn().into_iter().map(|bytes| Secret::new("drawn by the phone", &bytes)));
    secrets.push(Secret::new("the hash of the client data", &CLIENT_DATA_HASH));
    secrets.push(Secret::new("the user handle", &USER));
    secrets.push(Secret::text("the account's name", "account name"));
    secrets.push(Secret::new("the credential ID", &signed.value.credential.unwrap().id));
    secrets.push(Secret::new("the signature", &signed.value.signature));
    secrets.push(Secret::new("the reply of makeCredential", &made.raw[40..]));
    secrets
}

/// What follows from the code and the advert that went with it.
fn of_code(text: &str, service_data: &[u8]) -> Vec<Secret> {
    let code = QrCode::parse(text).unwrap();
    let eid_key = code.secret.eid_key();
    let advert = Advert::from_service_data(service_data).unwrap();
    let plaintext = open(&eid_key, &advert).unwrap();
    let digits = text.strip_prefix("FIDO:/").unwrap();
    vec![
        Secret::text("the code's scheme", "FIDO:/"),
        Secret::text("the code's digits", &digits[..20]),
        Secret::text("the code's last digits", &digits[digits.len() - 20..]),
        Secret::new("the QR secret", code.secret.expose_bytes()),
        Secret::new("the EID key", eid_key.expose_bytes()),
        Secret::new("the tunnel ID", code.secret.tunnel_id().as_bytes()),
        Secret::new("the advert's plaintext", plaintext.expose_bytes()),
        Secret::new("the advert", advert.as_bytes()),
        Secret::new("the PSK", code.secret.psk(&plaintext).expose_bytes()),
    ]
}

#[tokio::test]
async fn a_session_at_trace_logs_no_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let secrets = session().await;

    let log = log.0.lock().unwrap();
    let text = String::from_utf8_lossy(&log);
    // Each of our layers has said something, or the search would prove nothing.
    for target in ["hybridge_client", "hybridge_authenticator", "hybridge_relay", "hybridge_tunnel"] {
        assert!(text.contains(target), "nothing logged by {target}:\n{text}");
    }
    for secret in &secrets {
        assert_eq!(secret.found_in(&log), None, "{} is in the log:\n{text}", secret.name);
    }
    assert!(secrets.len() >= 20);
}

#[test]
fn the_search_finds_what_is_there() {
    let secret = Secret::new("planted", &(100..132).collect::<Vec<u8>>());
    for form in secret.forms() {
        let log = [b"2026-01-01 TRACE something={".as_slice(), form, b"} else"].concat();
        assert!(secret.found_in(&log).is_some(), "{}", String::from_utf8_lossy(form));
    }
    assert_eq!(secret.found_in(b"2026-01-01 TRACE length=32"), None);
    assert!(Secret::text("planted", "FIDO:/").found_in(b"code=FIDO:/123").is_some());
}
