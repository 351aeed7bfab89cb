//! Sessions of a laptop over the simulated air and a tunnel service in memory, in virtual time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

mod cancel;
mod ceremony;
mod channel;
mod closing;
mod failures;
mod linking;
mod over_bluetooth;
mod support;
