//! Writes the seeds of every target into `fuzz/corpus/<target>/`, out of the known-answer vectors of the protocol
//! crate. What a fuzzer has found there stays.
#![forbid(unsafe_code)]

mod bus;
mod corpus;
mod desktop;
mod keys;
mod machines;
mod phone;
mod tunnels;
mod vectors;
mod webauthn;

use std::{error::Error, io::Write, path::Path};

use corpus::Corpus;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut corpus = Corpus::new(here.join("../corpus"));
    vectors::write(&here.join("../../crates/proto/tests/vectors"), &mut corpus)?;
    machines::write(&mut corpus)?;
    keys::write(&mut corpus)?;
    tunnels::write(&mut corpus)?;
    tunnels::write_callers(&mut corpus)?;
    bus::write(&mut corpus)?;
    phone::write(&mut corpus)?;
    webauthn::write(&mut corpus)?;
    desktop::write(&mut corpus)?;
    let mut out = std::io::stdout().lock();
    for (target, seeds) in corpus.written() {
        writeln!(out, "{seeds:>4} seeds for {target}")?;
    }
    Ok(())
}
