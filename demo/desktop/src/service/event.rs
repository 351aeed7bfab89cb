//! What the key tells, as far as the service has to know it. The rest is the window's.

use serde::Deserialize;

/// Characters of a message at most; the rest is left out.
const MAX_MESSAGE: usize = 300;

/// An event of `hybridge key --events json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Programs see a security key now.
    Ready,
    /// They see none for a while.
    Gone,
    /// A question, with its number. A touch can be agreed to.
    Question { number: Option<u64>, touch: bool },
    /// The request is over, and there is a result to be seen.
    Answered,
    /// The request is over: no phone was reached. The message is about Bluetooth, if that is why.
    NotReached { bluetooth: Option<String> },
    /// The request is over, and there is nothing to be seen.
    Cancelled,
    /// Bluetooth is on now, or why not.
    Bluetooth { on: bool, message: Option<String> },
    /// Why there is no security key any more.
    Failed { message: String },
    /// Anything that only the window has to know.
    Other,
}

/// The members that are looked at. A code is none of them.
#[derive(Deserialize)]
struct Members {
    event: String,
    kind: Option<String>,
    question: Option<u64>,
    radio: Option<String>,
    on: Option<bool>,
    message: Option<String>,
}

impl Event {
    /// Reads a line. `None` if it is no event, such as the message of a crash.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        let Members { event, kind, question, radio, on, message } = serde_json::from_slice(line).ok()?;
        let message = message.map(|message| plain(&message));
        Some(match event.as_str() {
            "ready" => Self::Ready,
            "gone" => Self::Gone,
            "touch-wanted" => Self::Question { number: question, touch: true },
            "phone-wanted" => Self::Question { number: question, touch: false },
            "answered" => Self::Answered,
            "not-reached" => {
                let bluetooth = radio.is_some() || kind.as_deref() == Some("no-radio");
                Self::NotReached { bluetooth: message.filter(|_| bluetooth) }
            }
            "cancelled" => Self::Cancelled,
            "bluetooth" => Self::Bluetooth { on: on.unwrap_or(false), message },
            "failed" => Self::Failed { message: message.unwrap_or_default() },
            _ => Self::Other,
        })
    }
}

/// A line of text that anything can show: no control characters, and not too long.
pub(crate) fn plain(text: &str) -> String {
    let letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    letters.take(MAX_MESSAGE).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn events_are_read() {
        for (line, event) in [
            (r#"{"event":"ready"}"#, Event::Ready),
            (
                r#"{"event":"touch-wanted","question":3,"programs":[]}"#,
                Event::Question { number: Some(3), touch: true },
            ),
            (r#"{"event":"phone-wanted","rp_id":"a"}"#, Event::Question { number: None, touch: false }),
            (
                r#"{"event":"not-reached","kind":"timed-out","message":"late"}"#,
                Event::NotReached { bluetooth: None },
            ),
            (
                r#"{"event":"not-reached","kind":"no-radio","radio":"bluetooth-off","message":"off\n\u0007"}"#,
                Event::NotReached { bluetooth: Some("off".to_owned()) },
            ),
            (
                r#"{"event":"not-reached","kind":"no-radio","message":"odd"}"#,
                Event::NotReached { bluetooth: Some("odd".to_owned()) },
            ),
            (r#"{"event":"bluetooth","on":true}"#, Event::Bluetooth { on: true, message: None }),
            (
                r#"{"event":"failed","exit_code":3,"message":"no"}"#,
                Event::Failed { message: "no".to_owned() },
            ),
            (r#"{"event":"code","code":"FIDO:/1","seconds":9}"#, Event::Other),
            (r#"{"event":"of a later version","question":1}"#, Event::Other),
        ] {
            assert_eq!(Event::read(line.as_bytes()), Some(event), "{line}");
        }
    }

    #[test]
    fn what_is_no_event_is_passed_over() {
        for line in [
            "",
            "thread 'main' panicked",
            "{}",
            "[]",
            "null",
            r#"{"event":7}"#,
            "{\"event\":\"ready\"",
            "\u{0}",
        ] {
            assert_eq!(Event::read(line.as_bytes()), None, "{line}");
        }
        assert_eq!(Event::read(b"\xff\xfe"), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Event::read(&line);
        }

        #[test]
        fn messages_have_bounds(message in "\\PC{0,400}|(.|\n){0,400}") {
            let line = serde_json::json!({"event": "failed", "message": message}).to_string();
            let Some(Event::Failed { message }) = Event::read(line.as_bytes()) else { panic!("{line}") };
            prop_assert!(message.chars().count() <= MAX_MESSAGE && !message.contains(char::is_control));
        }
    }
}
