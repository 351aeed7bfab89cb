//! What happens, with the time since the start.

use std::{
    io::{self, Write},
    time::Instant,
};

pub(crate) struct Timeline {
    start: Instant,
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// Writes a line to standard output.
    pub(crate) fn tell(&self, what: impl AsRef<str>) {
        let seconds = self.start.elapsed().as_secs_f64();
        let mut out = io::stdout().lock();
        writeln!(out, "{seconds:>8.3} s  {}", what.as_ref()).and_then(|()| out.flush()).unwrap();
    }
}
