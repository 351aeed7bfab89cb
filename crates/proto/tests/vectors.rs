//! Runs the known-answer vectors in `tests/vectors`, or those in another folder of the same format:
//!
//! ```text
//! HYBRIDGE_VECTORS=DIR cargo test -p hybridge-proto --test vectors
//! ```
//!
//! Every value of every file has to be looked at; one that is not, an unknown file, or a missing one is a failure.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests have a clock, files and an environment")]

#[path = "support/frame_reference.rs"]
mod frame_reference;
#[path = "support/noise_reference.rs"]
mod noise_reference;
#[path = "support/noise_vectors.rs"]
mod noise_vectors;
#[path = "support/production.rs"]
mod production;
#[path = "support/scripted_rng.rs"]
mod scripted_rng;
#[path = "support/tracked.rs"]
mod tracked;
mod vectors_runner;

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
};

fn own_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// The folder that the caller names. Cargo runs tests in the package's folder; a relative path means the caller's.
fn folder() -> PathBuf {
    let Some(named) = env::var_os("HYBRIDGE_VECTORS").map(PathBuf::from) else { return own_folder() };
    let callers = env::var_os("PWD").map(|folder| PathBuf::from(folder).join(&named));
    callers.filter(|folder| folder.is_dir()).unwrap_or(named)
}

#[test]
fn every_vector_holds() -> io::Result<()> {
    let folder = folder();
    let report = vectors_runner::run_folder(&folder);
    // Written past the test harness, which keeps what a passing test prints to itself.
    write!(io::stdout().lock(), "\nvectors in {}\n{report}", folder.display())?;
    assert!(report.failures.is_empty(), "{report}");
    Ok(())
}
