//! A case in a process of its own, with no network but a loopback device, and with nothing left of it afterwards.
//!
//! The process is the first of a process namespace: when it ends, the kernel ends everything that it has started, down
//! to what Chromium leaves to others. It ends itself when the suite does.

use std::{
    ffi::OsStr,
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{process::Command, time::timeout};

use crate::failure::Failure;

/// When a case is given up from outside, long after it should have given up by itself.
const LIMIT: Duration = Duration::from_secs(180);

/// Where X servers put their sockets. Each namespace has one of its own, so that displays do not meet.
const SOCKETS: &str = "/tmp/.X11-unix";

/// Runs this program with other arguments in namespaces of its own.
pub(crate) async fn enter(arguments: &[&OsStr]) -> Result<Output, Failure> {
    let program = std::env::current_exe()?;
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare"]);
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
        .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    match timeout(LIMIT, command.output()).await {
        Ok(output) => output.map_err(|error| Failure::program("setpriv", error)),
        Err(_) => Err(Failure::Undecided(LIMIT.as_secs())),
    }
}

/// Makes itself at home in such a namespace, and sees that it is one.
pub(crate) async fn arrive() -> Result<(), Failure> {
    if std::process::id() != 1 {
        return Err(Failure::Setup("a case runs in namespaces of its own only".into()));
    }
    run("ip", ["link", "set", "lo", "up"]).await?;
    let devices = std::fs::read_to_string("/proc/net/dev")?;
    let mut others = devices.lines().skip(2).filter(|line| !line.trim_start().starts_with("lo:"));
    if let Some(other) = others.next() {
        return Err(Failure::Setup(format!("there is a network device beside lo: {other}").into()));
    }
    run("mkdir", ["-p", "-m", "1777", SOCKETS]).await?;
    run("mount", ["-t", "tmpfs", "-o", "mode=1777", "tmpfs", SOCKETS]).await
}

async fn run<const N: usize>(program: &'static str, arguments: [&str; N]) -> Result<(), Failure> {
    let output = Command::new(program).args(arguments).output().await;
    let output = output.map_err(|error| Failure::program(program, error))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Failure::program(program, String::from_utf8_lossy(&output.stderr).trim())),
    }
}
