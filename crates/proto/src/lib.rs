//! The FIDO hybrid transport (CTAP 2.2/2.3 section 11.5, "caBLE v2") without I/O: bytes in, bytes and events out.
#![forbid(unsafe_code)]

mod secret;

pub mod advert;
pub mod authenticator;
pub mod cbor;
pub mod channel;
pub mod client;
pub mod digits;
pub mod domain;
pub mod frame;
pub mod handshake;
pub mod ids;
pub mod json;
pub mod keys;
pub mod link;
pub mod message;
pub mod qr;
pub mod service;
