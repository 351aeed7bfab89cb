//! `hybridge-testbed`, run as tests of websites run it.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout, Command},
    time::{sleep, timeout},
};

use crate::{
    failure::{Failure, check},
    scene::Scene,
};

/// How long it may take to end.
const FAREWELL: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// A testbed at work. It ends when this is dropped.
pub(crate) struct Testbed {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// The pipe whose end ends it.
    pub(crate) input: Option<ChildStdin>,
    temporary: PathBuf,
}

/// A command line with the scene's programs. What is temporary goes to a folder that has to be empty in the end.
fn command(scene: &Scene, program: &std::path::Path, arguments: &[&str]) -> Result<Command, Failure> {
    let temporary = scene.file("temporary");
    std::fs::create_dir_all(&temporary).map_err(Failure::system("no folder"))?;
    let mut command = Command::new(program);
    command.args(arguments).env("TMPDIR", temporary);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

/// Runs a testbed until it ends by itself.
pub(crate) async fn run(scene: &Scene, arguments: &[&str]) -> Result<Output, Failure> {
    let mut command = command(scene, &scene.testbed, arguments)?;
    let ended = timeout(FAREWELL, command.stdin(Stdio::null()).output()).await;
    let ended = ended.map_err(|_| Failure::Undecided(FAREWELL.as_secs()))?;
    emptied(&scene.file("temporary"))?;
    ended.map_err(Failure::system("hybridge-testbed"))
}

impl Testbed {
    pub(crate) fn start(scene: &Scene, arguments: &[&str]) -> Result<Self, Failure> {
        Self::of(scene, command(scene, &scene.testbed, arguments)?)
    }

    /// Lets a shell start it, with the program's folder in its PATH and the scene's as its own.
    pub(crate) fn script(scene: &Scene, script: &str) -> Result<Self, Failure> {
        let program = std::fs::canonicalize(&scene.testbed).map_err(Failure::system("hybridge-testbed"))?;
        let folder = program.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = command(scene, "sh".as_ref(), &["-c", script])?;
        command.env("PATH", format!("{folder}:{path}")).current_dir(scene.file(""));
        Self::of(scene, command)
    }

    fn of(scene: &Scene, mut command: Command) -> Result<Self, Failure> {
        let mut child = command.spawn().map_err(Failure::system("hybridge-testbed"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(|| Failure::otherwise("a pipe", "none"))?;
        let lines = BufReader::new(output).lines();
        Ok(Self { child, lines, input, temporary: scene.file("temporary") })
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> Result<String, Failure> {
        let line = self.lines.next_line().await.map_err(Failure::system("output"))?;
        line.ok_or_else(|| Failure::otherwise("a line", "the end"))
    }

    /// The settings that it prints as JSON.
    pub(crate) async fn settings(&mut self) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.line().await?)?)
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.ok_or_else(|| Failure::otherwise("a testbed at work", "one that has ended"))?;
        kill_process(pid, signal).map_err(|error| Failure::system("kill")(error.into()))
    }

    /// Waits for the end, after which nothing temporary is left. Gives the exit code.
    pub(crate) async fn end(mut self) -> Result<Option<i32>, Failure> {
        let ended = timeout(FAREWELL, self.child.wait()).await;
        let ended = ended.map_err(|_| Failure::Undecided(FAREWELL.as_secs()))?;
        let status = ended.map_err(Failure::system("hybridge-testbed"))?;
        let mut errors = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut errors).await.map_err(Failure::system("output"))?;
        }
        check(errors.is_empty(), "no complaint", errors)?;
        emptied(&self.temporary)?;
        Ok(status.code())
    }
}

/// Nothing is left in a folder.
fn emptied(folder: &std::path::Path) -> Result<(), Failure> {
    let left = std::fs::read_dir(folder).map_err(Failure::system("the temporary folder"))?;
    let left: Vec<_> = left.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    check(left.is_empty(), "no temporary file", format!("{left:?}"))
}

/// Asks a control interface. Gives the body of the answer.
pub(crate) async fn ask(control: &str, request: &str, body: &str) -> Result<Value, Failure> {
    let address = control.strip_prefix("http://").unwrap_or_default();
    let mut stream = TcpStream::connect(address).await.map_err(Failure::system(control))?;
    let length = body.len();
    let text = format!("{request} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await.map_err(Failure::system(control))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(Failure::system(control))?;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok(serde_json::from_str(body)?)
}

/// What a file says, once it has a full line.
pub(crate) async fn line_of(file: &std::path::Path) -> String {
    loop {
        match std::fs::read_to_string(file) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => sleep(PAUSE).await,
        }
    }
}

/// Waits until a process has ended, whether or not somebody has asked how.
pub(crate) async fn over(pid: &str) {
    loop {
        let found = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        match found.rsplit_once(") ") {
            Some((_, state)) if !state.starts_with('Z') => sleep(PAUSE).await,
            _ => return,
        }
    }
}
