//! End-to-end tests of Hybridge, in `tests/`; and the examples of the README, which are compiled here.
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
