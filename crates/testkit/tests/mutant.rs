//! The mutant phone and this project's own laptop: one that keeps the rules signs in, and each broken rule has its
//! refusal, by the laptop or by whoever reads what it passes on.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use hybridge_ble::{Scan, Scanner, sim::Air};
use hybridge_client::{
    CtapChannel, Error, Hint, Progress, Session, SessionConfig,
    tunnel::{Dialer, MemoryService},
};
use hybridge_proto::{
    advert::{Advert, open},
    cbor::check_canonical,
    domain::DomainId,
    keys::{PrivateKey, QrSecret},
    qr::QrCode,
    service::{ServicePath, ServiceRequest},
};
use hybridge_testkit::mutant::{CborFlaw, MutantError, MutantPasskeys, MutantPhone, Outcome, Rule, Stage};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sha2::{Digest, Sha256};
use tokio::{sync::mpsc, task::JoinHandle};

/// `{1: challenge, 2: {"id": "demo.example"}, 3: {"id": "ada"}, 4: []}`.
const CREATE: &[u8] = b"\x01\xa4\x01\x44chal\x02\xa1\x62id\x6cdemo.example\x03\xa1\x62id\x43ada\x04\x80";
/// `{1: "demo.example", 2: challenge}`.
const GET: &[u8] = b"\x02\xa2\x01\x6cdemo.example\x02\x44chal";

type Phone = JoinHandle<(Result<Outcome, MutantError>, MutantPasskeys)>;

/// A laptop that looks for a phone which breaks this rule.
async fn meet(rule: Option<Rule>, mut passkeys: MutantPasskeys) -> (Result<CtapChannel, Error>, Phone) {
    let (air, service) = (Air::new(1), MemoryService::new());
    let (laptop, dialer) = (Arc::new(air.device("laptop")), Arc::new(service.clone()));
    let mut config = SessionConfig::new(Hint::GetAssertion);
    config.accept_linking = false;
    let session = Session::start(config, laptop, dialer).unwrap();
    let (show, mut screen) = mpsc::unbounded_channel();
    let connecting = session.connect(move |progress| {
        if let Progress::ShowQr { code, .. } = progress {
            let _ = show.send(code.expose_text().to_owned());
        }
    });
    let phone = tokio::spawn(async move {
        let (radio, dialer) = (Arc::new(air.device("phone")), Arc::new(service));
        let mut phone = MutantPhone::new(DomainId::new(266), radio, dialer);
        phone.rule = rule;
        phone.dangerous_set_rng(Box::new(ChaCha20Rng::seed_from_u64(7)));
        let outcome = phone.answer(&screen.recv().await.unwrap(), &mut passkeys).await;
        (outcome, passkeys)
    });
    (connecting.await, phone)
}

/// What a phone replies that the laptop lets in.
async fn replies(rule: Option<Rule>, passkeys: MutantPasskeys, request: &[u8]) -> (Vec<u8>, MutantPasskeys) {
    let (channel, phone) = meet(rule, passkeys).await;
    let mut channel = channel.unwrap();
    let reply = channel.raw(request).await.unwrap();
    channel.close().await.unwrap();
    let (outcome, passkeys) = phone.await.unwrap();
    assert_eq!(outcome.unwrap().stage, Stage::Left);
    (reply, passkeys)
}

/// The value of a byte string that follows this head.
fn behind<'r>(reply: &'r [u8], head: &[u8], length: usize) -> &'r [u8] {
    let start = reply.windows(head.len()).position(|window| window == head).unwrap() + head.len();
    &reply[start..start + length]
}

/// Makes a passkey with a phone that keeps the rules, and gives its public key too.
async fn registered() -> (VerifyingKey, MutantPasskeys) {
    let (made, passkeys) = replies(None, MutantPasskeys::new(), CREATE).await;
    check_canonical(&made[1..]).unwrap();
    let (x, y) = (behind(&made, b"\x21\x58\x20", 32), behind(&made, b"\x22\x58\x20", 32));
    let key = VerifyingKey::from_sec1_bytes(&[&[4], x, y].concat()).unwrap();
    (key, passkeys)
}

/// Whether the signature of an assertion verifies, over the data of a user who was verified for this site.
fn verifies(reply: &[u8], key: &VerifyingKey) -> bool {
    let data = behind(reply, b"\x02\x58\x25", 37);
    let signature = reply.windows(3).position(|head| matches!(head, [0x03, 0x58, 0x44..=0x48])).unwrap() + 3;
    let length = usize::from(reply[signature - 1]);
    let signature = Signature::from_der(&reply[signature..signature + length]);
    data[..32] == Sha256::digest("demo.example")[..]
        && data[32] == 0x05
        && signature.is_ok_and(|signature| key.verify(&[data, b"chal"].concat(), &signature).is_ok())
}

#[tokio::test(start_paused = true)]
async fn one_that_keeps_the_rules_signs_in() {
    let (key, passkeys) = registered().await;
    assert_eq!(passkeys.len(), 1);
    let (reply, _) = replies(None, passkeys, GET).await;
    check_canonical(&reply[1..]).unwrap();
    assert_eq!(reply[0], 0);
    assert!(verifies(&reply, &key));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_advert_is_passed_over() {
    for rule in Rule::all().filter(|rule| rule.is_about_adverts()) {
        let (channel, phone) = meet(Some(rule), MutantPasskeys::new()).await;
        let mut channel = channel.unwrap();
        channel.raw(GET).await.unwrap();
        channel.close().await.unwrap();
        let outcome = phone.await.unwrap().0.unwrap();
        // This laptop has use for an advert with a suffix, whether it asked for one or not.
        assert_eq!(outcome.took_wrong_advert, rule == Rule::AdvertLength, "{rule}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_the_session_ends_it_before_a_request() {
    for rule in [
        Rule::PskSalt,
        Rule::Prologue,
        Rule::HandshakeTag,
        Rule::HandshakeShort,
        Rule::HandshakeLong,
        Rule::HandshakePoint,
        Rule::KeysSwapped,
        Rule::CounterStart,
        Rule::AssociatedData,
        Rule::Padding,
        Rule::GetInfoMissing,
        Rule::GetInfoType,
        Rule::FeatureMissing,
        Rule::FeatureType,
    ]
    .into_iter()
    .chain(CborFlaw::ALL.map(Rule::FirstMessageForm))
    {
        let (channel, phone) = meet(Some(rule), MutantPasskeys::new()).await;
        assert!(channel.is_err(), "{rule}");
        assert_eq!(phone.await.unwrap().0.unwrap().stage, Stage::Joined, "{rule}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rule_of_replies_ends_the_request() {
    for rule in [Rule::NonceOrder, Rule::ReplyUntyped, Rule::ReplyTypeUnknown, Rule::ReplyTypeOther] {
        let (_, passkeys) = registered().await;
        let (channel, _phone) = meet(Some(rule), passkeys).await;
        let reply = channel.unwrap().raw(GET).await;
        assert!(matches!(reply, Err(Error::Protocol(_) | Error::PhoneLeft)), "{rule}: {reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_reply_ends_the_request() {
    let (channel, _phone) = meet(Some(Rule::ReplyEmpty), MutantPasskeys::new()).await;
    assert!(channel.unwrap().raw(GET).await.is_err());
}

/// The laptop passes CBOR on as it is; its form is for the caller to see.
#[tokio::test(start_paused = true)]
async fn cbor_with_a_flaw_is_seen() {
    for flaw in CborFlaw::ALL {
        let (reply, _) = replies(Some(Rule::ReplyForm(flaw)), registered().await.1, GET).await;
        assert!(check_canonical(&reply[1..]).is_err(), "{flaw:?}");
        let (channel, _phone) = meet(Some(Rule::GetInfoForm(flaw)), MutantPasskeys::new()).await;
        // What the laptop itself reads of it has to be readable at least.
        let seen = channel.and_then(|channel| channel.get_info().map(|info| info.raw));
        assert!(seen.is_err() || seen.is_ok_and(|raw| check_canonical(&raw).is_err()), "{flaw:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_relying_party_sees_the_rest() {
    for rule in [Rule::RpIdHash, Rule::Challenge, Rule::Signature, Rule::UserVerification] {
        let (key, passkeys) = registered().await;
        let (reply, _) = replies(Some(rule), passkeys, GET).await;
        assert!(!verifies(&reply, &key), "{rule}");
    }
    let (_, passkeys) = registered().await;
    let (right, passkeys) = replies(None, passkeys, GET).await;
    let (wrong, _) = replies(Some(Rule::CredentialId), passkeys, GET).await;
    assert_ne!(behind(&wrong, b"\x62id\x50", 16), behind(&right, b"\x62id\x50", 16));
}

#[tokio::test(start_paused = true)]
async fn what_it_cannot_do_is_not_offered() {
    for (rule, option) in [(Rule::ResidentKeyMissing, "rk"), (Rule::VerificationMissing, "uv")] {
        let (channel, _phone) = meet(Some(rule), MutantPasskeys::new()).await;
        let info = channel.unwrap().get_info().unwrap();
        let name = [&[0x62], option.as_bytes()].concat();
        assert!(!info.raw.windows(name.len()).any(|window| window == name), "{rule}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_reply_is_one_that_nobody_asked_for() {
    let (channel, _phone) = meet(Some(Rule::ReplyUnsolicited), MutantPasskeys::new()).await;
    let mut channel = channel.unwrap();
    channel.raw(GET).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    assert!(channel.raw(GET).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_excluded_passkey_is_not_made_again() {
    let (_, passkeys) = registered().await;
    let (used, passkeys) = replies(None, passkeys, GET).await;
    let id = behind(&used, b"\x62id\x50", 16);
    let (parameters, again) = (&CREATE[2..], b"\x05\x81\xa1\x62id\x50");
    let request = [&[0x01, 0xa5], parameters, again, id].concat();
    assert_eq!(replies(None, passkeys, &request).await.0, [0x19]);
}

/// A laptop that hangs up instead of joining is no fault of the phone.
#[tokio::test(start_paused = true)]
async fn a_laptop_that_hangs_up_leaves_the_phone_alone() {
    let (air, service) = (Air::new(1), MemoryService::new());
    let laptop = air.device("laptop");
    let code = QrCode::new(*PrivateKey::from_seed(b"laptop").public_key(), QrSecret::from_bytes(&[7; 16]));
    let text = code.to_uri().expose_text().to_owned();
    let phones_service = service.clone();
    let phone = tokio::spawn(async move {
        let radio = Arc::new(air.device("phone"));
        let mut phone = MutantPhone::new(DomainId::new(266), radio, Arc::new(phones_service));
        phone.answer(&text, &mut MutantPasskeys::new()).await
    });
    let heard = laptop.scan().await.unwrap().next().await.unwrap();
    let advert = Advert::from_service_data(&heard.data).unwrap();
    let routing = open(&code.secret.eid_key(), &advert).unwrap().routing_id();
    let tunnel = code.secret.tunnel_id();
    let request = ServiceRequest::new(DomainId::new(266), ServicePath::Connect { routing, tunnel }).unwrap();
    drop(service.dial(&request).await.unwrap());
    assert_eq!(phone.await.unwrap().unwrap().stage, Stage::Alone);
}

#[test]
fn rules_have_names_of_their_own() {
    let names: std::collections::BTreeSet<_> = Rule::all().map(|rule| rule.to_string()).collect();
    assert_eq!(names.len(), Rule::all().count());
    assert!(names.contains("reply-long-form"));
}
