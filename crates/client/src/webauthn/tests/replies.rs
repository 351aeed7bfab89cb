//! What a phone answers, and what the website gets of it.

use super::*;

/// A reply that makes a passkey with this key.
struct Made {
    format: &'static str,
    statement: Value,
    aaguid: [u8; 16],
    key: Value,
    rp_id: &'static str,
    flags: u8,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            format: "packed",
            statement: cbor!({ "alg" => -7, "sig" => Value::Bytes(vec![9; 70]) }).unwrap(),
            aaguid: [3; 16],
            key: p256(),
            rp_id: "demo.example",
            flags: 0x45,
        }
    }
}

fn p256() -> Value {
    let (x, y) = (Value::Bytes(vec![4; 32]), Value::Bytes(vec![5; 32]));
    cbor!({ 1 => 2, 3 => -7, -1 => 1, -2 => x, -3 => y }).unwrap()
}

impl Made {
    fn data(&self) -> Vec<u8> {
        let attested = [&self.aaguid[..], &[0, 2, 0xca, 0xfe], &encoded(&self.key)].concat();
        authenticator_data(self.rp_id, self.flags, &attested)
    }

    fn reply(&self) -> Vec<u8> {
        let data = Value::Bytes(self.data());
        // A member that no library knows is no obstacle.
        let reply = cbor!({ 1 => self.format, 2 => data, 3 => self.statement, 99 => [1] });
        encoded(&reply.unwrap())
    }

    fn finish(&self, options: &Json) -> Result<Json, PhoneError> {
        let response = creation(options).for_phone(&able_phone()).unwrap().finish(&self.reply())?;
        assert_eq!(response.credential_id(), [0xca, 0xfe]);
        Ok(serde_json::to_value(response).unwrap())
    }
}

fn bytes(json: &Json) -> Vec<u8> {
    data_encoding::BASE64URL_NOPAD.decode(json.as_str().unwrap().as_bytes()).unwrap()
}

/// Format and statement in the attestation object.
fn attestation(response: &Json) -> (Value, Value, Value) {
    let object = bytes(&response["response"]["attestationObject"]);
    hybridge_proto::cbor::check_canonical(&object).unwrap();
    let Value::Map(members) = ciborium::from_reader(object.as_slice()).unwrap() else { panic!() };
    let [(_, format), (_, statement), (_, data)] = members.try_into().unwrap();
    (format, statement, data)
}

#[test]
fn a_registration_has_all_members() {
    let made = Made::default();
    let response = made.finish(&json!({"attestation": "direct"})).unwrap();
    let client_data = r#"{"type":"webauthn.create","challenge":"Y2hhbGxlbmdl","origin":"https://demo.example","crossOrigin":false}"#;
    let object = response["response"]["attestationObject"].clone();
    let key = response["response"]["publicKey"].clone();
    assert_eq!(
        response,
        json!({
            "id": "yv4",
            "rawId": "yv4",
            "type": "public-key",
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": base64::encode(client_data.as_bytes()),
                "authenticatorData": base64::encode(&made.data()),
                "transports": ["hybrid", "internal"],
                "publicKey": key,
                "publicKeyAlgorithm": -7,
                "attestationObject": object,
            },
        })
    );
    assert_eq!(attestation(&response), ("packed".into(), made.statement.clone(), Value::Bytes(made.data())));
}

#[test]
fn a_statement_nobody_asked_for_is_left_out() {
    let empty = cbor!({}).unwrap();
    let made = Made::default();
    for options in [json!({}), json!({"attestation": "none"}), json!({"attestation": "whatever"})] {
        let (format, statement, data) = attestation(&made.finish(&options).unwrap());
        assert_eq!((format, statement), ("none".into(), empty.clone()));
        assert_eq!(data, Value::Bytes(made.data()), "the model's number stays, as for phones in browsers");
    }
    for asked in ["direct", "indirect", "enterprise"] {
        let response = made.finish(&json!({"attestation": asked})).unwrap();
        assert_eq!(attestation(&response).0, "packed".into());
    }
    // By the passkey itself, of a phone that names no model: there is nothing to hide.
    let anonymous = Made { aaguid: [0; 16], ..Made::default() };
    assert_eq!(attestation(&anonymous.finish(&json!({})).unwrap()).0, "packed".into());
    let certified = cbor!({ "alg" => -7, "sig" => Value::Bytes(vec![9]), "x5c" => [] }).unwrap();
    let certified = Made { aaguid: [0; 16], statement: certified, ..Made::default() };
    assert_eq!(attestation(&certified.finish(&json!({})).unwrap()).0, "none".into());
}

#[test]
fn properties_are_told_if_asked_for() {
    let with = |kind: &str, properties: Json| {
        let options = json!({
            "authenticatorSelection": {"residentKey": kind}, "extensions": {"credProps": properties},
        });
        Made::default().finish(&options).unwrap()["clientExtensionResults"].clone()
    };
    assert_eq!(with("required", json!(true)), json!({"credProps": {"rk": true}}));
    assert_eq!(with("discouraged", json!(true)), json!({"credProps": {"rk": false}}));
    assert_eq!(with("required", json!(false)), json!({}));
    assert_eq!(with("required", json!("yes")), json!({}));
}

#[test]
fn keys_are_written_in_der() {
    let key_of = |key: Value| {
        let response = Made { key, ..Made::default() }.finish(&json!({})).unwrap();
        let response = &response["response"];
        (response["publicKeyAlgorithm"].as_i64().unwrap(), response.get("publicKey").map(bytes))
    };
    // Made with OpenSSL's numbers in mind: SEQUENCE { SEQUENCE { ecPublicKey, prime256v1 }, BIT STRING }.
    let header = hex::decode("3059301306072a8648ce3d020106082a8648ce3d03010703420004").unwrap();
    assert_eq!(key_of(p256()), (-7, Some([&header[..], &[4; 32], &[5; 32]].concat())));

    let ed25519 = cbor!({ 1 => 1, 3 => -8, -1 => 6, -2 => Value::Bytes(vec![7; 32]) }).unwrap();
    let header = hex::decode("302a300506032b6570032100").unwrap();
    assert_eq!(key_of(ed25519), (-8, Some([&header[..], &[7; 32]].concat())));

    let modulus = [&[0x80][..], &[1; 255]].concat();
    let (n, e) = (Value::Bytes(modulus.clone()), Value::Bytes(vec![1, 0, 1]));
    let header = hex::decode("30820122300d06092a864886f70d01010105000382010f003082010a0282010100").unwrap();
    let expected = [&header[..], &modulus, &[2, 3, 1, 0, 1]].concat();
    assert_eq!(key_of(cbor!({ 1 => 3, 3 => -257, -1 => n, -2 => e }).unwrap()), (-257, Some(expected)));

    // Unknown algorithms, and keys that do not fit theirs, are the website's to read.
    assert_eq!(key_of(cbor!({ 1 => 7, 3 => -48, -1 => Value::Bytes(vec![1]) }).unwrap()), (-48, None));
    assert_eq!(key_of(cbor!({ 1 => 2, 3 => -7, -1 => 2 }).unwrap()), (-7, None));
}

#[test]
fn a_registration_without_its_parts_is_refused() {
    let whole = Made::default();
    let parts = [
        (1, Value::from("none"), "attestation format"),
        (2, Value::Bytes(whole.data()), "authenticator data"),
        (3, cbor!({}).unwrap(), "attestation statement"),
    ];
    for (missing, _, name) in &parts {
        let rest = parts.iter().filter(|(key, ..)| key != missing);
        let reply = Value::Map(rest.map(|(key, value, _)| ((*key).into(), value.clone())).collect());
        let request = creation(&json!({})).for_phone(&able_phone()).unwrap();
        assert_eq!(request.finish(&encoded(&reply)), Err(PhoneError::Malformed(name)));
    }
    let no_passkey = Made { flags: 0x05, ..Made::default() };
    assert_eq!(no_passkey.finish(&json!({})), Err(PhoneError::Malformed("new passkey")));
    let no_algorithm = Made { key: cbor!({ 1 => 2 }).unwrap(), ..Made::default() };
    assert_eq!(no_algorithm.finish(&json!({})), Err(PhoneError::Malformed("new passkey")));
    let elsewhere = Made { rp_id: "bank.example", ..Made::default() };
    assert_eq!(elsewhere.finish(&json!({})), Err(PhoneError::ForeignReply));
}

/// A reply that signs, with these members only.
fn signed(members: &[(u8, Value)]) -> Vec<u8> {
    encoded(&Value::Map(members.iter().map(|(key, value)| ((*key).into(), value.clone())).collect()))
}

fn credential(id: &[u8]) -> (u8, Value) {
    (1, cbor!({ "id" => Value::Bytes(id.to_vec()), "type" => "public-key" }).unwrap())
}

fn data() -> (u8, Value) {
    (2, Value::Bytes(authenticator_data("demo.example", 5, &[])))
}

fn signature() -> (u8, Value) {
    (3, Value::Bytes(vec![8; 70]))
}

fn user() -> (u8, Value) {
    (4, cbor!({ "id" => Value::Bytes(vec![6; 16]) }).unwrap())
}

fn answer(allowed: &[&str], reply: &[u8]) -> Result<Json, PhoneError> {
    let allowed: Vec<_> = allowed.iter().map(|id| json!({"type": "public-key", "id": id})).collect();
    let request = assertion(&json!({"allowCredentials": allowed})).for_phone(&able_phone()).unwrap();
    Ok(serde_json::to_value(request.finish(reply)?).unwrap())
}

#[test]
fn a_signature_has_all_members() {
    let whole = [credential(&[0xca, 0xfe]), data(), signature(), user(), (5, 1.into())];
    let client_data = r#"{"type":"webauthn.get","challenge":"Y2hhbGxlbmdl","origin":"https://demo.example","crossOrigin":false}"#;
    let mut expected = json!({
        "id": "yv4",
        "rawId": "yv4",
        "type": "public-key",
        "authenticatorAttachment": "cross-platform",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": base64::encode(client_data.as_bytes()),
            "authenticatorData": base64::encode(&authenticator_data("demo.example", 5, &[])),
            "signature": base64::encode(&[8; 70]),
            "userHandle": base64::encode(&[6; 16]),
        },
    });
    assert_eq!(answer(&[], &signed(&whole)).unwrap(), expected);
    expected["response"].as_object_mut().unwrap().remove("userHandle");
    assert_eq!(answer(&["yv4"], &signed(&whole[..3])).unwrap(), expected);
}

#[test]
fn the_phone_may_leave_out_the_only_credential_allowed() {
    let unnamed = signed(&[data(), signature()]);
    assert_eq!(answer(&["b25l"], &unnamed).unwrap()["id"], "b25l");
    for allowed in [&[][..], &["b25l", "dHdv"]] {
        assert_eq!(answer(allowed, &unnamed), Err(PhoneError::Malformed("credential ID")));
    }
}

#[test]
fn a_signature_that_was_not_asked_for_is_refused() {
    let reply = signed(&[credential(b"two"), data(), signature()]);
    assert!(answer(&["b25l", "dHdv"], &reply).is_ok());
    assert_eq!(answer(&["b25l"], &reply), Err(PhoneError::UnlistedCredential));
    let elsewhere = (2, Value::Bytes(authenticator_data("bank.example", 5, &[])));
    let reply = signed(&[credential(b"one"), elsewhere, signature()]);
    assert_eq!(answer(&[], &reply), Err(PhoneError::ForeignReply));
}

#[test]
fn a_signature_without_its_parts_is_refused() {
    assert_eq!(
        answer(&[], &signed(&[credential(b"one"), signature()])),
        Err(PhoneError::Malformed("authenticator data"))
    );
    assert_eq!(answer(&[], &signed(&[credential(b"one"), data()])), Err(PhoneError::Malformed("signature")));
    let short = (2, Value::Bytes(vec![7; 36]));
    assert_eq!(
        answer(&[], &signed(&[credential(b"one"), short, signature()])),
        Err(PhoneError::Malformed("authenticator data"))
    );
    for broken in [&[][..], &[0xa0, 0x00], &[0xa2, 3, 0, 2, 0], &[0xbf, 0xff]] {
        assert!(matches!(answer(&[], broken), Err(PhoneError::NotCanonical(_))));
    }
    assert_eq!(answer(&[], &[0x80]), Err(PhoneError::Malformed("credential ID")));
}
