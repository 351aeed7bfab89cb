//! What a scripted phone is doing.

use hybridge_authenticator::Progress;
use serde::Serialize;

/// What the phone does, and for which of the codes that it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PhoneStatus {
    /// Counts the codes; 0 before the first.
    pub session: u64,
    /// What it does.
    #[serde(flatten)]
    pub state: PhoneState,
}

impl Default for PhoneStatus {
    fn default() -> Self {
        Self { session: 0, state: PhoneState::Idle }
    }
}

/// What a phone does about a code. As JSON, an object whose member `state` is the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PhoneState {
    /// Nothing: it has not been shown a code yet.
    Idle,
    /// It opens a tunnel.
    Connecting,
    /// Its advert is on the air.
    Advertising,
    /// A computer that heard the advert has joined.
    Connected,
    /// It asks its owner.
    Asking(Question),
    /// It has answered a request, and waits for more or for the computer to be done.
    Answered {
        /// The CTAP status; 0 is success.
        status: u8,
    },
    /// The computer is done.
    Finished {
        /// The CTAP status of the last answer; 0 is success.
        status: Option<u8>,
    },
    /// It was not possible to answer the code.
    Failed {
        /// Why, for people.
        reason: String,
    },
}

impl PhoneState {
    /// The names of all states in JSON.
    pub const NAMES: [&'static str; 8] =
        ["idle", "connecting", "advertising", "connected", "asking", "answered", "finished", "failed"];

    /// Its name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Advertising => "advertising",
            Self::Connected => "connected",
            Self::Asking(_) => "asking",
            Self::Answered { .. } => "answered",
            Self::Finished { .. } => "finished",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether it is busy with a code.
    pub const fn is_running(&self) -> bool {
        !matches!(self, Self::Idle | Self::Finished { .. } | Self::Failed { .. })
    }

    /// What the progress of a session says about the phone. Its owner says the rest.
    pub(super) const fn of(progress: &Progress) -> Option<Self> {
        match progress {
            Progress::Connecting => Some(Self::Connecting),
            Progress::Advertising => Some(Self::Advertising),
            Progress::ClientConnected => Some(Self::Connected),
            Progress::Replied { status } => Some(Self::Answered { status: *status }),
            _ => None,
        }
    }
}

/// What the phone asks its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Question {
    /// Whether to make a passkey.
    Create {
        /// The website.
        rp_id: String,
        /// The account's name.
        user: Option<String>,
    },
    /// Whether to sign in with a passkey.
    Get {
        /// The website.
        rp_id: String,
        /// The account's name.
        user: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn json_carries_the_name_and_what_belongs_to_it() {
        let question = Question::Get { rp_id: "example.com".into(), user: Some("ada".into()) };
        let states = [
            (PhoneState::Idle, json!({"state": "idle"})),
            (
                PhoneState::Asking(question),
                json!({"state": "asking", "operation": "get", "rp_id": "example.com", "user": "ada"}),
            ),
            (PhoneState::Answered { status: 39 }, json!({"state": "answered", "status": 39})),
            (PhoneState::Finished { status: None }, json!({"state": "finished", "status": null})),
            (
                PhoneState::Failed { reason: "because".into() },
                json!({"state": "failed", "reason": "because"}),
            ),
        ];
        for (state, expected) in states {
            assert_eq!(to_value(&state).unwrap(), expected);
            assert_eq!(expected["state"], state.name());
            assert!(PhoneState::NAMES.contains(&state.name()));
        }
        let status = PhoneStatus { session: 3, state: PhoneState::Connected };
        assert_eq!(to_value(status).unwrap(), json!({"session": 3, "state": "connected"}));
    }
}
