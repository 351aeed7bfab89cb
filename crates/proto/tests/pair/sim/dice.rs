//! Seeded randomness. Whatever differs between two runs comes from here.

use core::time::Duration;

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{CryptoRng, Rng, SeedableRng},
};

/// One stream of random decisions.
pub(crate) struct Dice(ChaCha20Rng);

impl Dice {
    /// The same seed and stream give the same decisions.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// A number below `limit`, nearly uniform.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.0.next_u32() % limit
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u32::try_from(length).expect("a short list"))).expect("32 bits fit")
    }

    /// True in this many of a hundred cases.
    pub(crate) fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }

    /// A whole number of milliseconds in a range.
    pub(crate) fn millis(&mut self, from: u32, to: u32) -> Duration {
        Duration::from_millis(u64::from(from + self.below(to - from + 1)))
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

/// The generator that a machine is given.
pub(crate) fn machine_rng(seed: u64, stream: u64) -> Box<dyn CryptoRng + Send> {
    Box::new(Dice::new(seed, stream).0)
}
