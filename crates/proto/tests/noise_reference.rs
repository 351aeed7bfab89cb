//! The handshake against an independent reference of the two Noise patterns.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "support/frame_reference.rs"]
mod frame_reference;
#[path = "support/noise_reference.rs"]
mod noise_reference;
#[path = "support/noise_vectors.rs"]
mod noise_vectors;
#[path = "support/tracked.rs"]
mod tracked;

use std::path::Path;

use noise_vectors::Reference;
use tracked::{Document, Outcome};

const FILES: [&str; 2] = ["noise_knpsk0.json", "noise_nkpsk0.json"];

/// Every step, message, key and frame of the vector files comes out of the reference, and it refuses what is to be
/// refused. `all_visited` proves that nothing was left out.
#[test]
fn reference_agrees_with_the_vectors() -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    for name in FILES {
        let document = Document::read(&folder, name)?;
        let root = document.root();
        noise_vectors::handshakes(&root, &Reference)?;
        noise_vectors::steps(&root)?;
        noise_vectors::frames(&root)?;
        noise_vectors::rejects(&root, &Reference)?;
        document.all_visited(&[])?;
    }
    Ok(())
}
