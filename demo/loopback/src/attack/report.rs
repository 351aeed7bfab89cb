//! What came of an attack, for people and for programs.

use std::{
    fmt,
    io::{self, Write},
    time::Duration,
};

use hybridge_authenticator::Error as PhoneError;
use hybridge_ble::RadioError;
use hybridge_client::{AttemptError, Error as LaptopError};
use hybridge_proto::{frame::FrameError, link::LinkError};
use hybridge_tunnel::{ChannelError, DialError};
use serde_json::{Value, json};

use super::failure::Failure;
use crate::{browser::BrowserError, relying_party::RelyingPartyError};

/// Who refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Party {
    /// The laptop, its browser included.
    Laptop,
    /// The phone.
    Phone,
    /// The tunnel service.
    TunnelService,
    /// The website.
    Website,
}

/// One refusal: who refused, and the error that says so.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The laptop's session ended with this error.
    Laptop(LaptopError),
    /// The laptop gave up one phone with this error and looked on.
    Attempt(AttemptError),
    /// The laptop did not take this linking information; its session went on.
    Link(LinkError),
    /// The laptop heard adverts and followed none of them.
    Ignored {
        /// How many it heard.
        heard: usize,
    },
    /// The laptop's browser did not take the phone's reply.
    Browser(BrowserError),
    /// The laptop's frames ended with this error.
    Frame(FrameError),
    /// The phone's session ended with this error.
    Phone(PhoneError),
    /// The tunnel service did not let the attacker in.
    Dial(DialError),
    /// The tunnel service hung up on the attacker.
    HungUp(ChannelError),
    /// The attacker's Bluetooth connection was ended.
    TurnedAway {
        /// By whom.
        by: Party,
        /// What the attacker's radio says.
        error: RadioError,
    },
    /// The website did not take the response.
    Website(RelyingPartyError),
}

impl Refusal {
    /// Who refused.
    pub const fn party(&self) -> Party {
        match self {
            Self::Laptop(_)
            | Self::Attempt(_)
            | Self::Link(_)
            | Self::Ignored { .. }
            | Self::Browser(_)
            | Self::Frame(_) => Party::Laptop,
            Self::Phone(_) => Party::Phone,
            Self::Dial(_) | Self::HungUp(_) => Party::TunnelService,
            Self::TurnedAway { by, .. } => *by,
            Self::Website(_) => Party::Website,
        }
    }

    /// The error as the program sees it: variants and their values.
    pub fn kind(&self) -> String {
        match self {
            Self::Laptop(error) => format!("{error:?}"),
            Self::Attempt(error) => format!("{error:?}"),
            Self::Link(error) => format!("{error:?}"),
            Self::Ignored { .. } => "Ignored".to_owned(),
            Self::Browser(error) => format!("{error:?}"),
            Self::Frame(error) => format!("{error:?}"),
            Self::Phone(error) => format!("{error:?}"),
            Self::Dial(error) => format!("{error:?}"),
            Self::HungUp(error) => format!("{error:?}"),
            Self::TurnedAway { error, .. } => format!("{error:?}"),
            Self::Website(error) => format!("{error:?}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Laptop(error) => error.fmt(f),
            Self::Attempt(error) => error.fmt(f),
            Self::Link(error) => error.fmt(f),
            Self::Ignored { heard } => write!(f, "{heard} adverts heard and none followed"),
            Self::Browser(error) => error.fmt(f),
            Self::Frame(error) => error.fmt(f),
            Self::Phone(error) => error.fmt(f),
            Self::Dial(error) => error.fmt(f),
            Self::HungUp(error) => error.fmt(f),
            Self::TurnedAway { error, .. } => error.fmt(f),
            Self::Website(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Laptop => "laptop",
            Self::Phone => "phone",
            Self::TunnelService => "tunnel service",
            Self::Website => "website",
        })
    }
}

/// An attack that was refused.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// The attack's name.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub description: &'static str,
    /// What the attacker did, step by step.
    pub did: Vec<String>,
    /// What was refused and by whom, in the order of checking. Never empty.
    pub refusals: Vec<Refusal>,
    /// Whether the owner signed in all the same, as an attack that fails altogether lets them.
    pub owner_signed_in: bool,
    /// How long it took to set everything up and to go through the same without the manipulation.
    pub control: Duration,
    /// How long the attack took.
    pub took: Duration,
}

impl Report {
    /// Lines for a person.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}: {}", self.name, self.description)?;
        writeln!(out, "  control   without the manipulation it works ({} ms)", self.control.as_millis())?;
        for did in &self.did {
            writeln!(out, "  attacker  {did}")?;
        }
        for refusal in &self.refusals {
            writeln!(out, "  refused   by the {}: {refusal}", refusal.party())?;
            writeln!(out, "            {}", refusal.kind())?;
        }
        let signed_in =
            if self.owner_signed_in { "the owner signed in, nobody else" } else { "nobody signed in" };
        writeln!(out, "  website   {signed_in}")?;
        writeln!(out, "  result    refused, in {} ms", self.took.as_millis())
    }

    /// One object with the same contents. Times are in milliseconds.
    pub fn to_json(&self) -> Value {
        let refusals: Vec<Value> = self.refusals.iter().map(refusal_json).collect();
        json!({
            "attack": self.name,
            "description": self.description,
            "refused": true,
            "did": self.did,
            "refusals": refusals,
            "owner_signed_in": self.owner_signed_in,
            "control_ms": millis(self.control),
            "took_ms": millis(self.took),
        })
    }
}

fn refusal_json(refusal: &Refusal) -> Value {
    json!({
        "by": refusal.party().to_string(),
        "error": refusal.kind(),
        "text": refusal.to_string(),
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// One object for an attack that was not refused.
pub(super) fn failure_json(name: &str, failure: &Failure) -> Value {
    json!({ "attack": name, "refused": false, "error": failure.to_string() })
}
