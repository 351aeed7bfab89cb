//! How many connections are served at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A number of places that can be changed while some are taken.
#[derive(Debug)]
pub(crate) struct Places {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    limit: usize,
    taken: usize,
}

/// One place; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Places>);

impl Places {
    pub(crate) fn new(limit: usize) -> Self {
        Self { state: Mutex::new(State { limit, taken: 0 }), changed: Notify::new() }
    }

    /// Changes how many places there are. Those that are taken stay taken.
    pub(crate) fn set_limit(&self, limit: usize) {
        self.state().limit = limit;
        self.changed.notify_waiters();
    }

    /// Takes a place if one is free.
    pub(crate) fn try_take(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.state();
        if state.taken >= state.limit {
            return None;
        }
        state.taken = state.taken.saturating_add(1);
        Some(Place(Arc::clone(self)))
    }

    /// Takes a place, as soon as one is free.
    pub(crate) async fn take(self: &Arc<Self>) -> Place {
        loop {
            // Before looking, so that nothing is missed.
            let changed = self.changed.notified();
            if let Some(place) = self.try_take() {
                return place;
            }
            changed.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.taken = state.taken.saturating_sub(1);
        drop(state);
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_place_is_had_when_one_is_given_up_or_added() {
        let places = Arc::new(Places::new(1));
        let first = places.take().await;
        assert!(timeout(Duration::from_secs(1), places.take()).await.is_err());
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take().await }
        });
        tokio::task::yield_now().await;
        drop(first);
        let second = waiting.await.unwrap();

        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take().await }
        });
        tokio::task::yield_now().await;
        places.set_limit(2);
        let third = waiting.await.unwrap();
        places.set_limit(1);
        drop(second);
        assert!(places.try_take().is_none());
        drop(third);
        assert!(places.try_take().is_some());
    }
}
