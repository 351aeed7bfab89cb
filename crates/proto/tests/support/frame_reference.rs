//! The frames of CTAP 2.2 section 11.5.1 after the handshake, as two plain functions that share no code with the
//! crate under test.

use aes_gcm::{Aes256Gcm, KeyInit, aead::Aead};

/// Pads and seals a message: nonce of eight zero bytes and the counter in big endian, no additional data.
pub(crate) fn seal(key: &[u8; 32], counter: u32, message: &[u8]) -> Vec<u8> {
    let zeros = 31 - message.len() % 32;
    let count = u8::try_from(zeros).expect("below 32");
    let padded = [message, &vec![0; zeros], &[count]].concat();
    let cipher = Aes256Gcm::new(&(*key).into());
    cipher.encrypt(&nonce(counter).into(), padded.as_slice()).expect("a short message can be sealed")
}

/// Opens a frame and takes the padding off.
pub(crate) fn open(key: &[u8; 32], counter: u32, frame: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes256Gcm::new(&(*key).into());
    let mut padded = cipher.decrypt(&nonce(counter).into(), frame).ok()?;
    let zeros = usize::from(padded.pop()?);
    let length = padded.len().checked_sub(zeros)?;
    padded.truncate(length);
    Some(padded)
}

fn nonce(counter: u32) -> [u8; 12] {
    let [a, b, c, d] = counter.to_be_bytes();
    [0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d]
}
