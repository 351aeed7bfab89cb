//! What the handles of one air share, and how they wait.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::options::millis;
use super::state::State;

/// The state behind every handle of an air.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) started: Instant,
    /// Signalled when something is due earlier than it was.
    changed: watch::Sender<()>,
    /// Signalled when the trace grew.
    recorded: watch::Sender<()>,
}

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(state),
            started: Instant::now(),
            changed: watch::Sender::new(()),
            recorded: watch::Sender::new(()),
        }
    }

    /// Lets the air catch up with the clock, then looks at it.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.trace.recorded();
        state.advance(self.now());
        let result = look(&mut state);
        if state.trace.recorded() != before {
            self.recorded.send_replace(());
        }
        result
    }

    /// Like [`with`](Self::with), and wakes everybody who waits, because they may have to wait less now.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = self.with(change);
        self.changed.send_replace(());
        result
    }

    pub(crate) fn watch_changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(crate) fn watch_records(&self) -> watch::Receiver<()> {
        self.recorded.subscribe()
    }

    /// Waits until the given time in milliseconds, or for a change if that comes first.
    pub(crate) async fn pause(&self, until: Option<u64>, changes: &mut watch::Receiver<()>) {
        let wake = until.and_then(|due| self.started.checked_add(Duration::from_millis(due)));
        // Whatever ended the wait, the caller looks again. The sender lives as long as `self`.
        match wake {
            Some(wake) => drop(timeout_at(wake, changes.changed()).await),
            None => drop(changes.changed().await),
        }
    }

    /// The air's clock in milliseconds.
    fn now(&self) -> u64 {
        millis(Instant::now().saturating_duration_since(self.started))
    }
}
