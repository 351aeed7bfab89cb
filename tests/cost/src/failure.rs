//! Why there are no figures.

use std::io;

use hybridge_picture::screen::ScreenError;
use hybridge_testkit::{bluez::FakeBluezError, tunnel::TunnelServiceError};
use thiserror::Error;

#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
    #[error(transparent)]
    Bluez(#[from] FakeBluezError),
    #[error(transparent)]
    Tunnel(#[from] TunnelServiceError),
    #[error(transparent)]
    Screen(#[from] ScreenError),
    #[error("{0}")]
    Unexpected(String),
}

impl Failure {
    pub(crate) fn unexpected(what: impl Into<String>) -> Self {
        Self::Unexpected(what.into())
    }
}
