//! A relying party with a page: register and sign in with a passkey, from a browser and with a phone.
//!
//! Everything is kept in memory and forgotten when the program ends. The verifier is `webauthn-rs`, which knows
//! nothing of this project. [`router`] serves a [`Site`]; the program `hybridge-website` is a thin shell around it.
#![forbid(unsafe_code)]

mod accounts;
mod error;
mod site;
mod visits;
mod web;

pub use self::{
    error::SiteError,
    site::{Person, SetupError, Site},
    web::router,
};
