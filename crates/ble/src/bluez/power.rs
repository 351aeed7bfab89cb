//! Switching the system's Bluetooth adapter on, when a person asks for it.

use std::time::Duration;

use dbus::arg::Variant;
use thiserror::Error;
use tokio::time::{Instant, sleep};

use crate::RadioError;
use crate::system_bus::Bus;

/// How long an adapter may take until it is on. It takes some 100 ms; with firmware to load, a second or two.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two looks at it.
const PAUSE: Duration = Duration::from_millis(50);

/// Why an adapter was not switched on. Each variant calls for something else, and its text says so.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PowerError {
    /// A switch of this computer, or its aeroplane mode, keeps radios off (`rfkill`).
    #[error(
        "this computer keeps its radios off: end aeroplane mode or use the computer's switch, then try again"
    )]
    Blocked,
    /// BlueZ took the request, and the adapter stayed off.
    #[error("the Bluetooth adapter stays off: switch it on in the system settings, or plug it in again")]
    StaysOff,
    /// There is no adapter, or it may not be used.
    #[error(transparent)]
    Radio(#[from] RadioError),
}

/// Switches on the adapter of the given name, as `hci0`; without a name the first, unless one is on already. Gives the name
/// of the adapter that is on. It stays on when this program ends.
///
/// Needs a tokio runtime with its timers and input and output. Takes up to some 15 seconds.
///
/// # Errors
/// [`PowerError::Blocked`] and [`PowerError::StaysOff`]. [`PowerError::Radio`] with the errors of
/// [`SystemRadio::open`](super::SystemRadio::open) but that the adapter is off.
///
/// # Cancel safety
/// Dropping the future leaves nothing running. The adapter may be on or not.
pub async fn switch_on(adapter: Option<&str>) -> Result<String, PowerError> {
    let bus = Bus::connect().await?;
    let name = match bus.choose(adapter).await {
        Ok(on) => return Ok(on.name),
        Err(RadioError::PoweredOff) => match adapter {
            Some(name) => name.to_owned(),
            None => bus.adapters().await?.into_iter().next().ok_or(RadioError::NoAdapter)?.name,
        },
        Err(error) => return Err(error.into()),
    };
    bus.set_powered(&name).await.map_err(sort)?;
    // BlueZ answers when the adapter is on; the property may follow a moment later.
    let begun = Instant::now();
    loop {
        match bus.look(&name).await {
            Ok(()) => return Ok(name),
            Err(RadioError::PoweredOff) if begun.elapsed() < PATIENCE => sleep(PAUSE).await,
            Err(RadioError::PoweredOff) => return Err(PowerError::StaysOff),
            Err(error) => return Err(error.into()),
        }
    }
}

impl Bus {
    async fn set_powered(&self, adapter: &str) -> Result<(), dbus::Error> {
        self.set_adapter_property(adapter, "Powered", Variant(true)).await
    }
}

fn sort(cause: dbus::Error) -> PowerError {
    match cause.name() {
        Some("org.bluez.Error.Blocked") => PowerError::Blocked,
        _ => PowerError::Radio(crate::system_bus::refusal("switch on", cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_sorted_by_what_the_person_can_do() {
        let sorted = |name: &str| sort(dbus::Error::new_custom(name.to_owned(), "no"));
        assert!(matches!(sorted("org.bluez.Error.Blocked"), PowerError::Blocked));
        let denied = sorted("org.freedesktop.DBus.Error.AccessDenied");
        assert!(matches!(denied, PowerError::Radio(RadioError::PermissionDenied)));
        let failed = sorted("org.bluez.Error.Failed");
        assert!(matches!(failed, PowerError::Radio(RadioError::Driver { action: "switch on", .. })));
    }

    #[test]
    fn every_text_says_what_to_try() {
        for error in [PowerError::Blocked, PowerError::StaysOff, RadioError::NoAdapter.into()] {
            let text = error.to_string();
            let (what, remedy) = text.split_once(": ").expect("two parts");
            assert!(what.len() > 10 && remedy.len() > 10, "{text}");
        }
    }
}
