//! Frames from the phone: padding, nonce and cipher by hand.

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{AeadInOut, KeyInit, consts::U12},
};
use hybridge_proto::frame::pad;

use super::rule::Rule;

/// The byte that the protocol's first version authenticated with each frame.
const FIRST_VERSION: &[u8] = &[0x02];

/// Seals what the phone says.
pub(super) struct Frames {
    cipher: Aes256Gcm,
    counter: u32,
    rule: Option<Rule>,
}

impl Frames {
    pub(super) fn new(key: &[u8; 32], rule: Option<Rule>) -> Self {
        let counter = u32::from(rule == Some(Rule::CounterStart));
        Self { cipher: Aes256Gcm::new(key.into()), counter, rule }
    }

    pub(super) fn seal(&mut self, message: &[u8]) -> Vec<u8> {
        let mut frame = pad(message);
        if let (Some(Rule::Padding), Some(last)) = (self.rule, frame.last_mut()) {
            *last = u8::MAX;
        }
        let data = if self.rule == Some(Rule::AssociatedData) { FIRST_VERSION } else { &[] };
        let tag = self.cipher.encrypt_inout_detached(&self.nonce(), data, frame.as_mut_slice().into());
        // Fails only for gigabytes.
        frame.extend(tag.map_or([0; 16], Into::into));
        self.counter = self.counter.saturating_add(1);
        frame
    }

    fn nonce(&self) -> Nonce<U12> {
        let [a, b, c, d] = match self.rule {
            Some(Rule::NonceOrder) => self.counter.to_le_bytes(),
            _ => self.counter.to_be_bytes(),
        };
        [0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d].into()
    }
}

#[cfg(test)]
mod tests {
    use hybridge_proto::frame::{FrameError, Opener, TrafficKey};

    use super::*;

    fn opened(rule: Option<Rule>) -> [Result<Vec<u8>, FrameError>; 2] {
        let mut frames = Frames::new(&[7; 32], rule);
        let mut opener = Opener::new(&TrafficKey::from_bytes(&[7; 32]));
        [b"one", b"two"].map(|message| opener.open(frames.seal(message)))
    }

    #[test]
    fn frames_without_a_fault_open() {
        assert_eq!(opened(None), [Ok(b"one".to_vec()), Ok(b"two".to_vec())]);
    }

    #[test]
    fn each_fault_shows_where_it_is() {
        let unauthentic = Err(FrameError::Authentication);
        for rule in [Rule::CounterStart, Rule::AssociatedData] {
            assert_eq!(opened(Some(rule)).first(), Some(&unauthentic), "{rule}");
        }
        assert_eq!(opened(Some(Rule::NonceOrder)), [Ok(b"one".to_vec()), unauthentic]);
        assert_eq!(opened(Some(Rule::Padding)).first(), Some(&Err(FrameError::Padding)));
    }
}
