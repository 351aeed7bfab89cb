//! The system in the machine: its bus, the virtual controllers and BlueZ.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use hybridge_radio_conformance::table::Failure;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::{LAPTOP, PHONE};

/// Far more than it takes to start or to hear anything.
pub(crate) const SOON: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// The daemons. They end when this is dropped.
pub(crate) struct System {
    _bus: Child,
    _controllers: Child,
    bluetoothd: Child,
}

impl System {
    /// Starts everything, and returns when both adapters are on.
    pub(crate) async fn start() -> Result<Self, Failure> {
        let bus = daemon("dbus-daemon", &["--system", "--nofork", "--nopidfile"])?;
        let socket = Path::new("/run/dbus/system_bus_socket");
        until("a bus", async || socket.exists()).await?;
        // Two controllers of version 5.2 for Low Energy alone.
        let controllers = daemon("btvirt", &["-l2"])?;
        let bluetoothd = bluetoothd()?;
        ready().await?;
        Ok(Self { _bus: bus, _controllers: controllers, bluetoothd })
    }

    /// Ends BlueZ without letting it clean up.
    pub(crate) async fn kill_bluez(&mut self) -> Result<(), Failure> {
        Ok(self.bluetoothd.kill().await?)
    }

    /// Starts BlueZ again.
    pub(crate) async fn start_bluez(&mut self) -> Result<(), Failure> {
        self.bluetoothd = bluetoothd()?;
        ready().await
    }
}

fn bluetoothd() -> Result<Child, Failure> {
    // Without experimental interfaces, as distributions run it.
    daemon("bluetoothd", &["--nodetach"])
}

fn daemon(program: &str, arguments: &[&str]) -> Result<Child, Failure> {
    let mut command = Command::new(program);
    // What it says goes to the console.
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::inherit()).kill_on_drop(true);
    let console = std::fs::File::options().write(true).open("/dev/console")?;
    Ok(command.stdout(console.try_clone()?).stderr(console).spawn()?)
}

/// Switches both adapters on as soon as they are there.
async fn ready() -> Result<(), Failure> {
    until("two adapters", async || {
        let Ok(session) = bluer::Session::new().await else { return false };
        for name in [PHONE, LAPTOP] {
            let Ok(adapter) = session.adapter(name) else { return false };
            if adapter.set_powered(true).await.is_err() || !adapter.is_powered().await.unwrap_or(false) {
                return false;
            }
        }
        true
    })
    .await
}

/// Waits until something holds.
pub(crate) async fn until(what: &'static str, holds: impl AsyncFn() -> bool) -> Result<(), Failure> {
    let waited = async {
        while !holds().await {
            sleep(PAUSE).await;
        }
    };
    timeout(SOON, waited).await.map_err(|_| Failure::unexpected(what, "none in time"))
}

/// How many adverts an adapter sends.
pub(crate) async fn adverts(adapter: &str) -> Option<u8> {
    let session = bluer::Session::new().await.ok()?;
    session.adapter(adapter).ok()?.active_advertising_instances().await.ok()
}
