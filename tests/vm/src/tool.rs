//! Programs of others, which know nothing of phones.

use std::process::{Output, Stdio};

use hybridge_radio_conformance::table::Failure;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::system::SOON;

/// A running program. Dropping it ends it.
pub(crate) struct Tool {
    process: Child,
}

impl Tool {
    /// Starts a program with lines on its standard input.
    pub(crate) async fn start(command: &mut Command, input: &[String]) -> Result<Self, Failure> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut pipe) = process.stdin.take() {
            let text: String = input.iter().map(|line| format!("{line}\n")).collect();
            pipe.write_all(text.as_bytes()).await?;
        }
        Ok(Self { process })
    }

    async fn end(self) -> Result<Output, Failure> {
        let ended = timeout(SOON * 2, self.process.wait_with_output()).await;
        Ok(ended.map_err(|_| Failure::Stuck)??)
    }

    /// The lines that it prints until its end, which has to be a good one.
    pub(crate) async fn printed(self) -> Result<Vec<String>, Failure> {
        let Output { status, stdout, stderr } = self.end().await?;
        if !status.success() {
            let said = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            return Err(Failure::unexpected("success", (status, said)));
        }
        Ok(String::from_utf8_lossy(&stdout).lines().map(str::to_owned).collect())
    }

    /// What it says on standard error. It has to fail and print nothing else.
    pub(crate) async fn complaint(self) -> Result<String, Failure> {
        let Output { status, stdout, stderr } = self.end().await?;
        let said = String::from_utf8_lossy(&stderr).into_owned();
        if status.success() || !stdout.is_empty() {
            return Err(Failure::unexpected(
                "failure",
                (status, String::from_utf8_lossy(&stdout).into_owned()),
            ));
        }
        Ok(said)
    }

    /// Whether it still runs, as it has to.
    pub(crate) fn runs(&mut self) -> Result<(), Failure> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => Err(Failure::unexpected("a program that waits", status)),
        }
    }

    /// Ends it without letting it clean up, as SIGKILL does.
    pub(crate) async fn kill(mut self) -> Result<(), Failure> {
        Ok(self.process.kill().await?)
    }
}

/// A program and its arguments.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Runs a program to its good end, and gives the lines that it prints.
pub(crate) async fn run(program: &str, arguments: &[&str], input: &[String]) -> Result<Vec<String>, Failure> {
    Tool::start(&mut command(program, arguments), input).await?.printed().await
}
