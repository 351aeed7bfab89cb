//! A phone.
#![forbid(unsafe_code)]

fn main() {}
