//! Whatever comes in, nothing breaks, and what goes out is well-formed.

use hybridge_proto::cbor::check_canonical;
use proptest::prelude::*;

use super::*;

/// Any JSON, with the members of options more often than others.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[A-Za-z0-9_=-]{0,12}".prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        prop::sample::select(&["public-key", "required", "preferred", "demo.example", "com", "direct"][..])
            .prop_map(Json::from),
    ];
    let name = prop_oneof![
        prop::sample::select(
            &[
                "publicKey",
                "rp",
                "id",
                "name",
                "user",
                "displayName",
                "challenge",
                "pubKeyCredParams",
                "type",
                "alg",
                "timeout",
                "excludeCredentials",
                "allowCredentials",
                "rpId",
                "hints",
                "authenticatorSelection",
                "residentKey",
                "requireResidentKey",
                "userVerification",
                "attestation",
                "extensions",
                "credProps",
            ][..]
        )
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::hash_map(name.clone(), inner, 0..8)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

/// If options are taken, the phone is asked in canonical form for the relying party that the origin allows.
fn check(json: &[u8]) {
    let site = origin();
    if let Ok(options) = CreationOptions::from_json(json)
        && let Ok(creation) = Creation::new(&site, options)
    {
        assert_eq!(creation.rp_id(), "demo.example");
        let request = creation.for_phone(&able_phone()).unwrap();
        check_canonical(&request.command()[1..]).unwrap();
    }
    if let Ok(options) = RequestOptions::from_json(json)
        && let Ok(assertion) = Assertion::new(&site, &options)
    {
        assert_eq!(assertion.rp_id(), "demo.example");
        let request = assertion.for_phone(&able_phone()).unwrap();
        check_canonical(&request.command()[1..]).unwrap();
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        check(&bytes);
    }

    #[test]
    fn any_json_is_read_or_refused(json in any_json()) {
        check(&serde_json::to_vec(&json).unwrap());
    }

    #[test]
    fn good_options_with_one_member_replaced_are_read_or_refused(
        member in prop::sample::select(&["rp", "user", "challenge", "pubKeyCredParams", "timeout", "rpId",
            "excludeCredentials", "allowCredentials", "authenticatorSelection", "extensions"][..]),
        value in any_json(),
    ) {
        check(&creation_options(&json!({member: value.clone()})));
        check(&request_options(&json!({member: value})));
    }

    #[test]
    fn any_text_is_a_relying_party_below_the_origin_or_refused(text in ".{0,40}") {
        if let Ok(rp_id) = origin().relying_party(Some(&text)) {
            prop_assert_eq!(rp_id, "demo.example");
        }
    }

    #[test]
    fn any_text_is_an_origin_or_refused(text in prop_oneof![".{0,40}", "https?://[a-zA-Z0-9.:@/?#-]{0,30}"]) {
        if let Ok(origin) = Origin::parse(&text) {
            prop_assert_eq!(Origin::parse(origin.as_str()), Ok(origin.clone()), "it is in its final form");
            prop_assert!(origin.as_str().bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'));
            let host = origin.host().to_owned();
            prop_assert_eq!(origin.relying_party(Some(&host)).unwrap(), host);
        }
    }

    #[test]
    fn any_reply_is_read_or_refused(reply in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = creation(&json!({})).for_phone(&able_phone()).unwrap().finish(&reply);
        let _ = assertion(&json!({})).for_phone(&able_phone()).unwrap().finish(&reply);
        let _ = assertion(&json!({})).for_phone(&reply);
    }

    #[test]
    fn any_authenticator_data_is_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..128)) {
        let whole = authenticator_data("demo.example", 0x45, &data);
        let reply = encoded(&cbor!({ 1 => "none", 2 => Value::Bytes(whole), 3 => {} }).unwrap());
        if let Ok(response) = creation(&json!({})).for_phone(&able_phone()).unwrap().finish(&reply) {
            prop_assert!(!response.credential_id().is_empty());
        }
    }
}
