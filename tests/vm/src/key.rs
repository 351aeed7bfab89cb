//! `hybridge key`: the virtual security key, as its user runs it.

use std::process::Stdio;

use hybridge_radio_conformance::table::Failure;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::time::timeout;

use crate::LAPTOP;
use crate::ceremony::Way;
use crate::programs::{Phone, event, lines};
use crate::system::SOON;

/// A running key. Dropping it ends it.
pub(crate) struct Key {
    process: Child,
    /// What a person types. Its end would be the end of answers.
    typed: ChildStdin,
    events: Lines<BufReader<ChildStderr>>,
}

impl Key {
    /// One of the superuser, with the kernel's own file. Returns when there is a device.
    pub(crate) async fn start() -> Result<Self, Failure> {
        let mut key = Self::spawn(&mut command(&["--uhid", "/dev/uhid"]))?;
        key.next(&["ready"]).await?;
        Ok(key)
    }

    /// One of a user without rights, with the helper at this path, which may still refuse.
    pub(crate) fn of_user(user: u32, helper: &str) -> Result<Self, Failure> {
        Self::spawn(command(&["--socket", helper]).uid(user).gid(user))
    }

    fn spawn(command: &mut Command) -> Result<Self, Failure> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let events = lines(process.stderr.take())?;
        let typed = process.stdin.take().ok_or_else(|| Failure::unexpected("a pipe", "none"))?;
        Ok(Self { process, typed, events })
    }

    /// The next event of one of these kinds.
    pub(crate) async fn next(&mut self, kinds: &[&str]) -> Result<Value, Failure> {
        event(&mut self.events, |event| {
            let kind = event["event"].as_str()?;
            kinds.contains(&kind).then(|| event.clone())
        })
        .await
    }

    /// The code that it shows.
    pub(crate) async fn code(&mut self) -> Result<String, Failure> {
        let told = self.next(&["code"]).await?;
        let code = told.get("code").and_then(Value::as_str);
        code.map(str::to_owned).ok_or_else(|| Failure::unexpected("a code", &told))
    }

    /// Runs a program that needs a phone so many times, with one that attests passkeys and grants everything.
    pub(crate) async fn serve<T>(
        &mut self,
        times: usize,
        program: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let phones = async {
            for _ in 0..times {
                let code = self.code().await?;
                Phone::attesting(&code).await?.finish().await?;
                let answered = self.next(&["answered", "not-reached", "cancelled"]).await?;
                if answered.get("status").and_then(Value::as_u64) != Some(0) {
                    return Err(Failure::unexpected("an answer", answered));
                }
            }
            Ok(())
        };
        tokio::try_join!(program, phones).map(|(done, ())| done)
    }

    /// The person closes what is open.
    pub(crate) async fn close_window(&mut self) -> Result<(), Failure> {
        Ok(self.typed.write_all(b"\n").await?)
    }

    /// Ends it without letting it clean up, as SIGKILL does.
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        Ok(self.process.kill().await?)
    }

    /// It has to end by itself, with an exit code; gives its last words.
    pub(crate) async fn ends(mut self, code: i32) -> Result<String, Failure> {
        let failed = self.next(&["failed"]).await?;
        let status = timeout(SOON, self.process.wait()).await.map_err(|_| Failure::Stuck)??;
        match failed.get("message").and_then(Value::as_str) {
            Some(message) if status.code() == Some(code) => Ok(message.to_owned()),
            _ => Err(Failure::unexpected("an end with a reason", (status, failed))),
        }
    }
}

fn command(device: &[&str]) -> Command {
    let mut command = Command::new("hybridge");
    command
        .arg("key")
        .args(device)
        .args(["--adapter", LAPTOP, "--events", "json"])
        .args(Way::Tunnel.of_laptop());
    command
}
