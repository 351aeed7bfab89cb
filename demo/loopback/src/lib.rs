//! A registration and a sign-in over the whole hybrid transport, in one process.
//!
//! [`world::World`] has all the parts; the program tells what happens in it.
#![forbid(unsafe_code)]

pub mod attack;
pub mod browser;
pub mod ceremony;
pub mod chance;
pub mod journal;
pub mod laptop;
pub mod neighbours;
pub mod owner;
pub mod phone;
pub mod relying_party;
pub mod screen;
pub mod tunnel_service;
pub mod website;
pub mod world;
