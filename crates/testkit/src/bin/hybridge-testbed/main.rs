//! The testbed.
#![forbid(unsafe_code)]

fn main() {}
