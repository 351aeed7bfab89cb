//! A generator that remembers what was drawn from it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng},
};

/// Clones share the generator and the memory.
#[derive(Clone)]
pub(crate) struct Recording(Arc<Mutex<State>>);

struct State {
    rng: ChaCha20Rng,
    drawn: Vec<Vec<u8>>,
}

impl Recording {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State { rng: ChaCha20Rng::seed_from_u64(seed), drawn: Vec::new() })))
    }

    /// Everything that was drawn, each draw by itself.
    pub(crate) fn drawn(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().drawn.clone()
    }
}

impl TryRng for Recording {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let mut state = self.0.lock().unwrap();
        state.rng.fill_bytes(bytes);
        state.drawn.push(bytes.to_vec());
        Ok(())
    }
}

impl TryCryptoRng for Recording {}
