//! Systems without BlueZ, as far as btleplug tells about them.

use std::time::Duration;

use ::btleplug::Error;
use ::btleplug::api::{Central, CentralState, Manager as _, ScanFilter};
use ::btleplug::platform::{Adapter, Manager};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use crate::RadioError;

/// How often the adapter is looked at while it may be in use.
const LOOK: Duration = Duration::from_secs(1);
/// How long an adapter may be off or gone before that is final.
const FLICKER: Duration = Duration::from_secs(2);
/// The pause between two looks at one that is off or gone.
const PAUSE: Duration = Duration::from_millis(50);

/// An adapter of this system.
pub(in crate::btleplug) struct Host {
    adapter: Adapter,
    name: String,
    upsets: watch::Receiver<u64>,
    watcher: AbortHandle,
}

impl Host {
    pub(in crate::btleplug) async fn open(wanted: Option<&str>) -> Result<Self, RadioError> {
        let manager = Manager::new().await.map_err(|cause| sort("connect", cause))?;
        let adapters = manager.adapters().await.map_err(|cause| sort("list its adapters", cause))?;
        let mut present = Vec::new();
        let mut off = false;
        for adapter in adapters {
            let name = adapter.adapter_info().await.unwrap_or_default();
            if wanted.is_none_or(|wanted| wanted == name) {
                match usable(&adapter).await {
                    Err(RadioError::PoweredOff) => off = true,
                    result => return result.map(|()| Self::new(adapter, name)),
                }
            }
            present.push(name);
        }
        match wanted {
            _ if off => Err(RadioError::PoweredOff),
            Some(name) => Err(RadioError::AdapterNotFound { name: name.to_owned(), present }),
            None => Err(RadioError::NoAdapter),
        }
    }

    fn new(adapter: Adapter, name: String) -> Self {
        let (sender, upsets) = watch::channel(0);
        let watcher = tokio::spawn(watch_power(adapter.clone(), sender)).abort_handle();
        Self { adapter, name, upsets, watcher }
    }

    pub(in crate::btleplug) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::btleplug) fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// Counts what may have made the adapter forget that it is to listen.
    pub(in crate::btleplug) fn upsets(&self) -> watch::Receiver<u64> {
        self.upsets.clone()
    }

    /// Whether the adapter can be used right now.
    pub(in crate::btleplug) async fn look(&self) -> Result<(), RadioError> {
        usable(&self.adapter).await
    }

    /// Waits until the adapter can be used again, or is likely to stay as it is.
    pub(in crate::btleplug) async fn settle(&self) -> Result<(), RadioError> {
        let upset = Instant::now();
        loop {
            let result = self.look().await;
            if result.is_ok() || upset.elapsed() >= FLICKER {
                return result;
            }
            sleep(PAUSE).await;
        }
    }

    pub(in crate::btleplug) async fn start(&self) -> Result<(), RadioError> {
        let started = self.adapter.start_scan(ScanFilter::default()).await;
        started.map_err(|cause| sort("scan", cause))
    }

    /// Stops listening. When that fails, there is nothing that still listens.
    pub(in crate::btleplug) async fn stop(&self) {
        let _ = self.adapter.stop_scan().await;
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

async fn usable(adapter: &Adapter) -> Result<(), RadioError> {
    match adapter.adapter_state().await.map_err(|cause| sort("look at its adapter", cause))? {
        CentralState::PoweredOff => Err(RadioError::PoweredOff),
        // A system that does not tell is tried.
        CentralState::PoweredOn | CentralState::Unknown => Ok(()),
    }
}

async fn watch_power(adapter: Adapter, upsets: watch::Sender<u64>) {
    let mut usable_before = true;
    loop {
        sleep(LOOK).await;
        let usable_now = usable(&adapter).await.is_ok();
        if usable_now != usable_before {
            upsets.send_modify(|count| *count = count.wrapping_add(1));
        }
        usable_before = usable_now;
    }
}

/// Sorts an error by what the user can do about it. `action` follows the words "failed to".
pub(in crate::btleplug) fn sort(action: &'static str, error: Error) -> RadioError {
    match error {
        Error::PermissionDenied => RadioError::PermissionDenied,
        Error::NoAdapterAvailable => RadioError::NoAdapter,
        Error::NotSupported(_) => RadioError::Unsupported { action },
        cause => RadioError::Driver { action, source: cause.into() },
    }
}
