//! The window on the screen: takes events, draws when something has changed, hands answers over.

mod app;
mod frame;

use std::{
    error::Error,
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    thread,
};

use egui::Theme;
use softbuffer::SoftBufferError;
use thiserror::Error;
use winit::{
    error::{EventLoopError, OsError},
    event_loop::{EventLoop, EventLoopProxy},
};

use self::app::{App, Told};
use super::{
    lines::{Events, Wiped},
    model::Answer,
};

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
    fn from_event_loop(error: EventLoopError) -> Self {
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

/// Opens the window, and returns when it is closed. Events come from standard input, answers go to standard output.
/// Without a theme it has the desktop's, if that is known, and else a light one.
///
/// Has to be called on the main thread.
///
/// # Errors
/// When there is no display to open a window on, or it goes away.
pub fn run(theme: Option<Theme>) -> Result<(), WindowError> {
    let input = io::stdin().as_fd().try_clone_to_owned().map_err(WindowError::Input)?;
    let events = EventLoop::with_user_event().build().map_err(WindowError::from_event_loop)?;
    let proxy = events.create_proxy();
    let reader = proxy.clone();
    thread::Builder::new()
        .name("events".to_owned())
        .spawn(move || read(File::from(input), &reader))
        .map_err(WindowError::Thread)?;
    let mut app = App::new(events.owned_display_handle(), proxy, theme)?;
    events.run_app(&mut app).map_err(WindowError::from_event_loop)?;
    app.into_result()
}

/// Runs until the end of the input, or of the window.
fn read(input: File, tell: &EventLoopProxy<Told>) {
    let mut events = Events::new(Wiped::new(input));
    // What cannot be read is over as well.
    while let Some(event) = events.next_event().ok().flatten() {
        if tell.send_event(Told::Event(event)).is_err() {
            return;
        }
    }
    let _ = tell.send_event(Told::End);
}

/// Hands an answer over. Whether anybody takes it is not for the window to mend.
fn answer(answer: Answer) -> bool {
    let mut out = io::stdout().lock();
    writeln!(out, "{answer}").and_then(|()| out.flush()).is_ok()
}
