//! Where it is shown what happens: on the terminal or as events, and in a picture file.

use std::io::{self, IsTerminal, Stderr};

use hybridge_picture::{Palette, Picture};

use super::{
    error::Error,
    events::Events,
    picture_file::PictureFile,
    step::{News, Shown, Step},
    terminal::{Surface, Terminal},
};
use crate::args::CeremonyArgs;

/// Everything that shows something.
pub(crate) struct Display {
    report: Report,
    file: Option<PictureFile>,
    /// Whether a code is to be seen.
    shown: bool,
}

enum Report {
    Terminal(Terminal<Stderr>),
    Events(Events<Stderr>),
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
            None => Report::Terminal(Terminal::new(io::stderr(), surface(), purpose)),
        };
        Self { report, file: args.qr_png.clone().map(PictureFile::new), shown: false }
    }

    pub(crate) fn take(&mut self, news: News, parties: Parties<'_>) -> Result<(), Error> {
        match news {
            News::Show { code, seconds } => {
                self.shown = true;
                let code = code.expose_text();
                let picture = Picture::draw(code)?;
                if let Some(file) = &mut self.file {
                    file.show(&picture.to_png()?).map_err(Error::WritePicture)?;
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
        };
        written.map_err(Error::WriteProgress)
    }

    fn tell(&mut self, step: &Step) -> Result<(), Error> {
        if matches!(step, Step::CodeHidden) {
            self.shown = false;
            self.file.iter_mut().for_each(PictureFile::hide);
        }
        let written = match &mut self.report {
            Report::Terminal(terminal) => terminal.tell(step),
            Report::Events(events) => events.tell(step),
        };
        written.map_err(Error::WriteProgress)
    }

    /// Takes the code away, if there is one.
    pub(crate) fn clear(&mut self) -> Result<(), Error> {
        if self.shown { self.tell(&Step::CodeHidden) } else { Ok(()) }
    }

    /// Tells how it ended.
    pub(crate) fn end(&mut self, error: Option<&Error>) -> io::Result<()> {
        match (&mut self.report, error) {
            (Report::Terminal(terminal), Some(error)) => {
                terminal.fail(&format!("hybridge: {}", error.in_one_line()))
            }
            (Report::Terminal(_), None) => Ok(()),
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
