//! A browser.
#![forbid(unsafe_code)]

fn main() {}
