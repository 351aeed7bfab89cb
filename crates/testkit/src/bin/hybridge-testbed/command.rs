//! A command that runs in the testbed.

use std::{
    error::Error,
    ffi::{OsStr, OsString},
    io::{self, IsTerminal},
    os::unix::process::ExitStatusExt,
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use hybridge_testkit::testbed::Settings;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use thiserror::Error;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::until::Stop;

/// How long a command may take to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(5);

/// The command could not be started.
#[derive(Debug, Error)]
#[error("{} cannot be started: check its name and that it is in the PATH", .program.display())]
struct NotStarted {
    program: OsString,
    #[source]
    source: io::Error,
}

/// Runs a command with the settings in its environment until it ends, or until this program is told to stop; then the
/// command is told, too. What it has started ends with it.
pub(crate) async fn run(
    program: &OsStr,
    arguments: &[OsString],
    settings: &Settings,
    stop: &mut Stop,
) -> Result<ExitCode, Box<dyn Error>> {
    let mut command = Command::new(program);
    command.args(arguments).envs(&settings.environment).env("HYBRIDGE_TESTBED", settings.to_json());
    // At a terminal, only the group of this program may read what is typed.
    let own_group = !io::stdin().is_terminal();
    if own_group {
        command.process_group(0);
    }
    let child = command.kill_on_drop(true).spawn();
    let mut child = child.map_err(|source| NotStarted { program: program.to_owned(), source })?;
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let everything = Group { id, own_group };
    let status = tokio::select! {
        biased;
        status = child.wait() => status?,
        () = stop.signalled() => end(&mut child, &everything).await?,
    };
    everything.rest(Signal::KILL);
    Ok(exit_code(status))
}

/// A command and what it has started.
struct Group {
    id: Option<Pid>,
    own_group: bool,
}

impl Group {
    /// Sends a signal to all of it. What has just ended needs no telling.
    fn tell(&self, signal: Signal) {
        if let Some(id) = self.id.filter(|_| !self.own_group) {
            let _ = kill_process(id, signal);
        }
        self.rest(signal);
    }

    /// The same when the command itself has ended.
    fn rest(&self, signal: Signal) {
        if let Some(id) = self.id.filter(|_| self.own_group) {
            let _ = kill_process_group(id, signal);
        }
    }
}

async fn end(child: &mut Child, everything: &Group) -> io::Result<ExitStatus> {
    everything.tell(Signal::TERM);
    match timeout(PATIENCE, child.wait()).await {
        Ok(status) => status,
        Err(_) => {
            child.kill().await?;
            child.wait().await
        }
    }
}

/// What a shell would say.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| Some(status.signal()?.saturating_add(128)));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
