//! The parts of the secrecy test: what is captured, what is done, and what is secret.

pub mod capture;
pub mod secrets;
pub mod sessions;
