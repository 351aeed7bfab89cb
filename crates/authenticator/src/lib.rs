//! The phone's side of the FIDO hybrid transport: answers CTAP requests of a nearby laptop.
#![forbid(unsafe_code)]

pub mod passkey;
mod service;

pub use service::CtapService;
