//! The FIDO hybrid transport (CTAP 2.2/2.3 section 11.5, "caBLE v2") without I/O: bytes in, bytes and events out.
#![forbid(unsafe_code)]

mod secret;

pub mod domain;
pub mod ids;
pub mod service;
