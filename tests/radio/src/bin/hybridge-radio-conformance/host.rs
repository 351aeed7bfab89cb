//! A fake BlueZ in a process of its own, and what is left when that is killed.

use std::{
    process::{ExitCode, Stdio},
    time::Duration,
};

use hybridge_radio_conformance::table::{Failure, tell};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::UnixStream,
    process::Command,
    time::sleep,
};

use crate::fake::bluez;

/// Starts a BlueZ, says where its bus is, and waits for the end of standard input.
pub(crate) async fn run() -> ExitCode {
    let Ok(bluez) = bluez().await else { return ExitCode::FAILURE };
    tell(bluez.bus_address());
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    ExitCode::SUCCESS
}

/// The bus ends with its process, even if that had no time to end it.
pub(crate) async fn killed() -> Result<(), Failure> {
    let mut host = Command::new(std::env::current_exe()?)
        .arg("host")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = host.stdout.take().ok_or_else(|| Failure::unexpected("a pipe from the host", ()))?;
    let address = BufReader::new(output).lines().next_line().await?.unwrap_or_default();
    let path = address.strip_prefix("unix:path=").and_then(|rest| rest.split(',').next());
    let path = path.ok_or_else(|| Failure::unexpected("the address of a bus", &address))?;
    UnixStream::connect(path).await?;
    host.kill().await?;
    // A bus that stays lets the case run out of time.
    while UnixStream::connect(path).await.is_ok() {
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
