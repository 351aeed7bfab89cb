//! A website.
#![forbid(unsafe_code)]

fn main() {}
