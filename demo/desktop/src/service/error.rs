//! Why the service cannot be, in one line.

use std::{error::Error as _, io};

use thiserror::Error;

/// What went wrong.
#[derive(Debug, Error)]
pub enum Error {
    /// No folder for the lock.
    #[error("XDG_RUNTIME_DIR names no folder of this user; start this from a desktop session")]
    NoRuntimeFolder,
    /// The lock cannot be used.
    #[error("the lock in XDG_RUNTIME_DIR cannot be used; check that the folder is this user's")]
    Lock(#[source] io::Error),
    /// There is one already.
    #[error("hybridge-desktop serves this user already; use its icon in the tray, or end it first")]
    RunsAlready,
    /// The event loop or signals.
    #[error("the system gives this program no event loop; try again later")]
    System(#[source] io::Error),
    /// The program that is the key.
    #[error("the program hybridge cannot be started; install it beside this program or in PATH")]
    NoKeyProgram(#[source] io::Error),
    /// It ends at once, and would do so again.
    #[error("hybridge key cannot run with these options: {message}")]
    KeyRefuses {
        /// Its own words.
        message: String,
    },
}

impl Error {
    /// The message, with the system's reason behind it.
    pub fn in_one_line(&self) -> String {
        match self.source() {
            Some(reason) => format!("{self} ({reason})"),
            None => self.to_string(),
        }
    }
}
