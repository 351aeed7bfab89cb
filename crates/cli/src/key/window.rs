//! The window of a security key: what is open in it, and what a person decides.

use std::{
    future::pending,
    io::{self, BufRead},
    thread,
};

use hybridge_security_key::{Consent, Decision, Notice, Operation, Outcome, Ticket};
use tokio::sync::mpsc;

use crate::ceremony::step::News;

/// Where a person, or the program in between, sees what happens. None of it can fail: programs are served whether anybody
/// looks or not.
pub(crate) trait Screen: Send {
    /// There is a device now.
    fn ready(&mut self);
    /// "Use your phone?"
    fn ask_for_touch(&mut self);
    /// Who asks for a phone, until it is over.
    fn ask_phone(&mut self, operation: Operation, rp_id: String, user: Option<String>);
    /// What the session with the phone tells.
    fn news(&mut self, news: News);
    /// How it ended.
    fn over(&mut self, outcome: &Outcome);
    /// A program looks for the device.
    fn wink(&mut self);
}

/// What is open.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    Question(Ticket),
    Phone(Ticket),
}

/// A screen, and lines as decisions.
pub(crate) struct Window<'l, S> {
    screen: S,
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

impl<'l, S: Screen> Window<'l, S> {
    pub(crate) fn new(mut screen: S, lines: &'l mut mpsc::Receiver<String>) -> Self {
        screen.ready();
        Self { screen, lines, open: Open::Nothing }
    }
}

impl<S: Screen> Consent for Window<'_, S> {
    fn tell(&mut self, notice: Notice) {
        match notice {
            Notice::AskForTouch { ticket } => {
                self.open = Open::Question(ticket);
                self.screen.ask_for_touch();
            }
            Notice::AskPhone { ticket, operation, rp_id, user } => {
                self.open = Open::Phone(ticket);
                self.screen.ask_phone(operation, rp_id, user);
            }
            Notice::Progress { progress, .. } => {
                if let (Open::Phone(_), Some(news)) = (self.open, News::from_progress(progress)) {
                    self.screen.news(news);
                }
            }
            Notice::Over { outcome, .. } => {
                self.open = Open::Nothing;
                self.screen.over(&outcome);
            }
            Notice::Wink => self.screen.wink(),
            _ => {}
        }
    }

    async fn decide(&mut self) -> Decision {
        loop {
            // Without anybody who types, what is open stays so until the program gives up.
            let Some(line) = self.lines.recv().await else { return pending().await };
            let yes = matches!(line.trim(), "y" | "Y" | "yes");
            return match self.open {
                Open::Nothing => continue,
                Open::Phone(ticket) => Decision::Close(ticket),
                Open::Question(ticket) => {
                    self.open = Open::Nothing;
                    if yes { Decision::Agree(ticket) } else { Decision::Close(ticket) }
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::terminal::TerminalScreen;

    #[tokio::test]
    async fn what_is_typed_before_a_question_is_no_answer() {
        let (type_line, mut lines) = mpsc::channel(4);
        let mut out = Vec::new();
        let mut window = Window::new(TerminalScreen::new(&mut out), &mut lines);
        type_line.send("y".to_owned()).await.unwrap();
        let early = tokio::time::timeout(std::time::Duration::from_millis(1), window.decide()).await;
        assert!(early.is_err(), "nothing is open");
        drop(type_line);
        window.tell(Notice::Wink);
        assert!(String::from_utf8(out).unwrap().ends_with("it is the one in this terminal.\n"));
    }
}
