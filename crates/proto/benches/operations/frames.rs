//! Sealing and opening a frame against AES-256-GCM over the same padded length, in place and without padding,
//! counting or allocating.

use std::hint::black_box;

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{AeadInOut, KeyInit},
};
use hybridge_proto::frame::{Opener, Sealer, TrafficKey, padded_length};

use super::Comparison;

const KEY: [u8; 32] = [0x3c; 32];

pub(super) fn seal_and_open<const N: usize>(operation: &'static str) -> Comparison {
    let message = vec![0x7e; N];
    let mut direction = fresh();
    let whole = move || {
        let frame = direction.0.seal(black_box(&message)).or_else(|_| {
            // All counters are used up.
            direction = fresh();
            direction.0.seal(&message)
        });
        let opened = frame.and_then(|frame| direction.1.open(black_box(frame)));
        assert!(opened.is_ok(), "a sealed frame opens");
        black_box(opened).ok();
    };
    Comparison {
        operation,
        cryptography: "AES-256-GCM in place",
        bound: 1.15,
        whole: Box::new(whole),
        bare: Box::new(bare(padded_length(N))),
    }
}

fn fresh() -> (Sealer, Opener) {
    let key = TrafficKey::from_bytes(&KEY);
    (Sealer::new(&key), Opener::new(&key))
}

fn bare(length: usize) -> impl FnMut() {
    let cipher = Aes256Gcm::new(&KEY.into());
    let mut buffer = vec![0x7e; length];
    let mut counter = 0_u32;
    move || {
        counter = counter.wrapping_add(1);
        let [a, b, c, d] = counter.to_be_bytes();
        let nonce = Nonce::from([0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]);
        let buffer = black_box(&mut buffer);
        let tag = cipher.encrypt_inout_detached(&nonce, &[], buffer.as_mut_slice().into());
        let opened = tag.and_then(|tag| {
            cipher.decrypt_inout_detached(&nonce, &[], black_box(buffer).as_mut_slice().into(), &tag)
        });
        assert!(opened.is_ok(), "a sealed text opens");
    }
}
