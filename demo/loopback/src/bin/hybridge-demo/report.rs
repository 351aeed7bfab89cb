//! What a run comes to, for programs.

use std::time::Duration;

use serde::Serialize;

use crate::{
    error::Failure,
    record::{Milestones, Record},
};

/// The object that `--json` prints. Times are in milliseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Whether the website verified a new passkey.
    registered: bool,
    /// Whether the website verified a signature by it.
    signed_in: bool,
    seed: u64,
    /// Absent unless something failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    timings_ms: Timings,
}

#[derive(Debug, Serialize)]
struct Timings {
    /// Of the whole program, the making of its world included.
    total: f64,
    registration: Option<Ceremony>,
    sign_in: Option<Ceremony>,
}

/// Each counts from the beginning of the ceremony; null if it was not reached.
#[derive(Debug, Serialize)]
struct Ceremony {
    code_shown: Option<f64>,
    phone_nearby: Option<f64>,
    connected: Option<f64>,
    verified: Option<f64>,
}

impl Report {
    pub(crate) fn new(record: &Record, seed: u64, total: Duration, failure: Option<&Failure>) -> Self {
        Self {
            registered: record.registered(),
            signed_in: record.signed_in(),
            seed,
            error: failure.map(Failure::in_one_line),
            timings_ms: Timings {
                total: milliseconds(total),
                registration: record.registration.map(Ceremony::new),
                sign_in: record.sign_in.map(Ceremony::new),
            },
        }
    }
}

impl Ceremony {
    fn new(times: Milestones) -> Self {
        let since = |time: Option<Duration>| time.map(|time| milliseconds(time.saturating_sub(times.begun)));
        Self {
            code_shown: since(times.shown),
            phone_nearby: since(times.nearby),
            connected: since(times.connected),
            verified: since(times.verified),
        }
    }
}

/// To a hundredth: finer is noise.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}
