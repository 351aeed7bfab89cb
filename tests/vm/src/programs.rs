//! The laptop's program and the phone's, each in a process of its own.

use std::process::{Output, Stdio};
use std::time::Duration;

use hybridge_radio_conformance::table::Failure;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

use crate::ceremony::Way;
use crate::website::ORIGIN;
use crate::{LAPTOP, PHONE};

/// Far more than a step of either program takes.
const SOON: Duration = Duration::from_secs(40);
/// Where the phone keeps its passkeys.
const STATE: &str = "/tmp/phone";
/// A terminal at which nobody types.
const TERMINAL: &str = "/dev/tty1";
/// The phone's exit code for a computer that has left with something unanswered.
const LEFT: i32 = 6;

/// `hybridge create` or `hybridge get`, waiting for a phone.
pub(crate) struct Laptop {
    process: Child,
    events: Lines<BufReader<ChildStderr>>,
    code: String,
}

impl Laptop {
    /// Starts the program, and returns when it shows its code.
    pub(crate) async fn start(verb: &str, options: &str, way: &Way) -> Result<Self, Failure> {
        let mut process = Command::new("hybridge")
            .args([verb, "--origin", ORIGIN, "--adapter", LAPTOP, "--events", "json"])
            .args(way.of_laptop())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = process.stdin.take() {
            input.write_all(options.as_bytes()).await?;
        }
        let mut events = lines(process.stderr.take())?;
        let code = event(&mut events, |event| event["code"].as_str().map(str::to_owned)).await?;
        Ok(Self { process, events, code })
    }

    /// The text of its code.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// It has not ended yet, as it has to.
    pub(crate) fn waits(&mut self) -> Result<(), Failure> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => Err(Failure::unexpected("a laptop that waits", status)),
        }
    }

    /// What it prints. It has to end well.
    pub(crate) async fn finish(self) -> Result<String, Failure> {
        let (output, errors) = self.end().await?;
        if !output.status.success() {
            return Err(Failure::unexpected("success of the laptop", (output.status, errors)));
        }
        String::from_utf8(output.stdout).map_err(Failure::needed("the laptop's output"))
    }

    /// How it ends and what it says on standard error until then.
    pub(crate) async fn end(mut self) -> Result<(Output, String), Failure> {
        let mut errors = String::new();
        let said = async {
            while let Some(line) = self.events.next_line().await? {
                errors.push_str(&line);
                errors.push('\n');
            }
            Ok::<_, Failure>(self.process.wait_with_output().await?)
        };
        let output = timeout(SOON, said).await.map_err(|_| Failure::Stuck)??;
        Ok((output, errors))
    }
}

/// `hybridge-phone` with a code.
pub(crate) struct Phone {
    process: Child,
    events: Lines<BufReader<ChildStdout>>,
}

impl Phone {
    /// Gives a fresh phone a code.
    pub(crate) async fn start(code: &str, way: &Way) -> Result<Self, Failure> {
        Self::start_with(code, way, &[]).await
    }

    /// Gives a fresh phone a code whose passkeys attest themselves.
    pub(crate) async fn attesting(code: &str) -> Result<Self, Failure> {
        Self::start_with(code, &Way::Tunnel, &["--attestation", "self"]).await
    }

    /// Gives a phone without passkeys a code that asks its person, who does not answer. Returns when it asks.
    pub(crate) async fn asking(code: &str) -> Result<Self, Failure> {
        let terminal = std::fs::File::options().read(true).write(true).open(TERMINAL)?;
        // A session with a terminal of its own, without which it has nobody to ask. The code is no secret here.
        let mut process = Command::new("busybox")
            .args(["setsid", "-c", "hybridge-phone", code, "--adapter", PHONE, "--once", "--events", "json"])
            .args(Way::Tunnel.of_phone())
            .stdin(terminal)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut phone = Self { events: lines(process.stdout.take())?, process };
        phone.tells("request").await?;
        Ok(phone)
    }

    async fn start_with(code: &str, way: &Way, arguments: &[&str]) -> Result<Self, Failure> {
        let mut process = Command::new("hybridge-phone")
            .args(["-", "--state", STATE, "--approve", "always", "--adapter", PHONE, "--once"])
            .args(["--events", "json"])
            .args(arguments)
            .args(way.of_phone())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(mut input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Failure::unexpected("pipes", "none"));
        };
        input.write_all(format!("{code}\n").as_bytes()).await?;
        Ok(Self { process, events: BufReader::new(output).lines() })
    }

    /// Waits for an event.
    pub(crate) async fn tells(&mut self, kind: &'static str) -> Result<(), Failure> {
        event(&mut self.events, |event| (event["event"] == kind).then_some(())).await
    }

    /// Waits until it has ended, which has to be well.
    pub(crate) async fn finish(mut self) -> Result<(), Failure> {
        let mut errors = String::new();
        let said = async {
            while self.events.next_line().await?.is_some() {}
            if let Some(mut stream) = self.process.stderr.take() {
                stream.read_to_string(&mut errors).await?;
            }
            Ok::<_, Failure>(self.process.wait().await?)
        };
        let status = timeout(SOON, said).await.map_err(|_| Failure::Stuck)??;
        if !status.success() {
            return Err(Failure::unexpected("success of the phone", (status, errors)));
        }
        Ok(())
    }

    /// Its computer leaves while it asks: it has to take the question back, and to end with a message.
    pub(crate) async fn sees_its_computer_leave(mut self) -> Result<(), Failure> {
        let left = async {
            let failed = event(&mut self.events, |event| {
                (event["event"] == "failed").then(|| event["error"].as_str().unwrap_or_default().to_owned())
            });
            Ok::<_, Failure>((failed.await?, self.process.wait().await?))
        };
        let (error, status) = timeout(SOON, left).await.map_err(|_| Failure::Stuck)??;
        if status.code() != Some(LEFT) || error.is_empty() {
            return Err(Failure::unexpected("a phone whose computer has left", (status, error)));
        }
        Ok(())
    }

    /// Ends it without letting it clean up, as SIGKILL does.
    pub(crate) async fn kill(mut self) -> Result<(), Failure> {
        Ok(self.process.kill().await?)
    }
}

/// The lines of a pipe.
pub(crate) fn lines<R: tokio::io::AsyncRead>(pipe: Option<R>) -> Result<Lines<BufReader<R>>, Failure> {
    let pipe = pipe.ok_or_else(|| Failure::unexpected("a pipe", "none"))?;
    Ok(BufReader::new(pipe).lines())
}

/// Reads lines until one is the event that is looked for.
pub(crate) async fn event<R: tokio::io::AsyncBufRead + Unpin, T>(
    lines: &mut Lines<R>,
    pick: impl Fn(&Value) -> Option<T>,
) -> Result<T, Failure> {
    let mut read = String::new();
    let picked = async {
        while let Some(line) = lines.next_line().await? {
            let event = serde_json::from_str(&line).unwrap_or_default();
            if let Some(found) = pick(&event) {
                return Ok(found);
            }
            read.push_str(&line);
        }
        Err(Failure::unexpected("another event", read))
    };
    timeout(SOON, picked).await.map_err(|_| Failure::Stuck)?
}
