//! Why a case failed.

use std::io;

use hybridge_testkit::{bluez::FakeBluezError, tunnel::TunnelServiceError};
use thiserror::Error;
use webauthn_rs::prelude::WebauthnError;

#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Bluez(#[from] FakeBluezError),
    #[error(transparent)]
    Tunnel(#[from] TunnelServiceError),
    #[error("the relying party refuses: {0:?}")]
    Refused(#[from] WebauthnError),
    #[error("not the JSON that it should be: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{what}: {source}")]
    System { what: String, source: io::Error },
    #[error("wanted {wanted}; found {found}")]
    Otherwise { wanted: String, found: String },
    #[error("it takes longer than {0} s")]
    Undecided(u64),
}

impl Failure {
    pub(crate) fn otherwise(wanted: impl ToString, found: impl ToString) -> Self {
        Self::Otherwise { wanted: wanted.to_string(), found: found.to_string() }
    }

    /// For `map_err` of what the operating system does.
    pub(crate) fn system(what: impl ToString) -> impl FnOnce(io::Error) -> Self {
        let what = what.to_string();
        |source| Self::System { what, source }
    }
}

/// Fails unless it is so.
pub(crate) fn check(so: bool, wanted: &str, found: impl ToString) -> Result<(), Failure> {
    if so { Ok(()) } else { Err(Failure::otherwise(wanted, found)) }
}
