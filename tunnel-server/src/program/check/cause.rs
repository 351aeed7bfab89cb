//! What can be wrong with a deployment, and how it is put right.

pub(crate) mod http;
pub(crate) mod network;
pub(crate) mod tunnel;

/// One thing that can be wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// For scripts.
    pub(crate) name: &'static str,
    /// What it means, in one sentence.
    pub(crate) means: &'static str,
    /// What to do.
    pub(crate) fix: &'static str,
}
