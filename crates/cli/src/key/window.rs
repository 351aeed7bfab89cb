//! The terminal as the window of a security key.

use std::{
    future::pending,
    io::{self, BufRead, Write},
    thread,
};

use hybridge_picture::Picture;
use hybridge_security_key::{Consent, Decision, Notice, Operation, Outcome, StatusCode, Ticket};
use tokio::sync::mpsc;

use crate::ceremony::{
    display::surface,
    step::{News, Shown},
    terminal::Terminal,
};

/// What is open in the terminal.
enum Open {
    Nothing,
    /// "Use your phone?"
    Question(Ticket),
    /// A phone is being asked: for which relying party, and where codes are drawn.
    Phone {
        ticket: Ticket,
        rp_id: String,
        terminal: Terminal<io::Stderr>,
    },
}

/// Shows codes and asks questions in the terminal.
pub(crate) struct TerminalWindow<'l, W> {
    out: W,
    lines: &'l mut mpsc::Receiver<String>,
    open: Open,
}

/// The lines that a person types. They come from a thread that lives as long as the program.
pub(crate) fn typed_lines() -> mpsc::Receiver<String> {
    let (tell, lines) = mpsc::channel(1);
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if tell.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

impl<'l, W: Write + Send> TerminalWindow<'l, W> {
    pub(crate) fn new(mut out: W, lines: &'l mut mpsc::Receiver<String>) -> Self {
        // Programs are served whether anybody reads what is written here or not.
        let _ = writeln!(out, "This computer has a virtual security key now. Ctrl-C takes it away.");
        Self { out, lines, open: Open::Nothing }
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }

    fn news(&mut self, news: News) {
        let Open::Phone { rp_id, terminal, .. } = &mut self.open else { return };
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
        if let Open::Phone { terminal, .. } = &mut self.open {
            let _ = terminal.clear();
        }
        self.open = Open::Nothing;
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
}

impl<W: Write + Send> Consent for TerminalWindow<'_, W> {
    fn tell(&mut self, notice: Notice) {
        match notice {
            Notice::AskForTouch { ticket } => {
                self.open = Open::Question(ticket);
                self.line(
                    "A program asks for a security key. Use your phone? y and Enter for yes, Enter for no.",
                );
            }
            Notice::AskPhone { ticket, operation, rp_id, .. } => {
                let purpose = match operation {
                    Operation::Create => "make a passkey for",
                    Operation::Get => "sign in to",
                };
                self.line(&format!(
                    "A program wants to {purpose} {rp_id}. It may be any program. Enter cancels."
                ));
                let terminal = Terminal::new(io::stderr(), surface(), purpose);
                self.open = Open::Phone { ticket, rp_id, terminal };
            }
            Notice::Progress { progress, .. } => {
                if let Some(news) = News::from_progress(progress) {
                    self.news(news);
                }
            }
            Notice::Over { outcome, .. } => self.over(&outcome),
            Notice::Wink => {
                self.line("A program looks for this security key: it is the one in this terminal.")
            }
            _ => {}
        }
    }

    async fn decide(&mut self) -> Decision {
        loop {
            // Without anybody who types, what is open stays so until the program gives up.
            let Some(line) = self.lines.recv().await else { return pending().await };
            let yes = matches!(line.trim(), "y" | "Y" | "yes");
            let decision = match self.open {
                Open::Nothing => continue,
                Open::Question(ticket) if yes => Decision::Agree(ticket),
                Open::Question(ticket) | Open::Phone { ticket, .. } => Decision::Close(ticket),
            };
            if matches!(self.open, Open::Question(_)) {
                self.open = Open::Nothing;
            }
            return decision;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(out: &[u8]) -> String {
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_is_typed_before_a_question_is_no_answer() {
        let (type_line, mut lines) = mpsc::channel(4);
        let mut out = Vec::new();
        let mut window = TerminalWindow::new(&mut out, &mut lines);
        type_line.send("y".to_owned()).await.unwrap();
        let early = tokio::time::timeout(std::time::Duration::from_millis(1), window.decide()).await;
        assert!(early.is_err(), "nothing is open");
        drop(type_line);
        window.tell(Notice::Wink);
        assert!(written(&out).ends_with("it is the one in this terminal.\n"));
    }
}
