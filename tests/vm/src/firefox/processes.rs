//! What runs for these cases alone: Firefox and the website.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use hybridge_radio_conformance::table::Failure;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use super::bidi::Session;
use crate::programs::lines;

/// Where Firefox is: a file system of its own, with all that its package needs.
const ROOT: &str = "/firefox";
const PROGRAM: &str = "/usr/lib/firefox-esr/firefox-esr";
const PROFILE: &str = "/tmp/profile";
const HOME: &str = "/tmp/home";
/// Where it is driven.
const DRIVEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9222);
/// Ten times what it takes to start on two processors that are emulated, if nothing else runs on the machine below.
const START: Duration = Duration::from_secs(300);

/// Firefox without a window. Dropping it ends it.
pub(crate) struct Firefox {
    _process: Child,
}

impl Firefox {
    /// Starts it with the profile that comes with the disk, which nobody can write to.
    pub(crate) async fn start() -> Result<(Self, Session), Failure> {
        tokio::fs::create_dir_all(HOME).await?;
        let kept = format!("{ROOT}/profile");
        let copied = Command::new("busybox").args(["cp", "-a", &kept, PROFILE]).status().await?;
        if !copied.success() {
            return Err(Failure::unexpected("a copy of the profile", copied));
        }
        let mut process = Command::new("busybox")
            .args(["chroot", ROOT, PROGRAM, "--headless", "--profile", PROFILE])
            .args(["--remote-debugging-port", &DRIVEN.port().to_string(), "about:blank"])
            // Its libraries are its own.
            .env_clear()
            .env("HOME", HOME)
            // What is drawn takes time.
            .envs([("MOZ_HEADLESS_WIDTH", "500"), ("MOZ_HEADLESS_HEIGHT", "400")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut said = lines(process.stderr.take())?;
        let listening = async {
            while let Some(line) = said.next_line().await? {
                if line.starts_with("WebDriver BiDi listening") {
                    return Ok(());
                }
            }
            Err(Failure::unexpected("a browser that listens", process.wait().await?))
        };
        timeout(START, listening).await.map_err(|_| Failure::Stuck)??;
        tokio::spawn(to_console(said));
        Ok((Self { _process: process }, Session::open(DRIVEN).await?))
    }
}

/// What Firefox says, for whoever looks for the cause of a failure.
async fn to_console(mut said: Lines<BufReader<ChildStderr>>) -> Result<(), Failure> {
    let mut console = File::options().write(true).open("/dev/console").await?;
    while let Some(line) = said.next_line().await? {
        console.write_all(format!("firefox: {line}\n").as_bytes()).await?;
    }
    Ok(())
}

/// `hybridge-website`. Dropping it ends it.
pub(crate) struct Pages {
    _process: Child,
}

impl Pages {
    /// Starts it. Gives the address for browsers too.
    pub(crate) async fn start() -> Result<(Self, String), Failure> {
        let mut process = Command::new("hybridge-website")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut said = lines(process.stdout.take())?;
        let line = said.next_line().await?.unwrap_or_default();
        let (_, url) = line.split_once(", open ").ok_or_else(|| Failure::unexpected("an address", &line))?;
        Ok((Self { _process: process }, url.to_owned()))
    }
}
