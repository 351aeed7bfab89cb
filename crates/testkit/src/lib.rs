//! Parts for tests.
#![forbid(unsafe_code)]
