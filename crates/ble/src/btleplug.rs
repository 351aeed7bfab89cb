//! Listening with the system's Bluetooth adapter, through the library `btleplug`.
//!
//! On Linux that is BlueZ, whose service `bluetoothd` has to run; the bus it is on is the system bus, or the one that
//! the environment variable `DBUS_SYSTEM_BUS_ADDRESS` names.
//!
//! Nothing is filtered by the system: BlueZ's filter for UUIDs looks at the list of services alone, in which phones
//! need not put theirs. Service data is read when a device is seen first and whenever the system reports it again,
//! and that of other UUIDs is left out here.

mod host;
mod round;
mod sightings;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use self::host::Host;
use self::round::{Discovery, Round};
use self::sightings::Ear;
use crate::{RadioError, Scan, Scanner, Sighting};

/// An adapter of this computer, for listening.
///
/// It belongs to the tokio runtime that it was opened in, and needs its timers and input and output.
pub struct SystemScanner {
    host: Arc<Host>,
    ear: Arc<Ear>,
    discovery: Discovery,
}

impl SystemScanner {
    /// Takes the adapter of the given name, or the first that is switched on.
    ///
    /// On Linux the name is the system's, as `hci1`. Elsewhere it is what the system calls the adapter.
    ///
    /// # Errors
    /// [`RadioError::NoAdapter`] when there is none. [`RadioError::AdapterNotFound`] when there is none of this name,
    /// with the names of those that are there. [`RadioError::PoweredOff`] when the adapter, or every one, is switched
    /// off. [`RadioError::PermissionDenied`] when this program may not use it. [`RadioError::ServiceGone`] when
    /// `bluetoothd` or its bus is not running. [`RadioError::Driver`] for anything else.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing running but an idle connection to the bus.
    pub async fn open(adapter: Option<&str>) -> Result<Self, RadioError> {
        let host = Arc::new(Host::open(adapter).await?);
        let ear = Arc::new(Ear::open(host.adapter().clone()).await?);
        Ok(Self { discovery: Discovery::new(Arc::clone(&host)), ear, host })
    }

    /// The name of the adapter, as `hci0` on Linux.
    pub fn adapter(&self) -> &str {
        self.host.name()
    }
}

impl fmt::Debug for SystemScanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemScanner").field("adapter", &self.adapter()).finish_non_exhaustive()
    }
}

impl Scanner for SystemScanner {
    type Scan = SystemScan;

    /// Starts to listen. An adapter that is switched off is left off.
    ///
    /// When `bluetoothd` ends while the scan runs and is back within ten seconds, the scan goes on by itself. The
    /// same holds for an adapter that is off or gone for less than two seconds.
    async fn scan(&self) -> Result<SystemScan, RadioError> {
        // Listening comes first, so that nothing is missed in between.
        let heard = self.ear.listen();
        let round = self.discovery.join().await?;
        let remembered = self.ear.remembered().await?.into();
        Ok(SystemScan { remembered, heard, round, _ear: Arc::clone(&self.ear) })
    }
}

/// A scan that runs until it is dropped.
#[must_use = "dropping a scan ends it"]
pub struct SystemScan {
    /// What the system knew before the scan started and was not handed over yet.
    remembered: VecDeque<Sighting>,
    heard: broadcast::Receiver<Sighting>,
    round: Arc<Round>,
    _ear: Arc<Ear>,
}

impl fmt::Debug for SystemScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemScan").finish_non_exhaustive()
    }
}

impl Scan for SystemScan {
    async fn next(&mut self) -> Result<Sighting, RadioError> {
        if let Some(sighting) = self.remembered.pop_front() {
            return Ok(sighting);
        }
        loop {
            tokio::select! {
                biased;
                heard = self.heard.recv() => match heard {
                    Ok(sighting) => return Ok(sighting),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(RadioError::ServiceGone),
                },
                error = self.round.over() => return Err(error),
            }
        }
    }
}
