//! What the phone tells while it works: sentences for a person, or JSON lines for a program.

use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

use hybridge_authenticator::Operation;
use serde::Serialize;

use crate::person::Decision;

/// Something that happened. As JSON it is one object with a member `event`, the kind in kebab case, and the members
/// of the variant in snake case. New kinds and members may come; readers ignore those they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// The phone is ready for codes.
    Ready {
        /// How many passkeys it has.
        passkeys: usize,
        /// Whether it can verify its owner.
        user_verification: bool,
        /// Whether it agrees to everything by itself.
        test_mode: bool,
    },
    /// It looks for a code on the screen, or waits for one on standard input.
    WaitingForCode,
    /// It has a code.
    CodeRead {
        /// The code's hint: `ga` to sign in, `mc` to make a passkey, and others. The request decides.
        hint: String,
    },
    /// It opens a tunnel.
    Connecting {
        /// The host of its tunnel service.
        tunnel_service: String,
    },
    /// The tunnel cannot be opened. A computer that can connect over Bluetooth is served all the same.
    TunnelUnavailable {
        /// Why, and what to do, in one line.
        reason: String,
    },
    /// Its advert is on the air.
    Advertising,
    /// A computer that has the code and heard the advert has connected.
    ClientConnected,
    /// The computer asks for something that concerns a person.
    Request {
        /// `make-credential` or `get-assertion`.
        operation: &'static str,
        /// The relying party's ID, with every character that no host name has written as its number.
        rp_id: String,
        /// The accounts: that of the new passkey, or those that can sign in. Chosen by the website; control
        /// characters and others that mislead are replaced by U+FFFD, and long ones are cut.
        accounts: Vec<String>,
    },
    /// The person, or the setting in the person's place, has decided.
    Decided {
        /// Whether the request is granted.
        approved: bool,
        /// Whether the owner was verified.
        user_verified: bool,
        /// Whether nobody was asked, as the phone agrees to everything by itself.
        test_mode: bool,
    },
    /// A request was answered.
    Replied {
        /// `make-credential`, `get-assertion`, `get-info` or `other`.
        operation: &'static str,
        /// The CTAP status; 0 is success.
        status: u8,
    },
    /// The computer is done.
    Finished,
    /// A ceremony failed.
    Failed {
        /// What went wrong and what to do, in one line.
        error: String,
        /// The exit code that stands for it.
        exit_code: u8,
    },
}

impl Event {
    /// A decision, as it is told.
    pub(crate) const fn of(decision: Decision) -> Self {
        let Decision { approved, verified, test_mode } = decision;
        Self::Decided { approved, user_verified: verified, test_mode }
    }

    /// The name of an operation in events.
    pub(crate) const fn operation(operation: Operation) -> &'static str {
        match operation {
            Operation::MakeCredential => "make-credential",
            Operation::GetAssertion => "get-assertion",
            Operation::GetInfo => "get-info",
            _ => "other",
        }
    }

    /// The sentence for a person. What has been said elsewhere already has none.
    fn sentence(&self) -> Option<String> {
        Some(match self {
            Self::Ready { .. } | Self::CodeRead { .. } | Self::Failed { .. } => return None,
            Self::WaitingForCode => "Waiting for a code ...".to_owned(),
            Self::Connecting { tunnel_service } => format!("Connecting to {tunnel_service} ..."),
            Self::TunnelUnavailable { reason } => {
                format!("No tunnel: {reason}. Only a computer that connects over Bluetooth can come.")
            }
            Self::Advertising => "Advertising over Bluetooth. Waiting for the computer ...".to_owned(),
            Self::ClientConnected => "The computer is connected.".to_owned(),
            Self::Request { operation, rp_id, accounts } => request(operation, rp_id, accounts),
            Self::Decided { approved: false, .. } => "Refused.".to_owned(),
            Self::Decided { test_mode: true, .. } => "TEST MODE: approved by the setting.".to_owned(),
            Self::Decided { user_verified: true, .. } => "Approved, with user verification.".to_owned(),
            Self::Decided { .. } => "Approved, without user verification.".to_owned(),
            Self::Replied { operation: "make-credential", status: 0 } => "A passkey was made.".to_owned(),
            Self::Replied { operation: "get-assertion", status: 0 } => "Signed in.".to_owned(),
            Self::Replied { status: 0, .. } => return None,
            Self::Replied { status, .. } => {
                format!("Answered with CTAP status {status:#04x}{}.", meaning(*status))
            }
            Self::Finished => "The computer is done.".to_owned(),
        })
    }
}

fn request(operation: &str, rp_id: &str, accounts: &[String]) -> String {
    let what = match operation {
        "make-credential" => "Make a passkey for",
        _ => "Sign in to",
    };
    match accounts {
        [] => format!("{what} {rp_id}"),
        accounts => format!("{what} {rp_id} as {}", accounts.join(" or ")),
    }
}

/// What the usual refusals mean.
const fn meaning(status: u8) -> &'static str {
    match status {
        0x19 => ": this phone has a passkey of this account already",
        0x26 => ": the website accepts no algorithm of this phone",
        0x27 => ": refused",
        0x28 => ": no room for more passkeys",
        0x2B | 0x2C => ": the computer asks for what this phone cannot do",
        0x2E => ": no passkey for it on this phone",
        0x2F => ": nobody decided in time",
        _ => "",
    }
}

/// How events are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Sentences.
    Sentences,
    /// One JSON object a line.
    Json,
}

/// Takes events and tells them.
pub struct Reporter {
    style: Style,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Reporter {
    /// Tells events to `out`.
    pub fn new(style: Style, out: Box<dyn Write + Send>) -> Self {
        Self { style, out: Mutex::new(out) }
    }

    /// Tells an event at once. Nobody listening is no reason to stop.
    pub(crate) fn tell(&self, event: &Event) {
        let line = match self.style {
            Style::Sentences => event.sentence(),
            Style::Json => serde_json::to_string(event).ok(),
        };
        let Some(line) = line else { return };
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("style", &self.style).finish_non_exhaustive()
    }
}
