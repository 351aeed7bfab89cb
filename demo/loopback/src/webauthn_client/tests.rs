use ciborium::{Value, cbor};
use webauthn_rs_proto::{AllowCredentials, PublicKeyCredentialRequestOptions, UserVerificationPolicy};

use super::*;

fn browser(origin: &str) -> WebauthnClient {
    WebauthnClient::new(Url::parse(origin).unwrap())
}

fn options(rp_id: &str, allowed: &[&[u8]]) -> RequestChallengeResponse {
    let allow_credentials = allowed
        .iter()
        .map(|id| AllowCredentials { type_: "public-key".into(), id: id.to_vec(), transports: None })
        .collect();
    RequestChallengeResponse {
        public_key: PublicKeyCredentialRequestOptions {
            challenge: b"challenge".to_vec(),
            timeout: None,
            rp_id: rp_id.into(),
            allow_credentials,
            user_verification: UserVerificationPolicy::Required,
            hints: None,
            extensions: None,
        },
        mediation: None,
    }
}

fn reply(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_page_speaks_for_its_own_domain_only() {
    for (origin, rp_id, allowed) in [
        ("https://demo.example", "demo.example", true),
        ("https://www.demo.example", "demo.example", true),
        ("https://demo.example:8443", "demo.example", true),
        ("https://demo.example", "www.demo.example", false),
        ("https://notdemo.example", "demo.example", false),
        ("https://demo.example", "", false),
        ("https://demo.example", "bank.example", false),
        ("http://demo.example", "demo.example", false),
        ("https://192.0.2.1", "192.0.2.1", false),
    ] {
        let result = browser(origin).get(&options(rp_id, &[]));
        assert_eq!(result.is_ok(), allowed, "{origin} for {rp_id}");
    }
}

#[test]
fn the_phone_signs_the_hash_of_the_client_data() {
    let assertion = browser("https://demo.example:8443").get(&options("demo.example", &[])).unwrap();
    let expected = r#"{"type":"webauthn.get","challenge":"Y2hhbGxlbmdl","origin":"https://demo.example:8443","crossOrigin":false}"#;
    assert_eq!(assertion.client_data, expected.as_bytes());
    assert_eq!(*assertion.request().client_data_hash, Sha256::digest(expected)[..]);
    assert_eq!(assertion.request().allow_list, None, "an empty list is left out");
}

#[test]
fn the_phone_may_leave_out_the_only_credential_allowed() {
    let auth_data = Value::Bytes(vec![7; 37]);
    let unnamed = reply(&cbor!({ 2 => auth_data.clone(), 3 => Value::Bytes(vec![8; 70]) }).unwrap());
    let page = browser("https://demo.example");

    let one = page.get(&options("demo.example", &[b"one"])).unwrap().finish(&unnamed).unwrap();
    assert_eq!((one.raw_id.as_slice(), one.id.as_str()), (&b"one"[..], "b25l"));
    assert_eq!(one.response.authenticator_data, [7; 37]);
    assert_eq!(one.response.signature, [8; 70]);

    for allowed in [vec![], vec![&b"one"[..], b"two"]] {
        let result = page.get(&options("demo.example", &allowed)).unwrap().finish(&unnamed);
        assert!(matches!(result, Err(ClientError::Malformed("credential ID"))));
    }
}

#[test]
fn bad_replies_are_told_apart() {
    let finish = |reply: &[u8]| {
        browser("https://demo.example").get(&options("demo.example", &[])).unwrap().finish(reply).unwrap_err()
    };
    assert!(matches!(finish(&[]), ClientError::NotCanonical(_)));
    assert!(matches!(finish(&[0xA0, 0x00]), ClientError::NotCanonical(_)));
    let unsorted = cbor!({ 3 => 0, 2 => 0, 1 => 0 }).unwrap();
    assert!(matches!(finish(&reply(&unsorted)), ClientError::NotCanonical(_)));

    let (id, bytes) = (cbor!({ "id" => Value::Bytes(vec![1]) }).unwrap(), Value::Bytes(vec![1]));
    let without = |key: u8| {
        let members = [(1, &id), (2, &bytes), (3, &bytes)].into_iter().filter(|(found, _)| *found != key);
        finish(&reply(&Value::Map(members.map(|(key, value)| (Value::from(key), value.clone())).collect())))
    };
    assert!(matches!(without(1), ClientError::Malformed("credential ID")));
    assert!(matches!(without(2), ClientError::Malformed("authenticator data")));
    assert!(matches!(without(3), ClientError::Malformed("signature")));
    assert!(matches!(finish(&[0x80]), ClientError::Malformed(_)), "not a map");
}
