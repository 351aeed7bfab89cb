//! The window of a security key: what is open in it, and what a person decides.

use std::{future::pending, pin::Pin};

use hybridge_security_key::{
    Consent, Decision, Notice, Operation, Outcome, Ticket,
    openers::{Program, openers},
};
use tokio::{
    select,
    task::{JoinHandle, spawn_blocking},
};

use super::typed::{Answer, Line, Typed};
use crate::ceremony::{events::Bluetooth, step::News};

/// Where a person, or the program in between, sees what happens. None of it can fail: programs are served whether anybody
/// looks or not.
pub(crate) trait Screen: Send {
    /// There is a device now.
    fn ready(&mut self);
    /// "Use your phone?" Programs are those that have the device open.
    fn ask_for_touch(&mut self, question: u64, programs: &[Program]);
    /// Who asks for a phone, until it is over.
    fn ask_phone(&mut self, question: u64, asked: Asked, programs: &[Program]);
    /// What the session with the phone tells.
    fn news(&mut self, news: News);
    /// How it ended.
    fn over(&mut self, outcome: &Outcome);
    /// A program looks for the device.
    fn wink(&mut self);
    /// What came of the wish to switch Bluetooth on.
    fn bluetooth(&mut self, bluetooth: Bluetooth);
}

/// What a phone is asked for.
pub(crate) struct Asked {
    pub(crate) operation: Operation,
    pub(crate) rp_id: String,
    pub(crate) user: Option<String>,
}

/// What is open.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    Question(Ticket),
    Phone(Ticket),
}

/// A question that is to be shown when it is known which programs have the device open, and what comes after it.
struct Looking {
    programs: JoinHandle<Vec<Program>>,
    notices: Vec<Notice>,
}

/// A screen, and lines as decisions.
pub(crate) struct Window<'t, S> {
    screen: S,
    adapter: Option<String>,
    typed: &'t mut Typed,
    open: Open,
    looking: Option<Looking>,
    switching: Option<Pin<Box<dyn Future<Output = Bluetooth> + Send>>>,
}

/// What there is to react to.
enum Heard {
    Programs(Vec<Program>),
    Bluetooth(Bluetooth),
    Line(Line),
}

impl<'t, S: Screen> Window<'t, S> {
    /// The adapter is the one that is switched on if a person wants that.
    pub(crate) fn new(mut screen: S, adapter: Option<String>, typed: &'t mut Typed) -> Self {
        screen.ready();
        Self { screen, adapter, typed, open: Open::Nothing, looking: None, switching: None }
    }

    fn show(&mut self, notice: Notice, programs: &[Program]) {
        match notice {
            Notice::AskForTouch { ticket } => {
                self.open = Open::Question(ticket);
                self.screen.ask_for_touch(self.typed.next_question(), programs);
            }
            Notice::AskPhone { ticket, operation, rp_id, user } => {
                self.open = Open::Phone(ticket);
                let question = self.typed.next_question();
                self.screen.ask_phone(question, Asked { operation, rp_id, user }, programs);
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

    /// Shows what has waited.
    fn show_waiting(&mut self, programs: &[Program]) {
        let Some(Looking { notices, .. }) = self.looking.take() else { return };
        for notice in notices {
            self.show(notice, programs);
        }
    }

    fn take(&mut self, line: Line) -> Option<Decision> {
        let answer = match line {
            Line::BluetoothOn => {
                let adapter = self.adapter.clone();
                let switching = async move { Bluetooth::switch_on(adapter.as_deref()).await };
                self.switching.get_or_insert_with(|| Box::pin(switching));
                return None;
            }
            Line::Answer { to: Some(question), .. } if question != self.typed.question() => return None,
            Line::Answer { answer, .. } => answer,
        };
        match self.open {
            Open::Nothing => None,
            // There is nothing to agree to but the phone, where that is done.
            Open::Phone(ticket) => Some(Decision::Close(ticket)),
            Open::Question(ticket) => {
                self.open = Open::Nothing;
                Some(match answer {
                    Answer::Yes => Decision::Agree(ticket),
                    Answer::No => Decision::Close(ticket),
                })
            }
        }
    }
}

impl<S: Screen> Consent for Window<'_, S> {
    fn tell(&mut self, notice: Notice) {
        let is_question = matches!(notice, Notice::AskForTouch { .. } | Notice::AskPhone { .. });
        let is_end = matches!(notice, Notice::Over { .. });
        match &mut self.looking {
            Some(looking) => looking.notices.push(notice),
            None if is_question => {
                let (programs, notices) = (spawn_blocking(openers), vec![notice]);
                self.looking = Some(Looking { programs, notices });
            }
            None => self.show(notice, &[]),
        }
        if is_end {
            // It is over sooner than it is known who asked.
            self.show_waiting(&[]);
        }
    }

    async fn decide(&mut self) -> Decision {
        loop {
            let heard = select! {
                biased;
                programs = found(&mut self.looking) => Heard::Programs(programs),
                bluetooth = switched(&mut self.switching) => Heard::Bluetooth(bluetooth),
                line = self.typed.next() => Heard::Line(line),
            };
            match heard {
                Heard::Programs(programs) => self.show_waiting(&programs),
                Heard::Bluetooth(bluetooth) => {
                    self.switching = None;
                    self.screen.bluetooth(bluetooth);
                }
                Heard::Line(line) => {
                    if let Some(decision) = self.take(line) {
                        return decision;
                    }
                }
            }
        }
    }
}

/// Dropping the future loses nothing: the task goes on.
async fn found(looking: &mut Option<Looking>) -> Vec<Program> {
    match looking {
        Some(Looking { programs, .. }) => programs.await.unwrap_or_default(),
        None => pending().await,
    }
}

async fn switched(switching: &mut Option<Pin<Box<dyn Future<Output = Bluetooth> + Send>>>) -> Bluetooth {
    match switching {
        Some(switching) => switching.await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{sync::mpsc, time::timeout};

    use super::*;
    use crate::key::terminal::TerminalScreen;

    #[tokio::test]
    async fn what_is_typed_before_a_question_is_no_answer() {
        let (type_line, lines) = mpsc::channel(4);
        let mut typed = Typed::new(lines);
        let mut out = Vec::new();
        let mut window = Window::new(TerminalScreen::new(&mut out), None, &mut typed);
        type_line.send("y".to_owned()).await.unwrap();
        let early = timeout(Duration::from_millis(1), window.decide()).await;
        assert!(early.is_err(), "nothing is open");
        drop(type_line);
        window.tell(Notice::Wink);
        assert!(String::from_utf8(out).unwrap().ends_with("it is the one in this terminal.\n"));
    }
}
