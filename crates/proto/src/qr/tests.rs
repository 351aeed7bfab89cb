use proptest::prelude::*;

use super::*;
use crate::keys::PrivateKey;

fn code() -> QrCode {
    QrCode::new(*PrivateKey::from_seed(b"qr test").public_key(), QrSecret::from_bytes(&[7; 16]))
}

#[test]
fn debug_shows_no_secret() {
    let code = code();
    let secret = hex::encode(code.secret.expose_bytes());
    let shown = format!("{code:?} {:?}", code.to_uri());
    assert!(
        shown.contains("QrSecret(..)") && !shown.contains(&secret) && !shown.contains("FIDO:/"),
        "{shown}"
    );
}

#[test]
fn stages_fail_in_order() {
    assert_eq!(QrCode::parse("FIDO:").unwrap_err(), QrError::Prefix);
    assert_eq!(QrCode::parse("FIDÖ:/").unwrap_err(), QrError::Prefix);
    assert_eq!(QrCode::parse("fido:/").unwrap_err(), QrError::Empty);
    assert!(matches!(QrCode::parse("FIDO:/1 3").unwrap_err(), QrError::Digits(_)));
    assert!(matches!(QrCode::parse("FIDO:/000").unwrap_err(), QrError::Cbor(_)));
    assert_eq!(QrCode::from_cbor(&[0xa0]).unwrap_err(), QrError::Field(0));
}

#[test]
fn unknown_keys_and_an_old_boolean_are_ignored() {
    let cbor = code().to_cbor();
    let mut with_extras = cbor.to_vec();
    with_extras[0] += 2;
    with_extras.extend_from_slice(&[0x06, 0xf5, 0x19, 0xff, 0xff, 0x00]);
    let parsed = QrCode::from_cbor(&with_extras).unwrap();
    assert_eq!(parsed.channels, None);
    assert_eq!(*parsed.to_cbor(), *cbor);
}

proptest! {
    #[test]
    fn codes_survive(seed: [u8; 16], secret: [u8; 16], domains: Option<u64>, timestamp: Option<u64>, linking: Option<bool>,
                     hint in proptest::option::of("[a-z]{0,6}"), channels in proptest::option::of(proptest::collection::vec(any::<u64>(), 0..4))) {
        let mut code = QrCode::new(*PrivateKey::from_seed(&seed).public_key(), QrSecret::from_bytes(&secret));
        code.known_domains = domains;
        code.timestamp = timestamp;
        code.supports_linking = linking;
        code.hint = hint.as_deref().map(Hint::from_wire);
        code.channels = channels.map(Channels::from_numbers);
        let uri = code.to_uri();
        let parsed = QrCode::parse(uri.expose_text()).unwrap();
        prop_assert!(parsed.to_uri() == uri);
        prop_assert_eq!(parsed.hint, code.hint);
        prop_assert_eq!(parsed.channels, code.channels);
    }

    #[test]
    fn any_text_gives_an_answer(text in "(FIDO:/)?[0-9a-z]{0,200}") {
        let _ = QrCode::parse(&text);
    }

    #[test]
    fn any_cbor_gives_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = QrCode::from_cbor(&bytes);
    }
}
