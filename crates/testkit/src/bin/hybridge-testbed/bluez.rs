//! `hybridge-testbed bluez`: the fake BlueZ alone.

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use hybridge_ble::sim::Air;
use hybridge_testkit::bluez::FakeBluez;

use crate::until;

#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many adapters it has: hci0, hci1 and so on.
    #[arg(long, default_value_t = 2, value_name = "N")]
    adapters: u8,
}

pub(crate) async fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let bluez = FakeBluez::start(&Air::new(0), args.adapters).await?;
    let mut output = io::stdout().lock();
    writeln!(output, "DBUS_SYSTEM_BUS_ADDRESS={}", bluez.bus_address())?;
    output.flush()?;
    drop(output);
    until::told_to_stop().await?;
    Ok(ExitCode::SUCCESS)
}
