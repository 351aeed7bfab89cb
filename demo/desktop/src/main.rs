//! The `hybridge-desktop` program.
#![forbid(unsafe_code)]

fn main() {}
