//! What happens to a security key, as JSON lines for a program that shows it to a person.

use std::io::{self, Write};

use hybridge_security_key::{Operation, Outcome, StatusCode, openers::Program};
use serde::Serialize;

use super::{
    error::Error,
    window::{Asked, Screen},
};
use crate::ceremony::{
    error::{Kind, radio_of_session, tunnel_of_session},
    events::{Bluetooth, Events, Named, named},
    step::News,
};

/// Bytes for what stands around the values in the line of a code.
const ROOM: usize = 128;

/// One line. The names and members are documented in the help text; steps of a session are those of `hybridge get`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    Ready,
    TouchWanted {
        question: u64,
        programs: Vec<Named<'a>>,
    },
    PhoneWanted {
        question: u64,
        operation: &'static str,
        rp_id: &'a str,
        user: Option<&'a str>,
        programs: Vec<Named<'a>>,
    },
    Code {
        code: &'a str,
        rp_id: &'a str,
        seconds: u64,
    },
    Answered {
        status: u8,
    },
    NotReached {
        kind: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        radio: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tunnel: Option<&'static str>,
        message: String,
    },
    Cancelled,
    Wink,
    Failed {
        kind: &'static str,
        exit_code: u8,
        message: String,
    },
}

/// The last line: why there is no security key any more.
pub(super) fn failed(out: impl Write, error: &Error) -> io::Result<()> {
    let (kind, message) = (error.kind(), error.in_one_line());
    Events::new(out).write(&Event::Failed { kind: kind.name(), exit_code: kind.code(), message })
}

/// Writes events.
pub(crate) struct EventScreen<W> {
    events: Events<W>,
    /// For which relying party a phone is asked.
    rp_id: String,
}

impl<W: Write> EventScreen<W> {
    pub(crate) const fn new(out: W) -> Self {
        Self { events: Events::new(out), rp_id: String::new() }
    }

    fn write(&mut self, event: &Event<'_>) {
        // Programs are served whether anybody reads this or not.
        let _ = self.events.write(event);
    }
}

impl<W: Write + Send> Screen for EventScreen<W> {
    fn ready(&mut self) {
        self.write(&Event::Ready);
    }

    fn ask_for_touch(&mut self, question: u64, programs: &[Program]) {
        self.write(&Event::TouchWanted { question, programs: named(programs) });
    }

    fn ask_phone(&mut self, question: u64, asked: Asked, programs: &[Program]) {
        let Asked { operation, rp_id, user } = asked;
        let operation = match operation {
            Operation::Create => "create",
            Operation::Get => "get",
        };
        let (user, programs) = (user.as_deref(), named(programs));
        self.write(&Event::PhoneWanted { question, operation, rp_id: &rp_id, user, programs });
        self.rp_id = rp_id;
    }

    fn news(&mut self, news: News) {
        let _ = match news {
            News::Step(step) => self.events.tell(&step),
            News::Show { code, seconds } => {
                let (code, rp_id) = (code.expose_text(), self.rp_id.as_str());
                // Its bytes are visible ASCII, of which JSON writes some as two.
                let room = code.len().saturating_add(rp_id.len().saturating_mul(2)).saturating_add(ROOM);
                self.events.write_in(&Event::Code { code, rp_id, seconds }, room)
            }
        };
    }

    fn over(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Replied(StatusCode(status)) => self.write(&Event::Answered { status: *status }),
            Outcome::Failed(error) => {
                let (kind, message) = (Kind::of_session(error).name(), error.to_string());
                let (radio, tunnel) = (radio_of_session(error), tunnel_of_session(error));
                self.write(&Event::NotReached { kind, radio, tunnel, message });
            }
            Outcome::Cancelled => self.write(&Event::Cancelled),
            _ => {}
        }
    }

    fn wink(&mut self) {
        self.write(&Event::Wink);
    }

    fn bluetooth(&mut self, bluetooth: Bluetooth) {
        let _ = self.events.bluetooth(bluetooth);
    }
}

#[cfg(test)]
mod tests {
    use hybridge_client::{AttemptError, Error as SessionError};

    use super::*;

    #[test]
    fn a_tunnel_service_that_is_not_reached_is_told() {
        let mut out = Vec::new();
        let error = SessionError::Tunnel { error: AttemptError::DialTimeout, source: None };
        EventScreen::new(&mut out).over(&Outcome::Failed(error));
        let event: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&event["event"], &event["kind"]), (&"not-reached".into(), &"tunnel-service".into()));
        assert_eq!((&event["tunnel"], event.get("radio")), (&"not-reached".into(), None));
    }
}
