//! One machine of the service: a process of the real program.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use crate::proxy::Engine;

/// How often a state is looked at that is waited for.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// A node, running or not.
pub(crate) struct Node {
    pub(crate) number: u8,
    pub(crate) address: SocketAddr,
    pub(crate) health: SocketAddr,
    relay: PathBuf,
    engine: Engine,
    process: Option<Child>,
}

/// A loopback address that nobody listens on now.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// Sends a signal to a process, if it still runs.
pub(crate) fn signal(process: &Child, signal: Signal) {
    if let Some(id) = process.id() {
        let id = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }
}

impl Node {
    /// A node that is not running yet.
    pub(crate) fn new(number: u8, relay: &Path, engine: Engine) -> Self {
        let (address, health) = (free_address(), free_address());
        Self { number, address, health, relay: relay.to_owned(), engine, process: None }
    }

    /// Starts the program and waits until it listens.
    pub(crate) async fn start(&mut self) {
        let mut command = Command::new(&self.relay);
        command.args(["--limits", "none", "--drain-timeout", "1m", "--log-level", "warn"]);
        command.args(["--node", &self.number.to_string(), "--listen", &self.address.to_string()]);
        command.args(["--admin-listen", &self.health.to_string(), "--proxy-trusted", "127.0.0.1"]);
        command.args(["--proxy-client-address", self.engine.client_address()]);
        let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap();
        assert_eq!(line, Some(format!("listening on {}", self.address)));
        self.process = Some(process);
        while self.readiness().await != Some(200) {
            sleep(LOOK).await;
        }
    }

    /// Ends the process as a power cut would.
    pub(crate) async fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().await.unwrap();
    }

    /// Asks the program to drain and end.
    pub(crate) fn terminate(&self) {
        signal(self.process.as_ref().unwrap(), Signal::TERM);
    }

    /// Whether the program still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.try_wait().unwrap().is_none())
    }

    /// Waits until the program has ended by itself, which has to be a success.
    pub(crate) async fn ended(&mut self) {
        let status = self.process.take().unwrap().wait().await.unwrap();
        assert!(status.success(), "node {} ended with {status}", self.number);
    }

    /// The status that `/readyz` is answered with; none where nobody answers.
    pub(crate) async fn readiness(&self) -> Option<u16> {
        let mut io = TcpStream::connect(self.health).await.ok()?;
        io.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.ok()?;
        let mut answer = String::new();
        io.read_to_string(&mut answer).await.ok()?;
        answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }
}
