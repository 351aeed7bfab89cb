//! `hybridge-relay check`: runs a whole tunnel against a running service, and explains what is wrong with it.
//!
//! It plays both the phone and the client. Every step says what it found; the first one that fails names its cause
//! and the fix, and ends the check, because what follows would fail for the same cause.

mod args;
mod cause;
mod connection;
mod http;
mod report;
mod steps;
mod target;
mod tls;
mod tunnel;
mod upgrade;

use std::io;

use thiserror::Error;
use tokio::runtime;

pub(crate) use self::args::CheckArgs;
use self::{report::Report, steps::Check, target::Target, tls::Tls};
use super::error::Error;

/// Why the check cannot be made as it was asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum UsageError {
    #[error("the URL is not of the form https://HOST or https://HOST:PORT; phones and browsers add the path")]
    Url,
    #[error(
        "http:// is for a service on this machine; pass https://, or --insecure-plain to send all of it in the clear"
    )]
    Plain,
    #[error("--connect-to is not of the form HOST:PORT")]
    ConnectTo,
    #[error("the token has characters that a header cannot carry; it should be the token and nothing else")]
    Token,
    #[error("the token file cannot be read")]
    TokenFile(#[source] io::Error),
    #[error("the file of --ca cannot be read")]
    CaFile(#[source] io::Error),
    #[error("the file of --ca has no readable certificate; it has to be PEM text")]
    Ca,
    #[error("this machine has no root certificates to check with; install them or pass --ca")]
    NoRoots(#[source] rustls::Error),
}

/// Checks and reports. An error when the service is broken or the check cannot be made.
pub(crate) fn run(args: &CheckArgs) -> Result<(), Error> {
    let target = Target::new(args)?;
    let token = args.token()?;
    let tls = if target.secure { Some(Tls::new(args.ca.as_deref(), &target.host)?) } else { None };
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
    let mut report = Report::new(args.url.as_str(), args.json, io::stdout().lock());
    let check = Check { target, tls, token, limit: args.limit(), idle: args.idle() };
    runtime.block_on(check.run(&mut report));
    // A name server that does not answer is not waited for.
    runtime.shutdown_background();
    if report.finish().map_err(Error::Write)? { Ok(()) } else { Err(Error::ServiceBroken) }
}
