//! The program as a process: started, spoken to, signalled.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::{ExitStatus, Output, Stdio},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
};

/// A running service. Ends with the test.
pub struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// The program, with nothing of the environment that could steer it.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hybridge-relay"));
    command.args(arguments).env_remove("RUST_LOG").kill_on_drop(true);
    command
}

/// Runs the program to its end.
pub async fn output(arguments: &[&str]) -> Output {
    command(arguments).output().await.unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

impl Program {
    /// Starts a command that is the program or becomes it.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The address that the next line on standard output tells behind `prefix`.
    pub async fn told(&mut self, prefix: &str) -> SocketAddr {
        let line = self.lines.next_line().await.unwrap().unwrap();
        line.strip_prefix(prefix).unwrap_or_else(|| panic!("{line}")).parse().unwrap()
    }

    pub async fn listening(&mut self) -> SocketAddr {
        self.told("listening on ").await
    }

    pub async fn admin(&mut self) -> SocketAddr {
        self.told("metrics and health checks on ").await
    }

    /// The process ID of a program that has not ended.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Sends a signal, named as `kill` names it.
    pub async fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().await.unwrap().success());
    }

    pub async fn ended(&mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }

    /// The rest of standard error, up to the end of the program.
    pub async fn errors(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).await.unwrap();
        text
    }
}

/// All that is answered to a GET request.
pub async fn get(address: SocketAddr, path: &str) -> String {
    let mut io = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A service manager's end of the notes, in a folder of its own.
#[cfg(unix)]
pub struct Manager {
    folder: TempDir,
    socket: tokio::net::UnixDatagram,
}

#[cfg(unix)]
impl Manager {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let socket = tokio::net::UnixDatagram::bind(folder.path().join("notify")).unwrap();
        Self { folder, socket }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The next note, as its lines.
    pub async fn note(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).await.unwrap();
        String::from_utf8(bytes.iter().take(length).copied().collect())
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}
