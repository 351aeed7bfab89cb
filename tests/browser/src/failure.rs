//! Why a case failed.

use std::{io, path::PathBuf};

use thiserror::Error;

/// What went otherwise than it has to.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// Something in the way of the case; it says nothing about Chromium or the phone.
    #[error("{0}")]
    Setup(#[from] Box<dyn std::error::Error + Send + Sync>),
    /// A program that is needed does not do its part.
    #[error("{program} {problem}")]
    Program { program: &'static str, problem: String },
    /// The relying party refuses what the browser gave.
    #[error("the relying party refuses the credential: {0}")]
    Refused(#[from] webauthn_rs::prelude::WebauthnError),
    /// It went another way than the case says.
    #[error("expected {expected}, found {found}")]
    Otherwise { expected: String, found: String },
    /// Nothing happened that would decide it.
    #[error("nothing happened within {0} s")]
    Undecided(u64),
}

impl Failure {
    pub(crate) fn otherwise(expected: impl ToString, found: impl ToString) -> Self {
        Self::Otherwise { expected: expected.to_string(), found: found.to_string() }
    }

    /// A program with something the matter.
    pub(crate) fn program(program: &'static str, problem: impl ToString) -> Self {
        Self::Program { program, problem: problem.to_string() }
    }

    /// A file that cannot be written or read.
    pub(crate) fn file(path: PathBuf, error: io::Error) -> Self {
        Self::Setup(format!("{}: {error}", path.display()).into())
    }
}

/// Errors of libraries are in the way of a case, whichever it is.
macro_rules! in_the_way {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Setup(error.into())
            }
        }
    )+};
}

in_the_way!(
    io::Error,
    hybridge_proto::domain::UnassignedDomain,
    hybridge_testkit::mutant::MutantError,
    hybridge_tunnel::RootError,
    rcgen::Error,
    rustls::Error,
    hybridge_testkit::bluez::FakeBluezError,
    serde_json::Error,
    tokio::task::JoinError,
);
