//! Where it is shown what happens: on the terminal, as events or in a window, and in a picture file.

use std::{
    io::{self, IsTerminal, Stderr, Write},
    process::ChildStdin,
};

use hybridge_picture::{Palette, Picture};

use super::{
    error::{Error, Kind},
    events::{Bluetooth, Events},
    picture_file::PictureFile,
    step::{News, Shown, Step},
    terminal::{Surface, Terminal},
};
use crate::args::CeremonyArgs;

/// Everything that shows something.
///
/// Once there was a code to see, a phone may be at work, so nothing that cannot be told ends the ceremony.
pub(crate) struct Display<W = Stderr> {
    report: Report<W>,
    /// The window. If it does not listen any more it has ended, which is noticed by its answers.
    pub(crate) window: Option<Events<ChildStdin>>,
    file: Option<PictureFile>,
    /// Whether a code is to be seen.
    shown: bool,
    /// Whether one was seen.
    seen: bool,
}

enum Report<W> {
    Terminal(Terminal<W>),
    Events(Events<W>),
    /// There is a window, so only the end is told.
    End(W),
}

/// Who asks, for whom.
#[derive(Clone, Copy)]
pub(crate) struct Parties<'a> {
    pub(crate) origin: &'a str,
    pub(crate) rp_id: &'a str,
}

impl Display {
    pub(crate) fn new(args: &CeremonyArgs, purpose: &'static str) -> Self {
        let report = match args.events {
            Some(_) => Report::Events(Events::new(io::stderr())),
            None if args.gui => Report::End(io::stderr()),
            None => Report::Terminal(Terminal::new(io::stderr(), surface(), purpose)),
        };
        let file = args.qr_png.clone().map(PictureFile::new);
        Self { report, window: None, file, shown: false, seen: false }
    }
}

impl<W: Write> Display<W> {
    pub(crate) fn take(&mut self, news: News, parties: Parties<'_>) -> Result<(), Error> {
        match news {
            News::Show { code, seconds } => {
                self.shown = true;
                let code = code.expose_text();
                let picture = Picture::draw(code)?;
                if let Some(file) = &mut self.file {
                    file.show(&picture.to_png()?).map_err(Error::from_picture)?;
                    self.seen = true;
                }
                let Parties { origin, rp_id } = parties;
                self.show(&Shown { code, picture: &picture, origin, rp_id, seconds })
            }
            News::Step(step) => self.tell(&step),
        }
    }

    fn show(&mut self, shown: &Shown<'_>) -> Result<(), Error> {
        let written = match &mut self.report {
            Report::Terminal(terminal) => terminal.show(shown),
            Report::Events(events) => events.show(shown),
            Report::End(_) => Ok(()),
        };
        let _ = self.window.as_mut().map(|window| window.show(shown));
        self.seen |= written.is_ok();
        self.forgive(written)
    }

    fn tell(&mut self, step: &Step) -> Result<(), Error> {
        if matches!(step, Step::CodeHidden) {
            self.shown = false;
            self.file.iter_mut().for_each(PictureFile::hide);
        }
        let written = match &mut self.report {
            Report::Terminal(terminal) => terminal.tell(step),
            Report::Events(events) => events.tell(step),
            Report::End(_) => Ok(()),
        };
        let _ = self.window.as_mut().map(|window| window.tell(step));
        self.forgive(written)
    }

    fn forgive(&self, written: io::Result<()>) -> Result<(), Error> {
        written.or_else(|error| if self.seen { Ok(()) } else { Err(Error::WriteProgress(error)) })
    }

    /// Takes the code away, if there is one.
    pub(crate) fn clear(&mut self) {
        if self.shown {
            // Nothing comes of it if this fails.
            let _ = self.tell(&Step::CodeHidden);
        }
    }

    /// Lets the person at the window choose what to do about a failure.
    pub(crate) fn offer_retry(&mut self, error: &Error) {
        let _ = self.window.as_mut().map(|window| window.failed(error, true));
    }

    /// Tells the window whether Bluetooth is on now.
    pub(crate) fn bluetooth(&mut self, bluetooth: Bluetooth) {
        let _ = self.window.as_mut().map(|window| window.bluetooth(bluetooth));
    }

    /// Tells how it ended. A window goes on by itself: it shows that for as long as the person wants to see it, and closes
    /// if the person has cancelled.
    pub(crate) fn end(&mut self, error: Option<&Error>) -> io::Result<()> {
        if error.is_none_or(|error| error.kind() != Kind::Cancelled) {
            let _ = self.window.as_mut().map(|window| window.end(error));
        }
        self.window = None;
        match (&mut self.report, error) {
            (Report::Terminal(terminal), Some(error)) => {
                terminal.fail(&format!("hybridge: {}", error.in_one_line()))
            }
            (Report::End(out), Some(error)) => writeln!(out, "hybridge: {}", error.in_one_line()),
            (Report::Terminal(_) | Report::End(_), None) => Ok(()),
            (Report::Events(events), error) => events.end(error),
        }
    }
}

/// What standard error leads to.
pub(crate) fn surface() -> Surface {
    let stderr = io::stderr();
    if !stderr.is_terminal() {
        return Surface { columns: None, palette: Palette::LightOnDark };
    }
    let columns = rustix::termios::tcgetwinsize(&stderr).map_or(0, |size| usize::from(size.ws_col));
    let plain = std::env::var_os("TERM").is_none_or(|name| name == "dumb" || name == "linux");
    Surface {
        columns: Some(if columns == 0 { 80 } else { columns }),
        // The kernel's own console has sixteen colours.
        palette: if plain { Palette::LightOnDark } else { Palette::Coloured },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many lines, and then nobody reads any more.
    struct Reader(usize);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown<W: Write>(display: &mut Display<W>) -> Result<(), Error> {
        let code = format!("FIDO:/{}", "7".repeat(168));
        let picture = Picture::draw(&code)?;
        let (origin, rp_id) = ("https://demo.example", "demo.example");
        display.show(&Shown { code: &code, picture: &picture, origin, rp_id, seconds: 120 })
    }

    fn display(lines: usize) -> Display<Reader> {
        let report = Report::Events(Events::new(Reader(lines)));
        Display { report, window: None, file: None, shown: true, seen: false }
    }

    #[test]
    fn who_has_seen_a_code_need_not_listen_on() {
        let mut display = display(1);
        shown(&mut display).unwrap();
        for step in [Step::PhoneNearby, Step::CodeHidden, Step::WaitingForApproval] {
            display.tell(&step).unwrap();
        }
        shown(&mut display).unwrap();
        assert!(display.end(None).is_err(), "nobody read that");
    }

    #[test]
    fn a_first_code_that_nobody_can_see_is_a_failure() {
        assert!(matches!(shown(&mut display(0)), Err(Error::WriteProgress(_))));
    }
}
