//! Refusing somebody else's advert against one HMAC-SHA256 over the 16 bytes that it holds.

use std::hint::black_box;

use hmac::{KeyInit, Mac};
use hybridge_proto::{
    advert::{Advert, open},
    keys::{EidKey, QrSecret},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::Comparison;

pub(super) fn reject() -> Comparison {
    let key: EidKey = QrSecret::generate(&mut ChaCha20Rng::seed_from_u64(4)).eid_key();
    let foreign = Advert::from_bytes([0x5a; 20]);
    let whole = move || {
        let opened = open(black_box(&key), black_box(&foreign));
        assert!(opened.is_none(), "a foreign advert does not open");
    };
    let (mac_key, ciphertext) = ([0xa5; 32], [0x5a; 16]);
    let bare = move || {
        let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(black_box(&mac_key));
        black_box(mac.map(|mac| mac.chain_update(black_box(&ciphertext)).finalize().into_bytes())).ok();
    };
    Comparison {
        operation: "foreign advert, refused",
        cryptography: "HMAC-SHA256 of 16 bytes",
        bound: 1.3,
        whole: Box::new(whole),
        bare: Box::new(bare),
    }
}
