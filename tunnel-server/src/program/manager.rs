//! What the service manager is told: that the service is ready, reloads, stops, and that it is alive.
//!
//! Without a service manager, all of this does nothing.

use std::time::Duration;

use hybridge_relay::Service;
use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Connections are taken.
pub(crate) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The settings are being read again; [`ready`] ends it.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now, NotifyState::Status("reading the settings")]),
        Err(error) => tracing::warn!(%error, "the service manager is not told of the reload"),
    }
}

/// The service stops, which may take as long as `limit`.
pub(crate) fn stopping(status: &str, limit: Duration) {
    let limit = u32::try_from(limit.as_micros()).unwrap_or(u32::MAX);
    let more = NotifyState::ExtendTimeoutUsec(limit);
    notify(&[NotifyState::Stopping, NotifyState::Status(status), more]);
}

/// Tells the service manager at half of its interval that the service is alive, for as long as its event loop and
/// its table of tunnels answer. Ends at once where no watchdog is wanted.
pub(crate) async fn watchdog(service: Service) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let half = limit.checked_div(2).unwrap_or(limit).max(Duration::from_millis(1));
    let mut ticks = interval(half);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if answers(&service, half).await {
            notify(&[NotifyState::Watchdog]);
        } else {
            tracing::error!(
                "the event loop does not answer; the service manager is not told that all is well"
            );
        }
    }
}

/// Whether a new task gets its turn and finds the table of tunnels free.
async fn answers(service: &Service, limit: Duration) -> bool {
    let service = service.clone();
    let task = tokio::spawn(async move { service.tunnel_count() });
    matches!(timeout(limit, task).await, Ok(Ok(_)))
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}
