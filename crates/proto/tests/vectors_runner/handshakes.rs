//! `noise_knpsk0.json` and `noise_nkpsk0.json`.

use crate::{
    noise_vectors::{self, Reference},
    production::Production,
    tracked::{Node, Outcome},
};

/// The crate's handshake gives the outer values and refuses what the reference refuses, for the same reason. The
/// states in between are not visible from outside, so the reference answers for `steps[]`.
pub(super) fn noise_file(root: &Node<'_>) -> Outcome {
    noise_vectors::handshakes(root, &Production)?;
    noise_vectors::frames(root)?;
    noise_vectors::steps(root)?;
    let ours = noise_vectors::rejects(root, &Production)?;
    root.get("reject")?.same("reasons", &ours, &noise_vectors::rejects(root, &Reference)?)
}
