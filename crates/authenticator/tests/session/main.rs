//! Sessions of a phone over the simulated air and a tunnel service in memory, in virtual time. The laptop is driven
//! by hand.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)]

mod cancel;
mod failures;
mod laptop;
mod linking;
mod over_bluetooth;
mod serving;
mod world;
