//! A relying party with pages: register and sign in with a passkey, from a browser and with a phone.
//!
//! Accounts and passkeys are in SQLite ([`Store`]); who is signed in is kept in memory and forgotten when the program
//! ends. Each account belongs to a group, whose policy ([`Policies`]) says which passkeys will do. The verifier is
//! `webauthn-rs`, which knows nothing of this project. [`router`] serves a [`Site`]; the program `hybridge-website` is
//! a thin shell around it.
#![forbid(unsafe_code)]

mod attempts;
mod error;
mod names;
mod passkey;
mod password;
mod policy;
mod site;
mod store;
mod visits;
mod web;

pub use self::{
    error::SiteError,
    policy::{Breach, Policies, PolicyError},
    site::{Person, SetupError, Site},
    store::{Store, StoreError, usual_path},
    web::router,
};
