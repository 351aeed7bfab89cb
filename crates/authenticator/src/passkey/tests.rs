use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use ciborium::Value;
use hybridge_proto::cbor::{canonicalize, check_canonical};
use passkey_authenticator::{UiHint, UserCheck};
use passkey_crypto::iana::Algorithm;
use passkey_types::{
    Passkey,
    ctap2::{Aaguid, Ctap2Error, get_assertion, make_credential},
    webauthn::{
        PublicKeyCredentialDescriptor, PublicKeyCredentialParameters, PublicKeyCredentialType,
        PublicKeyCredentialUserEntity,
    },
};
use proptest::prelude::*;

use super::*;

mod attestation;

const RP_ID: &str = "demo.example";

/// A user who gives the same answer each time and counts the questions.
struct User {
    consents: bool,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl UserValidationMethod for User {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _hint: UiHint<'a, Passkey>,
        _presence: bool,
        _verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(UserCheck { presence: self.consents, verification: self.consents })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

type Service = PasskeyService<InMemoryPasskeys, User>;

fn service(consents: bool) -> (Service, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let user = ExclusionGuard::new(User { consents, asked: asked.clone() });
    let store = InMemoryPasskeys::new();
    let authenticator = Authenticator::new(Aaguid::new_empty(), store, user, AvailableBackend);
    (PasskeyService::new(authenticator), asked)
}

fn creation() -> make_credential::Request {
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

fn assertion(allow_list: Option<Vec<PublicKeyCredentialDescriptor>>) -> get_assertion::Request {
    get_assertion::Request {
        rp_id: RP_ID.into(),
        client_data_hash: vec![0xA5; 32].into(),
        allow_list,
        extensions: None,
        options: get_assertion::Options { up: true, uv: true },
        pin_auth: None,
        pin_protocol: None,
    }
}

fn credential(id: &[u8]) -> PublicKeyCredentialDescriptor {
    PublicKeyCredentialDescriptor {
        ty: PublicKeyCredentialType::PublicKey,
        id: id.to_vec().into(),
        transports: None,
    }
}

fn bytes(command: u8, parameters: &impl serde::Serialize) -> Vec<u8> {
    let mut cbor = Vec::new();
    ciborium::into_writer(parameters, &mut cbor).unwrap();
    let mut request = vec![command];
    request.extend(canonicalize(&cbor).unwrap());
    request
}

/// The request with one member put in, taken out (`None`) or replaced.
fn altered(request: &[u8], key: u16, member: Option<Value>) -> Vec<u8> {
    let Value::Map(mut members) = decoded(&request[1..]) else { panic!("a request is a map") };
    members.retain(|(found, _)| *found != Value::from(key));
    members.extend(member.map(|member| (Value::from(key), member)));
    bytes(request[0], &Value::Map(members))
}

fn decoded(cbor: &[u8]) -> Value {
    check_canonical(cbor).unwrap();
    ciborium::from_reader(cbor).unwrap()
}

/// The map of a successful reply.
fn granted(reply: &[u8]) -> Value {
    assert_eq!(reply[0], 0x00, "status {:#04x}", reply[0]);
    decoded(&reply[1..])
}

fn member(map: &Value, key: impl Into<Value>) -> Option<&Value> {
    let key = key.into();
    map.as_map().unwrap().iter().find_map(|(found, value)| (*found == key).then_some(value))
}

fn member_bytes(map: &Value, key: impl Into<Value>) -> &[u8] {
    member(map, key).unwrap().as_bytes().unwrap()
}

#[tokio::test]
async fn info_is_what_a_client_expects_of_a_phone() {
    let (mut service, _) = service(true);
    let cbor = service.get_info().await;
    let info = decoded(&cbor);
    let texts = |values: [&str; 2]| Value::Array(values.map(Value::from).to_vec());
    assert_eq!(member(&info, 1), Some(&texts(["FIDO_2_0", "FIDO_2_1"])));
    assert_eq!(member(&info, 9), Some(&texts(["internal", "hybrid"])));
    assert_eq!(member_bytes(&info, 3), [0; 16]);
    let options = member(&info, 4).unwrap();
    assert_eq!(member(options, "rk"), Some(&Value::Bool(true)));
    assert_eq!(member(options, "uv"), Some(&Value::Bool(true)));
    assert_eq!(member(options, "clientPin"), None);
    assert_eq!(granted(&service.call(&[0x04]).await), info);
}

#[tokio::test]
async fn a_passkey_is_made_and_used() {
    let (mut service, asked) = service(true);
    let made = granted(&service.call(&bytes(0x01, &creation())).await);
    assert_eq!(member(&made, 1), Some(&Value::from("none")));
    assert_eq!(member(&made, 3), Some(&Value::Map(Vec::new())));
    let auth_data = member_bytes(&made, 2);
    let (up, uv, attested) = (0x01, 0x04, 0x40);
    assert_eq!(auth_data[32] & (up | uv | attested), up | uv | attested);
    let id_len = usize::from(u16::from_be_bytes([auth_data[53], auth_data[54]]));
    let (id, public_key) = auth_data[55..].split_at(id_len);
    check_canonical(public_key).unwrap();

    for allow_list in [None, Some(vec![credential(b"another one"), credential(id)])] {
        let given = granted(&service.call(&bytes(0x02, &assertion(allow_list))).await);
        assert_eq!(member_bytes(member(&given, 1).unwrap(), "id"), id);
        let signed_data = member_bytes(&given, 2);
        assert_eq!(signed_data[..32], auth_data[..32], "hash of the relying party's ID");
        assert_eq!(signed_data[32] & (up | uv | attested), up | uv);
        assert_eq!(member_bytes(member(&given, 4).unwrap(), "id"), b"user handle");
        assert!(!member_bytes(&given, 3).is_empty());
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn an_excluded_credential_is_not_made_again() {
    let (mut service, asked) = service(true);
    let made = granted(&service.call(&bytes(0x01, &creation())).await);
    let auth_data = member_bytes(&made, 2);
    let id = &auth_data[55..71];

    let excluding = |id| make_credential::Request { exclude_list: Some(vec![credential(id)]), ..creation() };
    assert_eq!(service.call(&bytes(0x01, &excluding(id))).await, [0x19]);
    assert_eq!(asked.load(Ordering::Relaxed), 2, "the user is told first");
    let kept = service.authenticator().store().find_credentials(None, RP_ID, None).await.unwrap();
    assert_eq!(*kept[0].credential_id, *id);

    granted(&service.call(&bytes(0x01, &excluding(b"of another phone"))).await);
    assert_eq!(service.authenticator().store().len(), 1, "one passkey for each user of a relying party");
}

#[tokio::test]
async fn an_unwilling_user_is_obeyed() {
    let (mut service, _) = service(false);
    assert_eq!(service.call(&bytes(0x01, &creation())).await, [0x27]);
    assert!(service.authenticator().store().is_empty());
    // Whether there is a passkey is nobody's business before the user consents.
    assert_eq!(service.call(&bytes(0x02, &assertion(None))).await, [0x27]);
}

#[tokio::test]
async fn bad_requests_get_the_right_status() {
    let (mut service, _) = service(true);
    let create = bytes(0x01, &creation());
    let get = bytes(0x02, &assertion(None));
    granted(&service.call(&create).await);
    let unknown_type =
        || Value::Array(vec![Value::Map(vec![(Value::from("type"), Value::from("password"))])]);
    let up_false = || Value::Map(vec![(Value::from("up"), Value::Bool(false))]);
    let elsewhere = get_assertion::Request { rp_id: "other.example".into(), ..assertion(None) };
    for (what, request, status) in [
        ("nothing", vec![], 0x03),
        ("reset", vec![0x07], 0x01),
        ("client PIN", vec![0x06, 0xA0], 0x01),
        ("next assertion", vec![0x08], 0x01),
        ("no parameters", vec![0x01], 0x12),
        ("truncated", create[..create.len() - 1].to_vec(), 0x12),
        ("trailing byte", [&get[..], &[0]].concat(), 0x12),
        ("key twice", vec![0x02, 0xA2, 0x01, 0x61, 0x61, 0x01, 0x61, 0x61], 0x12),
        ("keys out of order", vec![0x02, 0xA2, 0x02, 0x61, 0x61, 0x01, 0x61, 0x61], 0x12),
        ("not a map", vec![0x02, 0x80], 0x11),
        ("no relying party", altered(&get, 1, None), 0x14),
        ("no hash", altered(&get, 2, None), 0x14),
        ("no algorithms", altered(&create, 4, None), 0x14),
        ("number for a relying party", altered(&get, 1, Some(Value::from(7))), 0x11),
        ("text for an allow list", altered(&get, 3, Some(Value::from("all"))), 0x11),
        ("text for an exclude list", altered(&create, 5, Some(Value::from("all"))), 0x11),
        ("allow list of unknown things", altered(&get, 3, Some(unknown_type())), 0x2E),
        ("silent assertion", altered(&get, 5, Some(up_false())), 0x2B),
        ("silent creation", altered(&create, 7, Some(up_false())), 0x2C),
        ("no known algorithm", altered(&create, 4, Some(Value::Array(Vec::new()))), 0x26),
        ("unknown relying party", bytes(0x02, &elsewhere), 0x2E),
        ("unknown credential", bytes(0x02, &assertion(Some(vec![credential(b"?")]))), 0x2E),
        ("client PIN parameter", altered(&get, 6, Some(Value::Bytes(vec![0; 16]))), 0x33),
    ] {
        assert_eq!(service.call(&request).await, [status], "{what}");
    }
}

#[tokio::test]
async fn what_ctap_lets_a_client_send_is_accepted() {
    let (mut service, _) = service(true);
    let create = bytes(0x01, &creation());
    let nameless = Value::Map(vec![(Value::from("id"), Value::Bytes(b"handle".to_vec()))]);
    let algorithm = |alg: i32| {
        Value::Map(vec![
            (Value::from("alg"), Value::from(alg)),
            (Value::from("type"), Value::from("public-key")),
        ])
    };
    for (what, request) in [
        ("user without names", altered(&create, 3, Some(nameless))),
        ("unknown member", altered(&create, 0x0B, Some(Value::from("?")))),
        ("unknown member beyond a byte", altered(&create, 999, Some(Value::Bool(true)))),
        (
            "unknown algorithm first",
            altered(&create, 4, Some(Value::Array(vec![algorithm(-60000), algorithm(-7)]))),
        ),
        ("no options", altered(&create, 7, None)),
    ] {
        let reply = service.call(&request).await;
        assert_eq!(reply[0], 0x00, "{what}: status {:#04x}", reply[0]);
    }
}

#[tokio::test]
async fn a_borrowed_service_serves() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    async fn ask(mut service: impl CtapService) -> Vec<u8> {
        assert_send(service.call(&[0x04])).await
    }
    let (mut service, _) = service(true);
    assert_eq!(ask(&mut service).await, ask(&mut service).await);
}

/// Whatever comes in, one well-formed reply goes out.
fn assert_well_answered(request: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let reply = runtime.block_on(async { service(true).0.call(request).await });
    match reply.split_first() {
        Some((0x00, cbor)) => check_canonical(cbor).unwrap(),
        Some((_, rest)) => assert!(rest.is_empty()),
        None => panic!("an empty reply"),
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_answered(command in 0_u8..10, cbor: Vec<u8>) {
        assert_well_answered(&[&[command][..], &cbor].concat());
    }

    #[test]
    fn damaged_requests_are_answered(
        create: bool,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut request = if create { bytes(0x01, &creation()) } else { bytes(0x02, &assertion(None)) };
        for (index, byte) in damage {
            let index = index.index(request.len());
            request[index] = byte;
        }
        assert_well_answered(&request);
    }

    #[test]
    fn members_of_any_type_are_answered(create: bool, key in 1_u16..12, value in any_value()) {
        let request = if create { bytes(0x01, &creation()) } else { bytes(0x02, &assertion(None)) };
        assert_well_answered(&altered(&request, key, Some(value)));
    }
}

/// CBOR values as CTAP knows them, three levels deep, with the member names that mean something.
fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("id"),
        Just("type"),
        Just("name"),
        Just("alg"),
        Just("public-key"),
        Just("rk"),
        Just("uv"),
        Just("up"),
        Just("prf"),
        Just("eval"),
        Just("first"),
        Just("hmac-secret"),
        Just("transports"),
    ];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<Vec<u8>>().prop_map(Value::Bytes),
        text.clone().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let entries = prop::collection::btree_map(text.clone(), inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::Array),
            entries.prop_map(|map| Value::Map(map.into_iter().map(|(k, v)| (Value::from(k), v)).collect())),
        ]
    })
}
