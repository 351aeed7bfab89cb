use proptest::prelude::*;

use super::*;

fn info(name: &str) -> (LinkingInfo, PrivateKey) {
    let identity = PrivateKey::from_seed(b"identity");
    let info = LinkingInfo::new(
        ContactId::new(*b"push address").unwrap(),
        LinkId::from_bytes([1; 8]),
        LinkSecret::from_bytes(&[2; 32]),
        *identity.public_key(),
        name,
    );
    (info, identity)
}

#[test]
fn names_are_cleaned() {
    assert_eq!(info("  Anna\u{202e}s\u{7} phone \n").0.name, "Annas phone");
    assert_eq!(info(&"ü".repeat(200)).0.name.len(), MAX_NAME_LENGTH);
    // Space that comes to the surface only when something else was taken away.
    assert_eq!(info("\u{202e} phone \u{7}").0.name, "phone");
    let cut_at_space = ["a".repeat(MAX_NAME_LENGTH - 1), "tail".to_owned()].join(" ");
    assert_eq!(info(&cut_at_space).0.name, "a".repeat(MAX_NAME_LENGTH - 1));
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?} {:?}", info("phone").0, LinkSignature::from_bytes(&[1; 32]));
    assert!(shown.contains("LinkSecret(..)") && shown.contains("ContactId(12 bytes)"), "{shown}");
    assert!(shown.ends_with("LinkSignature(..)"));
}

proptest! {
    #[test]
    fn signatures_bind_key_and_handshake(client: [u8; 8], hash: [u8; 32], flip in 0_usize..256) {
        let client = PrivateKey::from_seed(&client);
        let (info, identity) = info("phone");
        let map = info.encode(&identity, client.public_key(), &HandshakeHash::from_bytes(&hash));
        let read = LinkingInfo::verify(&map, &client, &HandshakeHash::from_bytes(&hash)).unwrap();
        prop_assert_eq!(read.name, info.name);
        let mut other = hash;
        other[flip / 8] ^= 1 << (flip % 8);
        prop_assert_eq!(LinkingInfo::verify(&map, &client, &HandshakeHash::from_bytes(&other)).unwrap_err(), LinkError::Signature);
        let stranger = PrivateKey::from_seed(b"stranger");
        prop_assert_eq!(LinkingInfo::verify(&map, &stranger, &HandshakeHash::from_bytes(&hash)).unwrap_err(), LinkError::Signature);
    }

    #[test]
    fn payloads_survive(link: [u8; 8], nonce: [u8; 16], hint in "[a-z]{0,5}") {
        let payload = ClientPayload::new(LinkId::from_bytes(link), ClientNonce::from_bytes(nonce), Hint::from_wire(&hint));
        prop_assert_eq!(ClientPayload::from_header(&payload.to_header()), Ok(payload.clone()));
        prop_assert_eq!(ClientPayload::from_header(&payload.to_header().to_lowercase()), Ok(payload));
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..100), text in ".{0,60}") {
        let key = PrivateKey::from_seed(b"client");
        let _ = LinkingInfo::verify(&bytes, &key, &HandshakeHash::from_bytes(&[0; 32]));
        let _ = ClientPayload::from_cbor(&bytes);
        let _ = ClientPayload::from_header(&text);
    }
}
