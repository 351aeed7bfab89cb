//! Why a connection is refused or has ended.

use std::{error::Error, io};

use thiserror::Error;

/// What went wrong.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("the system gave no event loop or socket; start this from its socket unit, or with --listen")]
    System(#[source] io::Error),
    #[error("the socket cannot be listened at; name a path in a folder of this user")]
    Listen(#[source] io::Error),
    #[error("the kernel does not say who is connected")]
    Peer(#[source] io::Error),
    #[error("/dev/uhid cannot be used; load the module uhid, and start this as root")]
    Uhid(#[source] io::Error),
    #[error("the login manager cannot be asked who sits at this computer, so nobody gets a security key")]
    LoginManager(#[from] zbus::Error),
    #[error("user {0} has no active session at this computer's screen, and gets no security key")]
    NotAtTheScreen(u32),
    #[error("the program sent what is no report, and was cut off")]
    NotAReport,
    #[error("the relay ended")]
    Relay(#[source] io::Error),
}

impl Failure {
    /// The message, with the reason behind it.
    pub(crate) fn in_one_line(&self) -> String {
        match self.source() {
            Some(reason) => format!("{self} ({reason})"),
            None => self.to_string(),
        }
    }
}
