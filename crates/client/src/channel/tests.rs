//! Whatever a phone replies is read or refused, and members that nobody knows change nothing.

use proptest::prelude::*;

use super::*;

/// Any CBOR, as deep as replies are and deeper.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..80).prop_map(Value::from),
        prop::sample::select(&["FIDO_2_0", "public-key", "packed", "none", "usb", "id", "type", "alg"][..])
            .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let key = prop_oneof![
            (-4..12_i64).prop_map(Value::from),
            prop::sample::select(&["id", "type", "name", "rk", "uv", "x5c", "sig", "alg"][..])
                .prop_map(Value::from),
            inner.clone(),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((key, inner.clone()), 0..6).prop_map(Value::Map),
            (any::<u64>(), inner).prop_map(|(tag, value)| Value::Tag(tag, Box::new(value))),
        ]
    })
}

/// A map as replies are, with the keys that they have.
fn any_reply() -> impl Strategy<Value = Value> {
    let entry = ((0..24_i64).prop_map(Value::from), any_value());
    prop::collection::vec(entry, 0..10).prop_map(Value::Map)
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// Reads this as each type of reply: what is read is told with the bytes as they came, and anything else is refused.
fn check(bytes: &[u8]) {
    fn read<T: DeserializeOwned>(bytes: &[u8]) {
        match decode::<T>(bytes.to_vec()) {
            Ok(reply) => assert_eq!(reply.raw, bytes),
            Err(error) => {
                assert!(matches!(error, Error::MalformedReply(ReplyProblem::Contents)), "{error:?}")
            }
        }
    }
    read::<get_info::Response>(bytes);
    read::<make_credential::Response>(bytes);
    read::<get_assertion::Response>(bytes);
}

/// A phone's description, an attestation and an assertion: the members that they must have.
fn least() -> [Vec<(Value, Value)>; 3] {
    let info = vec![
        (1.into(), Value::Array(vec!["FIDO_2_0".into()])),
        (3.into(), vec![7; 16].into()),
        (4.into(), Value::Map(vec![("rk".into(), true.into()), ("uv".into(), true.into())])),
    ];
    let data = Value::Bytes([&[1; 32][..], &[5, 0, 0, 0, 9]].concat());
    let creation =
        vec![(1.into(), "none".into()), (2.into(), data.clone()), (3.into(), Value::Map(Vec::new()))];
    let id = vec![("id".into(), vec![3; 16].into()), ("type".into(), "public-key".into())];
    let assertion = vec![(1.into(), Value::Map(id)), (2.into(), data), (3.into(), Value::Bytes(vec![4; 70]))];
    [info, creation, assertion]
}

/// What is understood, in words.
fn understood(members: [Vec<(Value, Value)>; 3]) -> [String; 3] {
    let [info, creation, assertion] = members.map(|members| encoded(&Value::Map(members)));
    [
        format!("{:?}", decode::<get_info::Response>(info).unwrap().value),
        format!("{:?}", decode::<make_credential::Response>(creation).unwrap().value),
        format!("{:?}", decode::<get_assertion::Response>(assertion).unwrap().value),
    ]
}

/// A key that no type of passkey-types has.
fn unknown_key() -> impl Strategy<Value = Value> {
    prop_oneof![
        (100..=u64::MAX).prop_map(Value::from),
        (i64::MIN..0).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    #[test]
    fn any_cbor_is_read_or_refused(value in any_value()) {
        check(&encoded(&value));
    }

    #[test]
    fn any_map_is_read_or_refused(reply in any_reply()) {
        check(&encoded(&reply));
    }

    #[test]
    fn any_change_to_a_reply_is_read_or_refused(
        which in 0..3_usize,
        key in 0..24_i64,
        value in any_value(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut members = least()[which].clone();
        members.retain(|(known, _)| *known != Value::from(key));
        members.push((key.into(), value));
        let bytes = encoded(&Value::Map(members));
        check(&bytes);
        let part = &bytes[..cut.index(bytes.len())];
        check(part);
        prop_assert!(decode::<get_info::Response>(part.to_vec()).is_err(), "half a reply");
    }

    #[test]
    fn unknown_members_change_nothing(
        key in unknown_key(),
        value in any_value(),
        first in any::<bool>(),
    ) {
        let more = least().map(|mut members| {
            let place = if first { 0 } else { members.len() };
            members.insert(place, (key.clone(), value.clone()));
            members
        });
        prop_assert_eq!(understood(more), understood(least()));
    }
}
