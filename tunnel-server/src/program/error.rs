//! What goes wrong, and the exit code for it.

use std::{
    error::Error as _,
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use thiserror::Error;

use super::{check::UsageError, proxy_config::nodes::NodesError, settings::error::SettingsError};

/// Why the program does not do what it was asked to.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum Error {
    #[error("the settings are wrong")]
    Settings(Vec<SettingsError>),
    #[error("cannot listen on {0}, try another address or port")]
    Listen(SocketAddr, #[source] io::Error),
    #[error(
        "cannot listen on {0} for metrics and health checks; set admin.listen to another address, or to \"off\""
    )]
    AdminListen(SocketAddr, #[source] io::Error),
    #[error(
        "the service manager passed a socket that is no TCP listener; check ListenStream= in the socket unit"
    )]
    Inherited(#[source] io::Error),
    #[error(
        "all limits are lifted, and the service manager passed a socket that is not on a loopback address"
    )]
    LiftedInherited,
    #[error(
        "the log filter is not understood; write a level such as info, or a filter such as hybridge_relay=debug"
    )]
    LogFilter(#[source] tracing_subscriber::filter::ParseError),
    #[error("cannot start, the system lacks something")]
    Start(#[source] io::Error),
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
    #[error("the URL is not of the form http://127.0.0.1:9091/readyz")]
    HealthUrl,
    #[error("the settings have no second listener that could be asked; set admin.listen, or pass --url")]
    NoAdmin,
    #[error("the service does not answer; is it running, and is its second listener there?")]
    NoAnswer(#[source] io::Error),
    #[error("the service is not ready: {0}")]
    NotReady(String),
    #[error("{0}")]
    KeyFile(String),
    #[error("the file has no key with this ID; the ID of a key stands before its colon")]
    NoSuchKey,
    #[error("a token cannot live that long; write a time such as --lifetime 1h")]
    TokenLifetime,
    #[error("tunnel service {0} is not assigned to anyone; take an ID from 256 on")]
    Unassigned(u16),
    #[error("a name has the letters a to z and the digits 2 to 7 only; search for those")]
    NotInNames,
    #[error("no computed name starts so; search for a shorter prefix")]
    NothingFound,
    #[error("cannot read the nodes file {0}; give --nodes a file that this user may read")]
    NodesFile(PathBuf, #[source] io::Error),
    #[error("the nodes file {0} is wrong")]
    Nodes(PathBuf, #[source] NodesError),
    #[error(transparent)]
    Check(#[from] UsageError),
    #[error("the service is broken, as said above")]
    ServiceBroken,
    #[error("the result could not be written")]
    Write(#[source] io::Error),
}

impl Error {
    /// Writes what is wrong: one line for each thing, with the system's reason behind it.
    pub(crate) fn explain(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Settings(errors) => {
                errors.iter().try_for_each(|error| writeln!(out, "hybridge-relay: {error}"))
            }
            _ => match self.source() {
                Some(reason) => writeln!(out, "hybridge-relay: {self} ({reason})"),
                None => writeln!(out, "hybridge-relay: {self}"),
            },
        }
    }

    /// As documented in the help text.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Settings(_)
            | Self::LogFilter(_)
            | Self::HealthUrl
            | Self::TokenLifetime
            | Self::NotInNames
            | Self::Nodes(..)
            | Self::Check(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
