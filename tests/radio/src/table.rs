//! The table of cases.

use std::error::Error;
use std::future::Future;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use hybridge_ble::RadioError;
use hybridge_ble::conformance::Problem;
use thiserror::Error;
use tokio::time::timeout;

/// Far more than any case takes.
const LONG: Duration = Duration::from_secs(60);

/// As wide as the longest name of a case, in characters.
const WIDTH: usize = 46;

/// Why a case failed, or the run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// A radio failed.
    #[error(transparent)]
    Radio(#[from] RadioError),
    /// A radio broke a promise.
    #[error(transparent)]
    Promise(#[from] Problem),
    /// A program, file or pipe failed.
    #[error(transparent)]
    System(#[from] io::Error),
    /// Something else that the case needs failed.
    #[error("{what} failed")]
    Needed {
        /// What it is.
        what: &'static str,
        /// How it failed.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Something else happened than has to.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What has to happen.
        expected: &'static str,
        /// What happened.
        found: String,
    },
    /// It takes far too long.
    #[error("not done in time")]
    Stuck,
    /// The table is not as it has to be.
    #[error("{title}: {failed} of {ran} cases failed, and {missing} did not run")]
    Cases {
        /// Of which table.
        title: &'static str,
        /// How many failed.
        failed: usize,
        /// How many ran.
        ran: usize,
        /// How many others there are.
        missing: usize,
    },
}

impl Failure {
    /// Something else happened than has to.
    pub fn unexpected(expected: &'static str, found: impl std::fmt::Debug) -> Self {
        Self::Unexpected { expected, found: format!("{found:?}") }
    }

    /// Something that the case needs failed.
    pub fn needed<E: Error + Send + Sync + 'static>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Needed { what, source: source.into() }
    }

    /// The text, and those of the causes.
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(deeper) = cause {
            text = format!("{text}: {deeper}");
            cause = deeper.source();
        }
        text
    }
}

/// What came of each case.
pub struct Table {
    title: &'static str,
    expected: usize,
    limit: Duration,
    ran: usize,
    failed: usize,
}

impl Table {
    /// A table that has to have so many rows in the end.
    pub const fn new(title: &'static str, expected: usize) -> Self {
        Self { title, expected, limit: LONG, ran: 0, failed: 0 }
    }

    /// The same table for cases that may take so long, in place of a minute.
    pub const fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Runs a case and prints its row at once, so that it is seen even if a later case ends all of them.
    ///
    /// # Cancel safety
    /// Dropping the future drops the case, and it has no row.
    pub async fn case(&mut self, name: impl Into<String>, case: impl Future<Output = Result<(), Failure>>) {
        if self.ran == 0 {
            tell(self.title);
        }
        let begun = Instant::now();
        let result = timeout(self.limit, case).await.unwrap_or(Err(Failure::Stuck));
        let fault = result.err().map(|failure| failure.with_causes());
        let verdict = fault.as_ref().map_or_else(|| "ok".to_owned(), |fault| format!("FAILED: {fault}"));
        let (name, seconds) = (name.into(), begun.elapsed().as_secs_f64());
        tell(&format!("  {name:WIDTH$}  {seconds:>7.2} s  {verdict}"));
        self.ran += 1;
        self.failed += usize::from(fault.is_some());
    }

    /// Prints how many rows there are.
    ///
    /// # Errors
    /// [`Failure::Cases`] if a row is a failure or is missing.
    pub fn print(&self) -> Result<(), Failure> {
        let Self { title, expected, ran, failed, .. } = *self;
        let missing = expected.saturating_sub(ran);
        if failed > 0 || missing > 0 {
            return Err(Failure::Cases { title, failed, ran, missing });
        }
        tell(&format!("{title}: {ran} of {expected} cases: ok"));
        Ok(())
    }
}

/// Writes a line to standard output. That nobody reads it is no failure of a radio.
pub fn tell(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
