//! Why there is no window.

use std::{error::Error, io};

use softbuffer::SoftBufferError;
use thiserror::Error;
use winit::error::{EventLoopError, OsError};

type Cause = Box<dyn Error>;

/// Why there is no window.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WindowError {
    /// There is no display, or it cannot be used.
    #[error(
        "there is no display to open a window on; start this in a desktop session, where DISPLAY or WAYLAND_DISPLAY is set"
    )]
    NoDisplay(#[source] Cause),
    /// The display does not let a window be opened, or drawn on.
    #[error(
        "the display lets no window be drawn; check that its session has not ended, and start this again"
    )]
    Display(#[source] Cause),
    /// Standard input is closed.
    #[error("standard input cannot be read; pass the events there")]
    Input(#[source] io::Error),
    /// There is no thread to read with.
    #[error("the system gives this program no thread; try again later")]
    Thread(#[source] io::Error),
}

impl WindowError {
    pub(super) fn from_event_loop(error: EventLoopError) -> Self {
        match error {
            EventLoopError::NotSupported(_) | EventLoopError::Os(_) => Self::NoDisplay(Box::new(error)),
            _ => Self::Display(Box::new(error)),
        }
    }
}

impl From<SoftBufferError> for WindowError {
    fn from(error: SoftBufferError) -> Self {
        Self::Display(Box::new(error))
    }
}

impl From<OsError> for WindowError {
    fn from(error: OsError) -> Self {
        Self::Display(Box::new(error))
    }
}
