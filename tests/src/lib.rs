//! End-to-end tests of Hybridge, in `tests/`, with what they share; and the examples of the README, which are compiled
//! here.
#![forbid(unsafe_code)]
// Whatever goes wrong here is a failed test.
#![allow(clippy::unwrap_used, clippy::panic)]

pub mod network;
pub mod recorder;
pub mod screen;
pub mod search;
pub mod service;
pub mod website;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
