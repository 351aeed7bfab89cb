//! Worlds around the two state machines, for the targets that let them run.
#![forbid(unsafe_code)]

use std::convert::Infallible;

use hybridge_proto::packets::{Framing, TERMINATOR};
use rand_core::{TryCryptoRng, TryRng};

pub mod authenticator_world;
pub mod client_world;

/// A generator that hands out the same 32 bytes again and again, so that a key can be chosen.
#[derive(Debug)]
pub struct OneDraw {
    bytes: [u8; 32],
    next: usize,
}

impl OneDraw {
    /// Hands out these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self { bytes, next: 0 }
    }
}

impl TryRng for OneDraw {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            *byte = self.bytes[self.next % self.bytes.len()];
            self.next += 1;
        }
        Ok(())
    }
}

impl TryCryptoRng for OneDraw {}

/// The element that a byte chooses, if there is any.
fn choose<T>(items: &mut [T], byte: u8) -> Option<&mut T> {
    let count = items.len();
    items.get_mut(usize::from(byte).checked_rem(count)?)
}

/// A message without what marks its end over BLE, which has to be there.
fn unwrapped(framing: Framing, bytes: &[u8]) -> Vec<u8> {
    let message = match framing {
        Framing::Length => {
            let (length, message) = bytes.split_first_chunk().expect("a length");
            let length = usize::try_from(u32::from_be_bytes(*length));
            Some(message).filter(|message| length == Ok(message.len()))
        }
        _ => bytes.strip_suffix(&TERMINATOR),
    };
    message.expect("the end is marked").to_vec()
}

/// XORs one byte, unless the damage is 0.
fn damage(message: &mut [u8], by: u8, at: u8) {
    if let Some(byte) = choose(message, at) {
        *byte ^= by;
    }
}
