//! What a phone is asked.

use hybridge_proto::cbor::check_canonical;

use super::*;

/// The command byte, and the parameters as a tree.
fn parsed(command: &[u8]) -> (u8, Value) {
    let (byte, parameters) = command.split_first().unwrap();
    check_canonical(parameters).unwrap();
    (*byte, ciborium::from_reader(parameters).unwrap())
}

fn id(bytes: &[u8]) -> Value {
    cbor!({ "id" => Value::Bytes(bytes.to_vec()), "type" => "public-key" }).unwrap()
}

#[test]
fn the_least_request_holds_nothing_optional() {
    let asked = creation(&json!({}));
    let hash = asked.client_data_hash().to_vec();
    let request = asked.for_phone(&phone(&[], &[])).unwrap();
    let expected = cbor!({
        1 => Value::Bytes(hash),
        2 => { "id" => "demo.example", "name" => "Demo" },
        3 => { "id" => Value::Bytes(vec![1, 2, 3]), "name" => "ada", "displayName" => "Ada L." },
        4 => [{ "alg" => -7, "type" => "public-key" }],
    });
    assert_eq!(parsed(request.command()), (1, expected.unwrap()));

    let asked = assertion(&json!({}));
    let hash = asked.client_data_hash().to_vec();
    let request = asked.for_phone(&phone(&[], &[])).unwrap();
    let expected = cbor!({ 1 => "demo.example", 2 => Value::Bytes(hash) });
    assert_eq!(parsed(request.command()), (2, expected.unwrap()));
}

#[test]
fn lists_and_options_are_passed_on() {
    let list = json!([
        {"type": "public-key", "id": "AQ", "transports": ["usb"]},
        {"type": "other", "id": "Ag"},
        {"type": "public-key", "id": "Aw"},
    ]);
    let asked = creation(&json!({
        "excludeCredentials": list,
        "authenticatorSelection": {"residentKey": "preferred", "userVerification": "required"},
        "pubKeyCredParams": [
            {"type": "public-key", "alg": -257},
            {"type": "public-key", "alg": -7},
            {"type": "public-key", "alg": -70_000},
        ],
    }));
    let (_, Value::Map(members)) = parsed(asked.for_phone(&able_phone()).unwrap().command()) else {
        panic!()
    };
    let ids = Value::Array(vec![id(&[1]), id(&[3])]);
    let algorithms = cbor!([
        { "alg" => -257, "type" => "public-key" },
        { "alg" => -7, "type" => "public-key" },
        { "alg" => -70_000, "type" => "public-key" },
    ]);
    assert_eq!(members[3], (4.into(), algorithms.unwrap()));
    assert_eq!(members[4], (5.into(), ids.clone()));
    assert_eq!(members[5], (7.into(), cbor!({ "rk" => true, "uv" => true }).unwrap()));

    let asked = assertion(&json!({"allowCredentials": list, "userVerification": "required"}));
    let (_, Value::Map(members)) = parsed(asked.for_phone(&able_phone()).unwrap().command()) else {
        panic!()
    };
    assert_eq!(members[2], (3.into(), ids));
    assert_eq!(members[3], (5.into(), cbor!({ "uv" => true }).unwrap()));
}

/// What is asked of a phone that can do this, for a wish in these words.
fn settled(wish: &str, can: bool) -> Result<(bool, bool), PhoneError> {
    let phone = phone(&[("rk", can), ("uv", can)], &[]);
    let asked = creation(&json!({"authenticatorSelection": {"residentKey": wish, "userVerification": wish}}));
    let command = asked.for_phone(&phone)?.command().to_vec();
    let has = |name: &[u8]| command.windows(4).any(|found| found == [b"\x62", name, b"\xf5"].concat());
    Ok((has(b"rk"), has(b"uv")))
}

#[test]
fn wishes_meet_what_the_phone_can_do() {
    assert_eq!(settled("required", true), Ok((true, true)));
    assert_eq!(settled("required", false), Err(PhoneError::NotDiscoverable));
    assert_eq!(settled("preferred", true), Ok((true, true)));
    assert_eq!(settled("preferred", false), Ok((false, false)));
    assert_eq!(settled("discouraged", true), Ok((false, false)));
    // An unknown word counts as absent: a passkey of any kind, verification preferred.
    assert_eq!(settled("whatever", true), Ok((false, true)));

    let old = json!({"authenticatorSelection": {"requireResidentKey": true}});
    assert_eq!(creation(&old).for_phone(&phone(&[], &[])).unwrap_err(), PhoneError::NotDiscoverable);
    let strict = json!({"userVerification": "required"});
    let error = assertion(&strict).for_phone(&phone(&[("uv", false)], &[])).unwrap_err();
    assert_eq!(error, PhoneError::NoVerification);
}

#[test]
fn a_description_is_canonical_and_a_map() {
    for (description, canonical) in [
        (&[][..], false),
        (&[0xa0, 0], false),
        (&[0xa2, 3, 0, 1, 0], false),
        (&[0x80], true),
        (&[0x00], true),
    ] {
        let error = assertion(&json!({})).for_phone(description).unwrap_err();
        assert_eq!(matches!(error, PhoneError::NotCanonical(_)), !canonical, "{error}");
        assert_eq!(error == PhoneError::Malformed("description"), canonical, "{error}");
    }
    assert!(assertion(&json!({})).for_phone(&[0xa0]).is_ok(), "nothing is promised, nothing is needed");
    // Members of another type than they should have promise nothing.
    let odd = encoded(&cbor!({ 4 => ["uv"], 9 => { "usb" => true } }).unwrap());
    assert!(assertion(&json!({})).for_phone(&odd).is_ok());
}
