//! What the window is told: one JSON object a line.

use serde::Deserialize;

use super::{
    code::CodeText,
    text::{Message, Name, Site},
};

/// Bytes of a line, without its end. Longer ones are passed over.
pub const MAX_LINE: usize = 64 * 1024;

/// A program that probably asks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Program {
    /// What it is called.
    pub name: Name,
    /// The number of its process.
    pub pid: Option<u32>,
}

/// A phone that can be called without a code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Phone {
    /// What the answer names it by.
    pub id: u64,
    /// What its owner calls it.
    pub name: Name,
}

/// What the phone is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// A passkey is made.
    Create,
    /// A passkey is used.
    Get,
}

/// Why a request ended without an answer of the phone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Reason {
    /// The kind of error, as `hybridge get --events json` has it.
    pub kind: Option<String>,
    /// What of Bluetooth it is.
    pub radio: Option<String>,
    /// What of the tunnel service it is.
    pub tunnel: Option<String>,
    /// The status of CTAP2 that the phone refused with.
    pub status: Option<u8>,
    /// The error in words.
    pub message: Option<Message>,
    /// The other side can try the same again.
    #[serde(default)]
    pub retry: bool,
}

/// One line.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names and members are those of `hybridge get` and `hybridge key`")]
pub enum Event {
    TouchWanted {
        #[serde(default)]
        programs: Vec<Program>,
    },
    PhoneWanted {
        operation: Operation,
        rp_id: Site,
        user: Option<Name>,
        origin: Option<Site>,
        #[serde(default)]
        programs: Vec<Program>,
    },
    Code {
        code: CodeText,
        rp_id: Site,
        seconds: u64,
        origin: Option<Site>,
    },
    CodeHidden,
    PhoneNearby,
    Connecting,
    Handshaking,
    Connected,
    WaitingForApproval,
    AttemptFailed {
        message: Message,
    },
    UnknownTunnelService {
        id: u16,
    },
    Answered {
        status: u8,
    },
    NotReached(Reason),
    Cancelled,
    Done,
    Failed(Reason),
    RememberedPhones {
        phones: Vec<Phone>,
    },
    Bluetooth {
        on: bool,
        message: Option<Message>,
    },
    Wink,
    Gone,
    #[serde(other)]
    Unknown,
}

impl Event {
    /// Reads a line without its end. `None` for what is no event: there may be lines for others between, and later
    /// versions may say more.
    pub fn read(line: &[u8]) -> Option<Self> {
        if line.len() > MAX_LINE {
            return None;
        }
        serde_json::from_slice(line).ok().filter(|event| !matches!(event, Self::Unknown))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_and_events_that_are_not_known_are_passed_over() {
        let line = br#"{"event":"phone-wanted","operation":"get","rp_id":"a.example","new":[1,{"b":2}],"user":null}"#;
        let Some(Event::PhoneWanted { rp_id, user: None, origin: None, programs, .. }) = Event::read(line)
        else {
            panic!("read");
        };
        assert_eq!((rp_id.as_str(), programs.len()), ("a.example", 0));
        for line in [
            r#"{"event":"later","rp_id":4}"#,
            r#"{"event":"code","code":5,"rp_id":"a","seconds":1}"#,
            r#"{"event":"code","code":"x","rp_id":"a","seconds":-1}"#,
            r#"{"event":"phone-wanted","operation":"delete","rp_id":"a"}"#,
            "[]",
            "",
            "{",
            r#"{"event":"wink"} {"event":"wink"}"#,
        ] {
            assert!(Event::read(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let line = |length| format!(r#"{{"event":"wink","x":"{}"}}"#, "x".repeat(length));
        let around = line(0).len();
        assert!(Event::read(line(MAX_LINE - around).as_bytes()).is_some());
        assert!(Event::read(line(MAX_LINE - around + 1).as_bytes()).is_none());
    }

    #[test]
    fn the_code_is_not_in_debug() {
        let line = br#"{"event":"code","code":"FIDO:/1234","rp_id":"a.example","seconds":30}"#;
        let shown = format!("{:?}", Event::read(line).unwrap());
        assert!(shown.contains("a.example") && !shown.contains("1234"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_passed_over(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Event::read(&bytes);
        }
    }
}
