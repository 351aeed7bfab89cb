//! The terminal as the screen of a security key.

use std::io::{self, Write};

use hybridge_picture::Picture;
use hybridge_security_key::{Operation, Outcome, StatusCode, openers::Program};

use super::window::{Asked, Screen};
use crate::ceremony::{
    display::surface,
    events::Bluetooth,
    step::{News, Shown},
    terminal::Terminal,
};

/// Draws codes and asks questions.
pub(crate) struct TerminalScreen<W> {
    out: W,
    /// For which relying party a phone is asked, and where codes are drawn.
    phone: Option<(String, Terminal<io::Stderr>)>,
}

impl<W: Write> TerminalScreen<W> {
    pub(crate) const fn new(out: W) -> Self {
        Self { out, phone: None }
    }

    /// Who has the key open. Names are anybody's text, so what a terminal may take for an order is left out.
    fn who(&mut self, programs: &[Program]) {
        let plain = |letter: char| if letter.is_ascii_graphic() { letter } else { '?' };
        let names = programs.iter().map(|Program { name, pid, .. }| {
            let name: String = name.chars().map(plain).collect();
            format!("{name} (process {pid})")
        });
        let names: Vec<_> = names.collect();
        if !names.is_empty() {
            self.line(&format!("In use by {}.", names.join(", ")));
        }
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }
}

impl<W: Write + Send> Screen for TerminalScreen<W> {
    fn ready(&mut self) {
        self.line("This computer has a virtual security key now. Ctrl-C takes it away.");
    }

    fn ask_for_touch(&mut self, _question: u64, programs: &[Program]) {
        self.who(programs);
        self.line("A program asks for a security key. Use your phone? y and Enter for yes, Enter for no.");
    }

    fn ask_phone(&mut self, _question: u64, asked: Asked, programs: &[Program]) {
        let Asked { operation, rp_id, .. } = asked;
        self.who(programs);
        let purpose = match operation {
            Operation::Create => "make a passkey for",
            Operation::Get => "sign in to",
        };
        self.line(&format!("A program wants to {purpose} {rp_id}. It may be any program. Enter cancels."));
        self.phone = Some((rp_id, Terminal::new(io::stderr(), surface(), purpose)));
    }

    fn news(&mut self, news: News) {
        let Some((rp_id, terminal)) = &mut self.phone else { return };
        let _ = match news {
            News::Step(step) => terminal.tell(&step),
            News::Show { code, seconds } => match Picture::draw(code.expose_text()) {
                Ok(picture) => {
                    let code = code.expose_text();
                    terminal.show(&Shown { code, picture: &picture, origin: rp_id, rp_id, seconds })
                }
                Err(_) => terminal.fail("The code could not be drawn. Enter cancels."),
            },
        };
    }

    fn over(&mut self, outcome: &Outcome) {
        if let Some((_, mut terminal)) = self.phone.take() {
            let _ = terminal.clear();
        }
        match outcome {
            Outcome::Replied(StatusCode::SUCCESS) => self.line("The phone has answered."),
            Outcome::Replied(StatusCode(status)) => {
                self.line(&format!("The phone did not do it (CTAP status {status:#04x})."));
            }
            Outcome::Failed(error) => self.line(&format!("The phone was not reached: {error}.")),
            Outcome::Cancelled => self.line("Cancelled."),
            _ => {}
        }
    }

    fn bluetooth(&mut self, bluetooth: Bluetooth) {
        match bluetooth.message() {
            None => self.line("Bluetooth is on."),
            Some(why) => self.line(&format!("Bluetooth was not switched on: {why}.")),
        }
    }

    fn wink(&mut self) {
        self.line("A program looks for this security key: it is the one in this terminal.");
    }
}
