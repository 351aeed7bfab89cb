//! Who calls.

use std::sync::Arc;

/// A program that calls: by its unique name on the bus, or alone at the other end of a connection without a bus.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Client {
    /// Which connection of the daemon's.
    pub(super) link: u32,
    /// Its name on the bus.
    pub(super) name: Option<Arc<str>>,
}
