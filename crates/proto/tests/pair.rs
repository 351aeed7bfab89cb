//! A phone and a laptop, both as the state machines that ship, joined by a tunnel service, an air and a clock that
//! exist only here.
//!
//! `sim` is that small world, with a fault for every message in it. `single_faults`, `seeds` and `linked` let it run;
//! `rules` holds one small test for each rule of the protocol, with a peer made by hand.
#![forbid(unsafe_code)]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests have a clock, files and an environment")]

#[path = "pair/mod.rs"]
mod pair;
