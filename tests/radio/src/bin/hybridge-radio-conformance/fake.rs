//! A BlueZ without a radio: the conformance checks in a process of their own, then every fault.

use std::process::Stdio;

use hybridge_ble::sim::Air;
use hybridge_testkit::bluez::{FakeBluez, FakeBluezError};
use tokio::process::Command;

use crate::faults;
use hybridge_radio_conformance::table::{Failure, Table};

/// Two adapters, each of which hears the other.
const ADAPTERS: u8 = 2;

/// Passes on what the fake BlueZ says to a change.
pub(crate) fn faked<T>(result: Result<T, FakeBluezError>) -> Result<T, Failure> {
    result.map_err(Failure::needed("the fake BlueZ"))
}

/// A fresh air with a BlueZ.
pub(crate) async fn bluez() -> Result<FakeBluez, Failure> {
    faked(FakeBluez::start(&Air::new(7), ADAPTERS).await)
}

pub(crate) async fn run() -> Result<Table, Failure> {
    let bluez = bluez().await?;
    let checks = Command::new(std::env::current_exe()?)
        .args(["system", "--scanner", "hci0", "--advertiser", "hci1"])
        .env("DBUS_SYSTEM_BUS_ADDRESS", bluez.bus_address())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await?;
    if !checks.success() {
        return Err(Failure::unexpected("success of the conformance checks", checks));
    }
    drop(bluez);
    faults::run().await
}
