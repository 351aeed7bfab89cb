//! What comes over the interface, from bytes.

use std::{fmt, time::Duration};

use hybridge_proto::qr::QrCode;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::phone::{Answer, PhoneState};

/// How long a request for a status waits where it does not say.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest that a request waits.
const LONGEST: Duration = Duration::from_secs(600);

/// Why a request is not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadRequest {
    /// The body is not the JSON that belongs to this request.
    #[error("the body is not the JSON object that belongs to this request (line {line}, column {column})")]
    Json {
        /// Where reading stopped, counted from 1.
        line: usize,
        /// Where reading stopped, counted from 1.
        column: usize,
    },
    /// The code is none of the hybrid transport's.
    #[error("this is not the text of a passkey QR code: it begins with FIDO:/ and has digits after that")]
    Code,
    /// There is no state of this name.
    #[error(
        "the phone has no such state: wait for idle, connecting, advertising, connected, asking, answered, finished or failed"
    )]
    State,
    /// A parameter that is not known, or has no number where one belongs.
    #[error("the parameters are not understood: there are wait, session and timeout_ms")]
    Parameter,
}

impl From<serde_json::Error> for BadRequest {
    /// Says where, and not what was there: codes are secrets.
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column() }
    }
}

/// A code for the phone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ScanRequest {
    /// Its text.
    pub code: String,
}

impl ScanRequest {
    /// Reads the body of a request. The code in it holds.
    ///
    /// # Errors
    /// [`BadRequest`].
    pub fn parse(body: &[u8]) -> Result<Self, BadRequest> {
        let request: Self = serde_json::from_slice(body)?;
        QrCode::parse(&request.code).map_err(|_| BadRequest::Code)?;
        Ok(request)
    }
}

impl fmt::Debug for ScanRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanRequest").finish_non_exhaustive()
    }
}

/// What is to be different from now on. What is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ScriptChange {
    /// What the owner says.
    pub answer: Option<Answer>,
    /// How long the owner takes, in milliseconds.
    pub delay_ms: Option<u64>,
    /// The account that is picked; `Some(None)` to leave it to the phone.
    #[serde(default, deserialize_with = "present")]
    pub account: Option<Option<String>>,
    /// Whether Bluetooth is on.
    pub radio: Option<bool>,
}

impl ScriptChange {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`BadRequest::Json`].
    pub fn parse(body: &[u8]) -> Result<Self, BadRequest> {
        Ok(serde_json::from_slice(body)?)
    }
}

/// Tells null from nothing.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// What is to be waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusRequest {
    /// Names of states, one of which is waited for; none if any will do.
    pub states: Vec<String>,
    /// The first session that counts.
    pub session: u64,
    /// How long to wait.
    pub timeout: Duration,
}

impl StatusRequest {
    /// Reads the query of a request, without the question mark.
    ///
    /// # Errors
    /// [`BadRequest::State`] and [`BadRequest::Parameter`].
    pub fn parse(query: &str) -> Result<Self, BadRequest> {
        let mut request = Self { states: Vec::new(), session: 0, timeout: PATIENCE };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(BadRequest::Parameter)?;
            let number = || value.parse::<u64>().map_err(|_| BadRequest::Parameter);
            match name {
                // A comma may come in its escaped form.
                "wait" => {
                    let value = value.replace("%2C", ",").replace("%2c", ",");
                    request.states = value.split(',').map(state).collect::<Result<_, _>>()?;
                }
                "session" => request.session = number()?,
                "timeout_ms" => request.timeout = Duration::from_millis(number()?).min(LONGEST),
                _ => return Err(BadRequest::Parameter),
            }
        }
        Ok(request)
    }
}

fn state(name: &str) -> Result<String, BadRequest> {
    if PhoneState::NAMES.contains(&name) { Ok(name.to_owned()) } else { Err(BadRequest::State) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_script_changes_only_what_it_names() {
        let parse = |text: &str| ScriptChange::parse(text.as_bytes());
        assert_eq!(parse("{}").unwrap(), ScriptChange::default());
        let change = parse(r#"{"answer":"wait","delay_ms":5,"account":"ada","radio":false}"#).unwrap();
        assert_eq!((change.answer, change.delay_ms), (Some(Answer::Wait), Some(5)));
        assert_eq!((change.account, change.radio), (Some(Some("ada".to_owned())), Some(false)));
        assert_eq!(parse(r#"{"account":null}"#).unwrap().account, Some(None));
        for wrong in ["", "[]", "{", r#"{"answer":"maybe"}"#, r#"{"delay":1}"#, r#"{"delay_ms":-1}"#, "{}x"] {
            assert!(matches!(parse(wrong), Err(BadRequest::Json { .. })), "{wrong}");
        }
    }

    #[test]
    fn a_wait_names_states_a_session_and_a_time() {
        let request = StatusRequest::parse("wait=asking%2Cfailed&session=2&timeout_ms=10").unwrap();
        assert_eq!(request.states, ["asking", "failed"]);
        assert_eq!((request.session, request.timeout), (2, Duration::from_millis(10)));
        assert_eq!(StatusRequest::parse("").unwrap().timeout, PATIENCE);
        assert_eq!(StatusRequest::parse("timeout_ms=99999999999").unwrap().timeout, LONGEST);
        assert_eq!(StatusRequest::parse("wait=sleeping"), Err(BadRequest::State));
        for wrong in ["wait", "session=x", "timeout=1", "session=-1"] {
            assert_eq!(StatusRequest::parse(wrong), Err(BadRequest::Parameter), "{wrong}");
        }
    }

    #[test]
    fn an_error_does_not_repeat_what_was_sent() {
        let error = ScanRequest::parse(br#"{"code":"FIDO:/SECRET"}"#).unwrap_err();
        assert_eq!(error, BadRequest::Code);
        let error = ScanRequest::parse(br#"{"code":SECRET}"#).unwrap_err().to_string();
        assert!(!error.contains("SECRET"), "{error}");
    }

    proptest! {
        #[test]
        fn nothing_that_comes_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(request) = ScanRequest::parse(&body) {
                prop_assert!(QrCode::parse(&request.code).is_ok());
            }
            let _ = ScriptChange::parse(&body);
            if let Ok(request) = StatusRequest::parse(&String::from_utf8_lossy(&body)) {
                prop_assert!(request.timeout <= LONGEST);
            }
        }

        #[test]
        fn what_is_written_is_read(delay in any::<u64>(), radio in any::<bool>(), account in ".{0,20}") {
            let text = serde_json::json!({"delay_ms": delay, "radio": radio, "account": account}).to_string();
            let change = ScriptChange::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(change.delay_ms, Some(delay));
            prop_assert_eq!(change.radio, Some(radio));
            prop_assert_eq!(change.account, Some(Some(account)));
        }
    }
}
