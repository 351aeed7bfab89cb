//! What goes wrong, in one line, and the exit code for it.

use std::{error::Error as _, io, process::ExitCode};

use hybridge_picture::ReadError;
use hybridge_proto::{domain::UnassignedDomain, qr::QrError};
use thiserror::Error;

/// Why a verb came to no result. No variant holds or prints what was given: it may be a code.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Code(QrError),
    #[error("{0}, but there is a file of that name; did you mean --image?")]
    CodeIsAFile(QrError),
    #[error("the text is longer than any QR code; pass the code alone")]
    TooLong,
    #[error("the text is not UTF-8; pass the text of the code, or its picture with --image")]
    NotText,
    #[error(transparent)]
    Picture(#[from] ReadError),
    #[error("{0}")]
    Unassigned(UnassignedDomain),
    #[error("a tunnel service ID is a number from 0 to 65535")]
    IdRange,
    #[error("no tunnel service ID stands for this name; find names that have one with --search")]
    NotATunnelService,
    #[error("a name has the letters a to z and the digits 2 to 7 only; search for those")]
    NotInNames,
    #[error("no computed name starts so; search for a shorter prefix")]
    NothingFound,
    #[error("the picture could not be read; check that it exists and is yours to read")]
    ReadPicture(#[source] io::Error),
    #[error("standard input could not be read; pass a picture with --image")]
    ReadInput(#[source] io::Error),
    #[error("the result could not be written; make room, or redirect standard output elsewhere")]
    Write(#[source] io::Error),
}

impl From<QrError> for Error {
    fn from(error: QrError) -> Self {
        Self::Code(error)
    }
}

impl Error {
    /// The message, with the system's or library's reason behind it.
    pub(crate) fn in_one_line(&self) -> String {
        let text = match self.source() {
            Some(reason) => format!("{self} ({reason})"),
            None => self.to_string(),
        };
        text.replace(['\n', '\r'], " ")
    }

    /// As documented in the help text.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::ReadPicture(_)
            | Self::ReadInput(_)
            | Self::Picture(ReadError::NotPng(_))
            | Self::Write(_) => ExitCode::from(3),
            Self::IdRange | Self::NotInNames => ExitCode::from(2),
            _ => ExitCode::from(1),
        }
    }
}
