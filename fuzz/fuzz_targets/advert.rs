//! Service data under a key: 64 bytes of key, then what was heard. Only what was sealed opens.
#![no_main]

use hybridge_fuzz_input::Reader;
use hybridge_proto::{
    advert::{Advert, AdvertPlaintext, open, seal},
    keys::{EidKey, QrSecret},
    service::{ServicePath, ServiceRequest},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Reader::new(bytes);
    let key = EidKey::from_bytes(&input.array());
    let Some(advert) = Advert::from_service_data(input.rest()) else { return };
    if let Some(plaintext) = open(&key, &advert) {
        assert_eq!(seal(&key, &plaintext), advert, "one plaintext has one advert");
        follow(&plaintext);
    }
    let [content @ .., bit, _, _, _] = *advert.as_bytes();
    seal_and_open(&key, content, bit);
});

/// What a client does with a plaintext: it asks for its tunnel.
fn follow(plaintext: &AdvertPlaintext) {
    let tunnel = QrSecret::from_bytes(&[7; 16]).tunnel_id();
    let path = ServicePath::Connect { routing: plaintext.routing_id(), tunnel };
    if let Ok(request) = ServiceRequest::new(plaintext.domain(), path) {
        assert!(request.url().starts_with("wss://cable."), "a host of the right form");
    }
}

/// Anything with the reserved byte 0 survives sealing, and no bit of it may change.
fn seal_and_open(key: &EidKey, mut content: [u8; 16], bit: u8) {
    let reserved = content[0];
    let advert = seal(key, &AdvertPlaintext::from_bytes(&content));
    assert_eq!(open(key, &advert).is_some(), reserved == 0, "the reserved byte is zero");
    content[0] = 0;
    let plaintext = AdvertPlaintext::from_bytes(&content);
    let advert = seal(key, &plaintext);
    assert_eq!(open(key, &advert), Some(plaintext));
    let mut changed = *advert.as_bytes();
    let bit = usize::from(bit) % (changed.len() * 8);
    changed[bit / 8] ^= 1 << (bit % 8);
    assert!(open(key, &Advert::from_bytes(changed)).is_none(), "a changed bit is noticed");
}
