//! Why there is no security key, in one line, and the exit code for it.

use std::{error::Error as _, io, process::ExitCode};

use thiserror::Error;

use crate::ceremony::error::{Error as CeremonyError, Kind};

#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(
        "the helper gives no security key; check that hybridge-key-helper.socket is running and that you sit at this computer, \
         or use --uhid as root"
    )]
    Helper(#[source] io::Error),
    #[error("/dev/uhid cannot be used; load the module uhid, and run this as root or use the helper")]
    Uhid(#[source] io::Error),
    #[error("the system gives this program no event loop; try again later")]
    System(#[source] io::Error),
    #[error(transparent)]
    Setup(#[from] CeremonyError),
}

impl Error {
    /// The message, with the system's reason behind it.
    pub(crate) fn in_one_line(&self) -> String {
        match self {
            Self::Setup(error) => error.in_one_line(),
            other => match other.source() {
                Some(reason) => format!("{other} ({reason})"),
                None => other.to_string(),
            },
        }
    }

    /// As documented in the help text.
    pub(crate) fn exit_code(&self) -> ExitCode {
        self.kind().exit_code()
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Setup(error) => error.kind(),
            _ => Kind::InputOutput,
        }
    }
}
