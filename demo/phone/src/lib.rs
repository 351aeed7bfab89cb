//! A software phone for a Linux laptop or Linux phone: answers the QR codes that computers show for signing in with a
//! passkey.
//!
//! The program `hybridge-phone` is a thin shell around this library: [`main()`] is all of it. The parts are
//! here so that the phone can be run without a radio and a terminal: a [`Phone`] takes any radio and any way to a
//! tunnel service, and an [`Approval`] any [`Console`].
#![forbid(unsafe_code)]

mod args;
mod codes;
mod error;
mod events;
mod passphrase;
mod person;
mod phone;
mod program;
mod service;
mod setup;
mod shown;
mod state;
mod subject;
mod terminal;

pub use self::{
    error::Error,
    events::{Event, Reporter, Style},
    passphrase::Verifier,
    person::Approval,
    phone::Phone,
    program::main,
    shown::{Shown, ShownHost},
    state::{FormatError, LOCK_PATIENCE, Passkeys, State, StateDirectory, StateError, StoredPasskey},
    terminal::{Console, Echo, Terminal},
};
