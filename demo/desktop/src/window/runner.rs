//! The window on the screen: takes events, draws when something has changed, hands answers over.

mod app;
mod error;
mod frame;

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    thread,
};

use egui::Theme;
use winit::event_loop::{EventLoop, EventLoopProxy};

use self::app::{App, Told};
pub use self::error::WindowError;
use super::{
    lines::{Events, Wiped},
    model::Answer,
};

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
    while let Some(event) = events.next().ok().flatten() {
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
