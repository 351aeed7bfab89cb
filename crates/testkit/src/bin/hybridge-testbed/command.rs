//! A command that runs in the testbed.

use std::{
    error::Error,
    ffi::{OsStr, OsString},
    io,
    os::unix::process::ExitStatusExt,
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use hybridge_testkit::testbed::Settings;
use rustix::process::{Pid, Signal, kill_process};
use thiserror::Error;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::until;

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
/// command is told, too.
pub(crate) async fn run(
    program: &OsStr,
    arguments: &[OsString],
    settings: &Settings,
) -> Result<ExitCode, Box<dyn Error>> {
    let mut child = Command::new(program)
        .args(arguments)
        .envs(&settings.environment)
        .env("HYBRIDGE_TESTBED", settings.to_json())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| NotStarted { program: program.to_owned(), source })?;
    let status = tokio::select! {
        biased;
        status = child.wait() => status?,
        stop = until::signalled() => {
            stop?;
            end(&mut child).await?
        }
    };
    Ok(exit_code(status))
}

async fn end(child: &mut Child) -> io::Result<ExitStatus> {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // One that has just ended needs no telling.
        let _ = kill_process(pid, Signal::TERM);
    }
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
