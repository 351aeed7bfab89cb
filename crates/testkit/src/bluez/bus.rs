//! A D-Bus of its own: the `dbus-daemon` program with a configuration that lets everybody do everything.

use std::{io, path::Path, process::Stdio};

use tempfile::TempDir;
use thiserror::Error;
use tokio::{
    fs,
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    task::JoinSet,
};

/// Waits for the end of its standard input, which is open as long as this process lives, and ends the bus then. Whoever is
/// killed cannot do so by itself.
const WATCH: &str = r#"read -r _; kill -KILL "$1"; rm -r -- "$2""#;

/// Why there is no bus.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BusError {
    /// The program is not installed.
    #[error(
        "there is no dbus-daemon program: install it (Debian package dbus-daemon), and have it in the PATH"
    )]
    NoProgram(#[source] io::Error),
    /// Its folder could not be made.
    #[error(
        "the folder of the private D-Bus could not be written: see that the folder for temporary files can be"
    )]
    Folder(#[source] io::Error),
    /// There is no shell to watch over it.
    #[error("the program sh could not be started: install it, and have it in the PATH")]
    NoShell(#[source] io::Error),
    /// It ended before it said where it listens.
    #[error("dbus-daemon did not start: what it said is in the log at level debug")]
    NotStarted(#[source] io::Error),
    /// It could not be ended.
    #[error("dbus-daemon could not be ended: look for it among the processes, and end it there")]
    NotEnded(#[source] io::Error),
}

/// A running bus. Dropping it ends the bus.
#[derive(Debug)]
pub(super) struct PrivateBus {
    address: String,
    /// Ends before the bus, so that it does not end somebody else.
    watchdog: Child,
    process: Child,
    _log: JoinSet<()>,
    _folder: TempDir,
}

impl PrivateBus {
    /// Starts a bus. Its socket is for this user's programs.
    pub(super) async fn start() -> Result<Self, BusError> {
        let folder = tempfile::Builder::new().prefix("hybridge-bus-").tempdir().map_err(BusError::Folder)?;
        let file = folder.path().join("bus.conf");
        fs::write(&file, configuration(folder.path())).await.map_err(BusError::Folder)?;
        let mut process = Command::new("dbus-daemon")
            .arg("--config-file")
            .arg(&file)
            .args(["--nofork", "--nopidfile", "--nosyslog", "--print-address=1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(BusError::NoProgram)?;
        let watchdog = watch(&process, folder.path())?;
        let mut log = JoinSet::new();
        log.spawn(pass_on(process.stderr.take()));
        let ended = || BusError::NotStarted(io::ErrorKind::UnexpectedEof.into());
        let output = process.stdout.take().ok_or_else(ended)?;
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address).await.map_err(BusError::NotStarted)?;
        let address = address.trim().to_owned();
        if address.is_empty() {
            // It is gone, and says nothing more.
            log.join_all().await;
            return Err(ended());
        }
        Ok(Self { address, watchdog, process, _log: log, _folder: folder })
    }

    /// Where programs connect.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Ends the bus and waits until it is gone.
    pub(super) async fn kill(&mut self) -> Result<(), BusError> {
        self.watchdog.kill().await.map_err(BusError::NotEnded)?;
        self.process.kill().await.map_err(BusError::NotEnded)
    }
}

/// Sees to it that the bus and its folder do not outlive this process.
fn watch(bus: &Child, folder: &Path) -> Result<Child, BusError> {
    Command::new("sh")
        .args(["-c", WATCH, "hybridge-bus"])
        .arg(bus.id().map(|id| id.to_string()).unwrap_or_default())
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(BusError::NoShell)
}

/// Logs what the bus says. As root in a container it always says that it may not raise its limit of open files, which no
/// configuration keeps it from trying.
async fn pass_on(output: Option<ChildStderr>) {
    let Some(output) = output else { return };
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        tracing::debug!(line, "dbus-daemon");
    }
}

/// A configuration without limits of access: everybody on this bus is part of one test.
fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="signal"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
  </policy>
</busconfig>
"#
    )
}
