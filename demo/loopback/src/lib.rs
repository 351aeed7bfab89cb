//! A registration and a sign-in over the whole hybrid transport, in one process.
#![forbid(unsafe_code)]

pub mod camera;
pub mod owner;
pub mod picture;
pub mod relying_party;
pub mod webauthn_client;
