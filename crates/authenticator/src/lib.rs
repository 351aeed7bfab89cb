//! The phone's side of the FIDO hybrid transport: answers CTAP requests of a nearby laptop.
#![forbid(unsafe_code)]

mod driver;
mod error;
pub mod passkey;
mod progress;
mod service;
mod session;

pub use hybridge_proto::{
    authenticator::{
        AuthenticatorError, AuthenticatorTiming, IncomingCall, LinkOffer, ReplyError, StartError,
    },
    domain::DomainId,
};

pub use self::{
    error::Error,
    progress::{Operation, Progress},
    service::CtapService,
    session::Authenticator,
};
