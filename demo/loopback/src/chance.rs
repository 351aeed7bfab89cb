//! All randomness that is ours, from one number.
//!
//! Each device draws from a source of its own, so that what one does leaves the others as they were. Not from here
//! come the challenges and user IDs of `webauthn-rs`, the passkeys of `passkey-authenticator`, and what TLS and
//! websockets draw: those libraries ask the operating system, and nothing that is shown depends on them.

use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use sha2::{Digest, Sha256};

/// Keeps the seed's streams apart from those of other programs.
const CONTEXT: &[u8] = b"hybridge-demo";

/// Gives a source of randomness to everybody who is named.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    seed: u64,
}

/// The randomness of one device: a fresh generator for each session.
#[derive(Debug, Clone)]
pub struct Source {
    seed: u64,
    name: String,
    drawn: u64,
}

impl Chance {
    /// Everything follows from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The source of this name. The same name gives the same source again.
    pub fn source(&self, name: &str) -> Source {
        Source { seed: self.seed, name: name.to_owned(), drawn: 0 }
    }
}

impl Source {
    /// The next generator. Whoever knows the seed can predict it: good for simulations, and for nothing else.
    pub fn draw(&mut self) -> Box<dyn CryptoRng + Send> {
        let seed = Sha256::new()
            .chain_update(CONTEXT)
            .chain_update(self.seed.to_be_bytes())
            .chain_update(self.drawn.to_be_bytes())
            .chain_update(&self.name)
            .finalize();
        self.drawn = self.drawn.wrapping_add(1);
        Box::new(ChaCha20Rng::from_seed(seed.into()))
    }
}

#[cfg(test)]
mod tests {
    use rand_core::Rng;

    use super::*;

    #[test]
    fn a_draw_depends_on_seed_name_and_number() {
        let first = |seed, name| Chance::new(seed).source(name).draw().next_u64();
        assert_eq!(first(1, "phone"), first(1, "phone"));
        assert_ne!(first(1, "phone"), first(2, "phone"));
        assert_ne!(first(1, "phone"), first(1, "laptop"));
        let mut source = Chance::new(1).source("phone");
        assert_ne!(source.draw().next_u64(), source.draw().next_u64());
    }
}
