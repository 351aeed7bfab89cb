//! BlueZ, asked directly for what btleplug does not tell.

use ::btleplug::Error;
use ::btleplug::api::{Central, Manager as _, ScanFilter};
use ::btleplug::platform::{Adapter, Manager};
use bluez_async::BluetoothError;
use tokio::sync::watch;

use crate::RadioError;
use crate::system_bus::{Bus, Watch, named, refusal};

/// An adapter of BlueZ.
pub(in crate::btleplug) struct Host {
    bus: Bus,
    watch: Watch,
    adapter: Adapter,
    name: String,
}

impl Host {
    pub(in crate::btleplug) async fn open(wanted: Option<&str>) -> Result<Self, RadioError> {
        let bus = Bus::connect().await?;
        let name = bus.choose(wanted).await?.name;
        let watch = bus.watch(&name).await?;
        let manager = Manager::new().await.map_err(|cause| sort("connect", cause))?;
        let adapters = manager.adapters().await.map_err(|cause| sort("list its adapters", cause))?;
        for adapter in adapters {
            // BlueZ's name for it, then more in brackets.
            let info = adapter.adapter_info().await.unwrap_or_default();
            if info.split_whitespace().next() == Some(name.as_str()) {
                return Ok(Self { bus, watch, adapter, name });
            }
        }
        Err(RadioError::NoAdapter)
    }

    pub(in crate::btleplug) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::btleplug) fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// Counts what may have made the adapter forget that it is to listen.
    pub(in crate::btleplug) fn upsets(&self) -> watch::Receiver<u64> {
        self.watch.upsets()
    }

    /// Whether the adapter can be used right now.
    pub(in crate::btleplug) async fn look(&self) -> Result<(), RadioError> {
        self.bus.look(&self.name).await
    }

    /// Waits until the adapter can be used again, or is likely to stay as it is.
    pub(in crate::btleplug) async fn settle(&self) -> Result<(), RadioError> {
        self.bus.settle(&self.name).await
    }

    pub(in crate::btleplug) async fn start(&self) -> Result<(), RadioError> {
        let started = self.adapter.start_scan(ScanFilter::default()).await;
        started.map_err(|cause| sort("scan", cause))
    }

    /// Stops listening. When that fails, there is nothing that still listens.
    pub(in crate::btleplug) async fn stop(&self) {
        if self.bus.is_gone() {
            // The library would wait for an answer.
            return;
        }
        let _ = self.adapter.stop_scan().await;
    }
}

/// Sorts an error by what the user can do about it. `action` follows the words "failed to".
pub(in crate::btleplug) fn sort(action: &'static str, error: Error) -> RadioError {
    match error {
        Error::PermissionDenied => RadioError::PermissionDenied,
        Error::NoAdapterAvailable => RadioError::NoAdapter,
        Error::Other(cause) => match cause.downcast::<BluetoothError>() {
            Ok(cause) => match *cause {
                BluetoothError::DbusError(cause) => refusal(action, cause),
                cause => named(action, "", cause.into()),
            },
            Err(cause) => named(action, "", cause),
        },
        cause => named(action, "", cause.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_that_btleplug_wraps_are_seen_through() {
        let wrapped = |name| {
            let cause = dbus::Error::new_custom(name, "as it is");
            sort("scan", Error::from(BluetoothError::DbusError(cause)))
        };
        assert!(matches!(wrapped("org.bluez.Error.NotReady"), RadioError::PoweredOff));
        let denied = wrapped("org.freedesktop.DBus.Error.AccessDenied");
        assert!(matches!(denied, RadioError::PermissionDenied));
        let busy = wrapped("org.bluez.Error.InProgress");
        assert!(matches!(busy, RadioError::Driver { action: "scan", .. }));
    }

    #[test]
    fn its_own_errors_are_sorted() {
        assert!(matches!(sort("scan", Error::PermissionDenied), RadioError::PermissionDenied));
        assert!(matches!(sort("scan", Error::NoAdapterAvailable), RadioError::NoAdapter));
        let strange = sort("scan", Error::RuntimeError("strange".into()));
        assert!(
            matches!(strange, RadioError::Driver { source, .. } if source.to_string().contains("strange"))
        );
    }
}
