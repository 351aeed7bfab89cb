//! Linking information: kind (1), the client's key (32, private), the handshake hash (32), then a map, or in another
//! kind the fields of one that is written and read.
#![no_main]

use hybridge_fuzz_input::Reader;
use hybridge_proto::{
    handshake::HandshakeHash,
    ids::{ContactId, LinkId},
    keys::{LinkSecret, PrivateKey},
    link::{LinkError, LinkingInfo, MAX_NAME_LENGTH},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Reader::new(bytes);
    let kind = input.byte();
    let Ok(code_key) = PrivateKey::from_bytes(&input.array()) else { return };
    let hash = HandshakeHash::from_bytes(&input.array());
    if kind & 1 == 0 {
        verify(input.rest(), &code_key, &hash);
    } else {
        write_and_verify(&mut input, &code_key, &hash);
    }
});

fn verify(map: &[u8], code_key: &PrivateKey, hash: &HandshakeHash) {
    let Ok(info) = LinkingInfo::verify(map, code_key, hash) else { return };
    assert_readable(&info.name);
    let mut other = *hash.expose_bytes();
    other[0] ^= 1;
    let replayed = LinkingInfo::verify(map, code_key, &HandshakeHash::from_bytes(&other));
    assert!(matches!(replayed, Err(LinkError::Signature)), "it is signed for one handshake");
}

fn write_and_verify(input: &mut Reader<'_>, code_key: &PrivateKey, hash: &HandshakeHash) {
    let identity = PrivateKey::from_seed(&input.array::<4>());
    let (link, secret) = (LinkId::from_bytes(input.array()), LinkSecret::from_bytes(&input.array()));
    let name = String::from_utf8_lossy(input.chunk());
    let Ok(contact) = ContactId::new(input.chunk()) else { return };
    let info = LinkingInfo::new(contact, link, secret, *identity.public_key(), &name);
    assert_readable(&info.name);
    let map = info.encode(&identity, code_key.public_key(), hash);
    let read = LinkingInfo::verify(&map, code_key, hash).expect("written linking information holds");
    assert_eq!((&read.contact, read.link, &read.secret), (&info.contact, info.link, &info.secret));
    assert_eq!((read.identity, &read.name), (info.identity, &info.name), "a clean name stays as it is");
}

fn assert_readable(name: &str) {
    assert!(name.len() <= MAX_NAME_LENGTH);
    assert!(!name.chars().any(char::is_control));
    assert_eq!(name.trim(), name, "no surrounding space");
}
