//! `hybridge-testbed bluez`: the fake BlueZ alone.

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use hybridge_ble::sim::Air;
use hybridge_testkit::bluez::FakeBluez;

use crate::until::Stop;

#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// How many adapters it has: hci0, hci1 and so on.
    #[arg(long, default_value_t = 2, value_name = "N")]
    adapters: u8,
}

pub(crate) async fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let mut stop = Stop::listen()?;
    let air = Air::new(0);
    let bluez = tokio::select! {
        bluez = FakeBluez::start(&air, args.adapters) => bluez?,
        () = stop.signalled() => return Ok(ExitCode::SUCCESS),
    };
    let mut output = io::stdout().lock();
    writeln!(output, "DBUS_SYSTEM_BUS_ADDRESS={}", bluez.bus_address())?;
    output.flush()?;
    drop(output);
    stop.told().await?;
    Ok(ExitCode::SUCCESS)
}
