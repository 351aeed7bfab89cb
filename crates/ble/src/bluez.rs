//! Advertising, and connections to other devices, with the system's Bluetooth adapter on Linux, through BlueZ.
//!
//! BlueZ's service `bluetoothd` has to run; the bus it is on is the system bus, or the one that the environment
//! variable `DBUS_SYSTEM_BUS_ADDRESS` names. An advert goes off the air when its handle is dropped, and also when the
//! process ends in any way, as BlueZ then withdraws what the process asked for.

mod advert;
mod inspect;
mod l2cap;
mod power;
mod queue;

use std::fmt;
use std::sync::Arc;

use bluer::{Adapter, ErrorKind, InternalErrorKind, Session};

pub use self::advert::SystemAdvert;
pub use self::inspect::{AdapterReport, InspectError, inspect};
pub use self::l2cap::{SystemListening, SystemSocket};
pub use self::power::{PowerError, switch_on};
use crate::system_bus::{Bus, Watch, named};
use crate::{Advertisement, Advertiser, PayloadLimit, RadioError};

/// An adapter of this computer, for sending and for connections.
///
/// It belongs to the tokio runtime that it was opened in, and needs its timers and input and output.
pub struct SystemRadio {
    host: Arc<Host>,
    adapter: Adapter,
}

/// What an adapter and the adverts that it sends are watched with.
struct Host {
    bus: Bus,
    watch: Watch,
    adapter: Adapter,
}

impl SystemRadio {
    /// Takes the adapter of the given name, as `hci0`, or the first that is switched on.
    ///
    /// # Errors
    /// [`RadioError::NoAdapter`] when there is none. [`RadioError::AdapterNotFound`] when there is none of this name,
    /// with the names of those that are there. [`RadioError::PoweredOff`] when the adapter, or every one, is switched
    /// off. [`RadioError::PermissionDenied`] when this program may not use it. [`RadioError::ServiceGone`] when
    /// `bluetoothd` or its bus is not running. [`RadioError::Driver`] for anything else.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing running.
    pub async fn open(adapter: Option<&str>) -> Result<Self, RadioError> {
        let bus = Bus::connect().await?;
        let name = bus.choose(adapter).await?.name;
        let session = Session::new().await.map_err(|cause| sort("connect", cause))?;
        let adapter = session.adapter(&name).map_err(|cause| sort("take the adapter", cause))?;
        let watch = bus.watch(&name).await?;
        Ok(Self { host: Arc::new(Host { bus, watch, adapter: adapter.clone() }), adapter })
    }

    /// The name of the adapter, as `hci0`.
    pub fn adapter(&self) -> &str {
        self.adapter.name()
    }

    /// Whether the adapter can be used right now.
    async fn look(&self) -> Result<(), RadioError> {
        self.host.bus.look(self.adapter.name()).await
    }
}

impl fmt::Debug for SystemRadio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemRadio").field("adapter", &self.adapter()).finish_non_exhaustive()
    }
}

impl Advertiser for SystemRadio {
    type Handle = SystemAdvert;

    /// Puts an advert on the air, of at most 24 bytes of service data.
    ///
    /// An advert that is not connectable has a fresh random address. A connectable one has the adapter's own, unless
    /// the system is set up to hide it, as others connect to that. How often it is repeated is the system's choice:
    /// every 1.28 s, or every 100 to 150 ms where `bluetoothd` allows programs to choose.
    ///
    /// When `bluetoothd` is restarted or the adapter switched off and on, the advert is put on the air again. An adapter
    /// that sends as many adverts as it can refuses with [`RadioError::TooManyAdverts`].
    async fn advertise(&self, advert: Advertisement) -> Result<SystemAdvert, RadioError> {
        PayloadLimit::LEGACY.check(&advert)?;
        self.look().await?;
        SystemAdvert::put_up(Arc::clone(&self.host), &advert).await
    }
}

/// Sorts an error by what the user can do about it. `action` follows the words "failed to".
fn sort(action: &'static str, error: bluer::Error) -> RadioError {
    match &error.kind {
        ErrorKind::NotReady => RadioError::PoweredOff,
        ErrorKind::NotAuthorized => RadioError::PermissionDenied,
        ErrorKind::NotFound | ErrorKind::DoesNotExist => RadioError::NoAdapter,
        ErrorKind::NotSupported => RadioError::Unsupported { action },
        ErrorKind::Internal(InternalErrorKind::DBusConnectionLost) => RadioError::ServiceGone,
        ErrorKind::Internal(InternalErrorKind::DBus(name)) => {
            let name = name.clone();
            named(action, &name, error.into())
        }
        _ => named(action, "", error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_the_user_can_do() {
        let sorted = |kind| sort("advertise", bluer::Error { kind, message: String::new() });
        let bus = |name: &str| ErrorKind::Internal(InternalErrorKind::DBus(name.to_owned()));
        assert!(matches!(sorted(ErrorKind::NotReady), RadioError::PoweredOff));
        assert!(matches!(sorted(ErrorKind::NotFound), RadioError::NoAdapter));
        let denied = sorted(bus("org.freedesktop.DBus.Error.AccessDenied"));
        assert!(matches!(denied, RadioError::PermissionDenied));
        assert!(matches!(sorted(bus("org.freedesktop.DBus.Error.NoReply")), RadioError::ServiceGone));
        let failed = sorted(ErrorKind::Failed);
        assert!(matches!(failed, RadioError::Driver { action: "advertise", .. }));
    }
}
