//! A generator that hands out what a test gives it, so that known keys can be injected.

use std::{collections::VecDeque, convert::Infallible};

use rand_core::{TryCryptoRng, TryRng};

/// Each draw takes the next entry, which has to be of the drawn length.
pub(crate) struct ScriptedRng(VecDeque<Vec<u8>>);

impl ScriptedRng {
    pub(crate) fn new<const N: usize>(draws: [&[u8]; N]) -> Self {
        Self(draws.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// Whether everything was drawn.
    pub(crate) fn is_used_up(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryRng for ScriptedRng {
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
        let next = self.0.pop_front().expect("more is drawn than the script has");
        out.copy_from_slice(&next);
        Ok(())
    }
}

impl TryCryptoRng for ScriptedRng {}
