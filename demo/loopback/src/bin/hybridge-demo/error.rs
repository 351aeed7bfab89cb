//! What goes wrong, in one line, and the exit code for it.

use std::{error::Error, io, process::ExitCode};

use hybridge_demo::{laptop::LaptopError, phone::PhoneError, world::WorldError};
use thiserror::Error;

/// Why the program does not end with success.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("the log filter is malformed; try debug, or hybridge_client=trace")]
    Log(#[source] tracing_subscriber::filter::ParseError),
    #[error("the operating system gave no random numbers; choose some with --seed")]
    Randomness,
    #[error("no runtime; look at the system's limits of threads and files")]
    Runtime(#[source] io::Error),
    #[error("the picture could not be written; choose another file with --png")]
    Picture(#[source] io::Error),
    #[error("the output could not be written")]
    Output(#[source] io::Error),
    #[error(transparent)]
    World(#[from] WorldError),
    #[error("{0}")]
    Ceremony(Box<CeremonyFailure>),
    #[error("the demonstration broke off; this is a fault of the program, please report it")]
    Broken(#[source] tokio::task::JoinError),
    #[error("the tunnel service got to see {0}; this is a fault of the program, please report it")]
    Leaked(&'static str),
    #[error("the attack was not refused, or could not be tried; see the output")]
    Attack,
}

/// How a ceremony failed, on which side.
#[derive(Debug)]
pub(crate) struct CeremonyFailure {
    /// What was tried.
    pub(crate) ceremony: &'static str,
    /// What went wrong on the laptop.
    pub(crate) laptop: Option<LaptopError>,
    /// What went wrong on the phone.
    pub(crate) phone: Option<PhoneError>,
    /// How many of the phone's adverts the air lost on their way to the laptop.
    pub(crate) lost: usize,
}

impl std::fmt::Display for CeremonyFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} failed", self.ceremony)?;
        if let Some(laptop) = &self.laptop {
            write!(f, "; laptop: {}", chain(laptop))?;
        }
        if let Some(phone) = &self.phone {
            write!(f, "; phone: {}", chain(phone))?;
        }
        if self.lost > 0 {
            write!(f, "; the air lost {} adverts: try a lower --loss or a longer --search", self.lost)?;
        }
        Ok(())
    }
}

impl Failure {
    /// The message, with the reasons behind it.
    pub(crate) fn in_one_line(&self) -> String {
        chain(self)
    }

    /// As documented in the help text.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Log(_) => 2,
            Self::Picture(_) | Self::Output(_) => 3,
            _ => 1,
        })
    }
}

/// An error and its causes, as far as they say something new.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text} ({more})");
        }
        cause = error.source();
    }
    text.replace(['\n', '\r'], " ")
}
