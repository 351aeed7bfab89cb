//! A software phone for a Linux laptop or Linux phone: answers the QR codes that computers show for signing in with a
//! passkey.
//!
//! The program `hybridge-phone` is a thin shell around this library: `main` is all of it. The parts are
//! here so that the phone can be run without a radio and a terminal: a `Phone` takes any radio and any way to a
//! tunnel service, and an `Approval` any `Console`.
//!
//! Without the feature `program`, which is on by default, only what reads and writes outside bytes is left: [`State`],
//! [`Subject`], [`Shown`].
#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "program"), allow(dead_code, reason = "the program uses it"))]

#[cfg(feature = "program")]
mod args;
#[cfg(feature = "program")]
mod codes;
#[cfg(feature = "program")]
mod error;
#[cfg(feature = "program")]
mod events;
mod passphrase;
#[cfg(feature = "program")]
mod person;
#[cfg(feature = "program")]
mod phone;
#[cfg(feature = "program")]
mod program;
#[cfg(feature = "program")]
mod service;
#[cfg(feature = "program")]
mod setup;
mod shown;
mod state;
mod subject;
#[cfg(feature = "program")]
mod terminal;

#[cfg(feature = "program")]
pub use self::{
    error::Error,
    events::{Event, Reporter, Style},
    person::Approval,
    phone::Phone,
    program::main,
    terminal::{Console, Echo, Terminal},
};
pub use self::{
    passphrase::Verifier,
    shown::{Shown, ShownHost},
    state::{FormatError, LOCK_PATIENCE, Passkeys, State, StateDirectory, StateError, StoredPasskey},
    subject::Subject,
};
