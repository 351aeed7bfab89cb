//! `hybridge doctor`: what stops sign-in on this computer, and what to do about it.
//!
//! Probes find facts out, checks are functions of the facts, and a report is written of what they say.

use std::{
    error::Error as _,
    io::{self, Write},
    process::ExitCode,
};

use hybridge_proto::domain::DomainId;
use thiserror::Error;
use tokio::runtime;

use crate::{
    args::DoctorArgs,
    ceremony::{error::Error as CeremonyError, setup},
    domain,
    error::Error as NameError,
};

mod checks;
mod facts;
mod finding;
mod probe;
mod report;

use probe::Plan;
use report::Report;

/// Why there is no report.
#[derive(Debug, Error)]
enum Error {
    #[error("{0}")]
    Name(NameError),
    #[error(transparent)]
    Setup(#[from] CeremonyError),
    #[error("the system gives this program no event loop; try again later")]
    System(#[source] io::Error),
    #[error("the result could not be written; make room, or redirect standard output elsewhere")]
    Write(#[source] io::Error),
}

impl Error {
    /// The message, with the system's reason behind it.
    fn in_one_line(&self) -> String {
        match (self, self.source()) {
            (Self::Setup(error), _) => error.in_one_line(),
            (other, Some(reason)) => format!("{other} ({reason})"),
            (other, None) => other.to_string(),
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(if matches!(self, Self::Name(_)) { 2 } else { 3 })
    }
}

/// Checks everything, and writes what there is to say.
pub(crate) fn run(args: &DoctorArgs) -> ExitCode {
    match check(args) {
        Ok(code) => code,
        // Whoever reads our output has read enough.
        Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if this fails.
            let _ = writeln!(io::stderr().lock(), "hybridge: {}", error.in_one_line());
            error.exit_code()
        }
    }
}

fn check(args: &DoctorArgs) -> Result<ExitCode, Error> {
    // The kernel's list has whole paths. Only an empty one has none.
    let socket = std::path::absolute(&args.socket).unwrap_or_default();
    let plan = Plan {
        socket: &socket,
        services: services(args)?,
        dialer: setup::dialer(args.dangerous_relay_ca.as_deref())?,
        address: args.dangerous_relay_addr.clone(),
    };
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Error::System)?;
    let system = runtime.block_on(probe::system(plan));
    // A name server that does not answer need not be waited for.
    runtime.shutdown_background();
    let report = Report::new(checks::findings(&system));
    let mut stdout = io::stdout().lock();
    let written = match args.json {
        true => report.write_json(&mut stdout),
        false => report.write_text(&mut stdout),
    };
    written.and_then(|()| stdout.flush()).map_err(Error::Write)?;
    Ok(report.exit_code())
}

/// The tunnel services that were asked for, or those of the two makers of phones.
fn services(args: &DoctorArgs) -> Result<Vec<(DomainId, String)>, Error> {
    let known = |id: DomainId| id.host().map(|host| (id, host)).map_err(NameError::Unassigned);
    let services = match args.tunnel_service.as_slice() {
        _ if args.offline => Ok(Vec::new()),
        [] => [DomainId::GOOGLE, DomainId::APPLE].into_iter().map(known).collect(),
        names => names.iter().map(|name| domain::look_up(name)).collect(),
    };
    services.map_err(Error::Name)
}
