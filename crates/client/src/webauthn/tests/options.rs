//! Options as servers write them, and as they should not.

use std::time::Duration;

use super::*;

#[test]
fn what_servers_write_is_read() {
    // All members of Level 3, words of later levels, and `null` for what is not set.
    let full = br#"{
        "rp": {"id": "demo.example", "name": "Demo", "icon": "https://demo.example/icon.png"},
        "user": {"id": "AQID", "name": "ada", "displayName": ""},
        "challenge": "Y2hhbGxlbmdl",
        "pubKeyCredParams": [
            {"type": "public-key", "alg": -8},
            {"type": "post-quantum", "alg": 5},
            {"type": "public-key", "alg": -48}
        ],
        "timeout": 60000,
        "excludeCredentials": [{"type": "public-key", "id": "BAUG", "transports": ["internal", "telepathy"]}],
        "authenticatorSelection": {
            "authenticatorAttachment": "cross-platform",
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required"
        },
        "hints": ["hybrid", "crystal-ball"],
        "attestation": "direct",
        "attestationFormats": ["packed"],
        "extensions": {"credProps": true, "largeBlob": {"support": "preferred"}, "unheardOf": [1]},
        "unheardOf": {"nested": [null]}
    }"#;
    let options = CreationOptions::from_json(full).unwrap();
    assert_eq!(options.algorithms().unwrap(), [-8, -48], "only the known type, any number, in order");
    assert_eq!(options.excluded().collect::<Vec<_>>(), [[4, 5, 6]]);
    assert!(options.wants_attestation() && options.wants_properties());

    let sparse = creation_options(&json!({
        "timeout": null, "excludeCredentials": null, "authenticatorSelection": null, "hints": null,
        "attestation": null, "extensions": null,
    }));
    let options = CreationOptions::from_json(&sparse).unwrap();
    assert_eq!(options.excluded().count(), 0);
    assert!(!options.wants_attestation() && !options.wants_properties());
}

#[test]
fn an_envelope_is_opened() {
    let inner: Json = serde_json::from_slice(&request_options(&json!({}))).unwrap();
    let wrapped = json!({"publicKey": inner, "mediation": "optional"});
    let options = RequestOptions::from_json(&serde_json::to_vec(&wrapped).unwrap()).unwrap();
    assert_eq!(options.rp_id.as_deref(), Some("demo.example"));
    // The place of an error is the one in the whole text.
    let error = RequestOptions::from_json(b"{\n \"publicKey\": {\n  \"challenge\": 5}}").unwrap_err();
    assert!(matches!(error, OptionsError::Json { line: 3, .. }), "{error:?}");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let cases = [
        ("", (1, 0), "EOF while parsing a value"),
        ("{", (1, 1), "EOF while parsing an object"),
        ("[]", (1, 0), "invalid type: sequence"),
        ("[\"AA\", 0, \"demo.example\", [], \"required\"]", (1, 0), "invalid type: sequence"),
        ("{\"challenge\": \"AA\"}]", (1, 20), "trailing characters"),
        ("{\n  \"rpId\": \"demo.example\"\n}", (3, 1), "missing field `challenge`"),
        ("{\"challenge\": 5}", (1, 15), "invalid type: integer, expected a string"),
        ("{\"challenge\": \"a+b/\"}", (1, 21), "this text is not base64url"),
        ("{\"challenge\": \"A\"}", (1, 18), "this text is not base64url"),
        ("{\"challenge\": \"AA\", \"allowCredentials\": {}}", (1, 40), "expected a sequence"),
        (
            "{\"challenge\": \"AA\", \"allowCredentials\": [{\"id\": \"AA\"}]}",
            (1, 53),
            "missing field `type`",
        ),
    ];
    let mut places = Vec::new();
    for (text, _, words) in cases {
        let error = RequestOptions::from_json(text.as_bytes()).unwrap_err();
        let OptionsError::Json { line, column, source } = error else { panic!("{error:?}") };
        assert!(source.to_string().contains(words), "{text}: {source}");
        places.push((line, column));
    }
    assert_eq!(places, cases.map(|(_, place, _)| place));
    assert!(matches!(RequestOptions::from_json(b"\xff"), Err(OptionsError::Json { .. })));
    let array = creation_options(&json!({"rp": ["demo.example", "Demo"]}));
    assert!(matches!(CreationOptions::from_json(&array), Err(OptionsError::Json { .. })));
    let deep = vec![b'['; 100_000];
    assert!(matches!(RequestOptions::from_json(&deep), Err(OptionsError::Json { .. })));
}

#[test]
fn errors_do_not_repeat_what_was_given() {
    let value = "c2VjcmV0, expected `c2VjcmV0` \"c2VjcmV0".repeat(1000);
    let json = |value: Json| serde_json::to_vec(&value).unwrap();
    let read = |json: &[u8]| RequestOptions::from_json(json).unwrap_err();
    let errors = [
        read(&json(json!(value))),
        read(&json(json!({"challenge": value}))),
        read(&json(json!({"challenge": "AA", "timeout": value}))),
        read(&json(json!({"challenge": "AA", "allowCredentials": [value]}))),
        read(&json(json!({"publicKey": value}))),
        CreationOptions::from_json(&creation_options(&json!({"authenticatorSelection": value}))).unwrap_err(),
    ];
    for error in errors {
        let OptionsError::Json { source, .. } = &error else { panic!("{error}") };
        assert!(source.to_string().len() < 150, "{source}");
        for text in [error.to_string(), source.to_string(), format!("{error:?}")] {
            assert!(!text.contains("c2Vj"), "{text}");
        }
    }
    let error = read(&json(json!({"challenge": "AA", "timeout": value})));
    let OptionsError::Json { source, .. } = error else { panic!("{error}") };
    let place = json(json!({"challenge": "AA", "timeout": value})).len() - 1;
    assert_eq!(source.to_string(), format!("invalid type: string, expected f64 at line 1 column {place}"));
    for name in ["a".repeat(100_000), "a b".repeat(100_000)] {
        let error = origin().relying_party(Some(&name)).unwrap_err().to_string();
        assert!(error.contains("aa") || error.contains("a b"), "{error}");
        assert!(error.len() < 500, "{} bytes", error.len());
    }
}

#[test]
fn padding_is_read_and_not_written() {
    let hashes = ["_-8", "_-8=", "_-8=="].map(|challenge| {
        let asked = assertion(&json!({"challenge": challenge}));
        *asked.client_data_hash()
    });
    assert_eq!(hashes, [client_data::ClientData::new("webauthn.get", &[0xff, 0xef], &origin()).hash; 3]);
}

#[test]
fn users_have_an_id_of_1_to_64_bytes() {
    for (id, length) in [("", 0), (&base64::encode(&[0; 65]), 65)] {
        let options = creation_options(&json!({"user": {"id": id, "name": "", "displayName": ""}}));
        let error = CreationOptions::from_json(&options).unwrap_err();
        assert!(matches!(error, OptionsError::UserId { length: found } if found == length), "{error}");
    }
    let user = json!({"user": {"id": base64::encode(&[0; 64]), "name": "", "displayName": ""}});
    assert!(CreationOptions::from_json(&creation_options(&user)).is_ok());
}

#[test]
fn a_passkey_for_this_computer_is_not_for_a_phone() {
    let with = |attachment: &str| {
        let selection = json!({"authenticatorSelection": {"authenticatorAttachment": attachment}});
        CreationOptions::from_json(&creation_options(&selection))
    };
    assert!(matches!(with("platform"), Err(OptionsError::Platform)));
    assert!(with("cross-platform").is_ok() && with("implanted").is_ok());
}

#[test]
fn a_list_without_a_known_type_is_not_an_empty_list() {
    let of_other_type = json!([{"type": "password", "id": "AA"}]);
    let options = request_options(&json!({"allowCredentials": of_other_type}));
    assert!(matches!(RequestOptions::from_json(&options), Err(OptionsError::NoCredential)));
    let empty = request_options(&json!({"allowCredentials": []}));
    assert_eq!(RequestOptions::from_json(&empty).unwrap().allowed().count(), 0);

    let parameters = json!({"pubKeyCredParams": [{"type": "password", "alg": -7}]});
    let options = CreationOptions::from_json(&creation_options(&parameters)).unwrap();
    assert!(matches!(Creation::new(&origin(), options), Err(OptionsError::NoAlgorithm)));
    let empty = CreationOptions::from_json(&creation_options(&json!({"pubKeyCredParams": []}))).unwrap();
    assert_eq!(empty.algorithms().unwrap(), [-7, -257]);
}

#[test]
fn times_are_kept_within_the_recommended_range() {
    for (asked, seconds) in [
        (json!(null), 300),
        (json!(0), 300),
        (json!(-5), 300),
        (json!(60_000), 300),
        (json!(400_000.0), 400),
        (json!(4_294_967_295_u64), 600),
        (json!(1e300), 600),
    ] {
        let options = json!({"timeout": asked});
        assert_eq!(creation(&options).timeout(), Duration::from_secs(seconds), "{asked}");
        assert_eq!(assertion(&options).timeout(), Duration::from_secs(seconds), "{asked}");
    }
}

#[test]
fn the_relying_party_is_checked_against_the_origin() {
    let options = CreationOptions::from_json(&creation_options(&json!({"rp": {"name": "Demo"}}))).unwrap();
    let shop = Origin::parse("https://shop.demo.example:8443").unwrap();
    assert_eq!(Creation::new(&shop, options).unwrap().rp_id(), "shop.demo.example");
    let options = CreationOptions::from_json(&creation_options(&json!({}))).unwrap();
    assert_eq!(Creation::new(&shop, options.clone()).unwrap().rp_id(), "demo.example");
    let other = Origin::parse("https://other.example").unwrap();
    let error = Creation::new(&other, options).unwrap_err();
    assert!(matches!(error, OptionsError::ForeignRelyingParty { .. }));

    let options = RequestOptions::from_json(&request_options(&json!({"rpId": "example"}))).unwrap();
    assert!(matches!(Assertion::new(&shop, &options), Err(OptionsError::PublicSuffix { .. })));
    let options = RequestOptions::from_json(&request_options(&json!({"rpId": null}))).unwrap();
    assert_eq!(Assertion::new(&shop, &options).unwrap().rp_id(), "shop.demo.example");
}
