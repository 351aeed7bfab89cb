//! A random number generator that keeps what it gave.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng},
};

/// Everything that was drawn, one entry for each draw.
#[derive(Clone, Default)]
pub struct Drawn(Arc<Mutex<Vec<Vec<u8>>>>);

impl Drawn {
    /// The draws of this many bytes, in order.
    pub fn of_length(&self, length: usize) -> Vec<Vec<u8>> {
        self.all().into_iter().filter(|draw| draw.len() == length).collect()
    }

    /// All draws, in order.
    pub fn all(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }
}

/// A generator whose values follow from a seed, and are kept.
pub struct Recorder {
    inner: ChaCha20Rng,
    drawn: Drawn,
}

impl Recorder {
    /// A generator, and where its values go.
    pub fn new(seed: u64) -> (Self, Drawn) {
        let drawn = Drawn::default();
        (Self { inner: ChaCha20Rng::seed_from_u64(seed), drawn: drawn.clone() }, drawn)
    }

    fn keep(&self, bytes: &[u8]) {
        self.drawn.0.lock().unwrap().push(bytes.to_vec());
    }
}

impl TryRng for Recorder {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let value = self.inner.next_u32();
        self.keep(&value.to_le_bytes());
        Ok(value)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let value = self.inner.next_u64();
        self.keep(&value.to_le_bytes());
        Ok(value)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.inner.fill_bytes(bytes);
        self.keep(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Recorder {}
