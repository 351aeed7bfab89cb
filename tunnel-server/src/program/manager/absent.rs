//! Where there is no service manager that wants to be told anything.

use std::{future::pending, time::Duration};

use hybridge_relay::Service;

/// Connections are taken.
pub(crate) const fn ready(_status: &str) {}

/// The service stops, which may take as long as `_limit`.
pub(crate) const fn stopping(_status: &str, _limit: Duration) {}

/// No watchdog is wanted.
pub(crate) async fn watchdog(_service: Service) {
    pending().await
}

/// The settings are being read again.
pub(crate) const fn reloading() {}
