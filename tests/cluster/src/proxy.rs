//! A running proxy with the configuration that the program writes for it.

use std::{
    fmt::Write,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use rustix::process::Signal;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use crate::{
    certificate::{BOTH, CERTIFICATE, KEY},
    node::{LOOK, Node, free_address, signal},
};

/// Which proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    Haproxy,
    Nginx,
}

/// A proxy in front of some nodes.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    process: Child,
}

/// Not killed at once, as nginx has processes of its own to end.
impl Drop for Proxy {
    fn drop(&mut self) {
        signal(&self.process, Signal::TERM);
    }
}

impl Engine {
    const fn name(self) -> &'static str {
        match self {
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// How the proxy tells a client's address, in the words of the node's settings.
    pub(crate) const fn client_address(self) -> &'static str {
        match self {
            Self::Haproxy => "proxy-protocol",
            Self::Nginx => "x-forwarded-for",
        }
    }

    /// The program in the foreground.
    fn command(self, folder: &Path, configuration: &Path) -> Command {
        // Where Debian has them, which is not on everybody's path.
        let mut command = Command::new(format!("/usr/sbin/{}", self.name()));
        match self {
            Self::Haproxy => _ = command.arg("-db").arg("-f").arg(configuration),
            Self::Nginx => {
                let pid = configuration.with_extension("pid");
                let settings = format!("daemon off; pid {};", pid.display());
                command.arg("-p").arg(folder).arg("-c").arg(configuration).args(["-g", &settings]);
            }
        }
        command
    }
}

impl Proxy {
    /// Writes the nodes file, has the configuration written, and starts the proxy. `state` gives the line for a node's
    /// state.
    pub(crate) async fn start(
        engine: Engine,
        relay: &Path,
        folder: &Path,
        nodes: &[Node],
        state: impl Fn(u8) -> &'static str,
    ) -> Self {
        let address = free_address();
        let file = |extension: &str| folder.join(format!("{}.{extension}", address.port()));
        let mut text = String::new();
        for Node { number, address, health, .. } in nodes {
            let state = state(*number);
            writeln!(
                text,
                "[[node]]\nnumber = {number}\naddress = \"{address}\"\nhealth = \"{health}\"\n{state}"
            )
            .unwrap();
        }
        fs::write(file("toml"), text).unwrap();
        let configuration = file("conf");
        fs::write(&configuration, written(engine, relay, folder, &file("toml"), address).await).unwrap();
        let process = engine.command(folder, &configuration).spawn().unwrap();
        while TcpStream::connect(address).await.is_err() {
            sleep(LOOK).await;
        }
        Self { address, process }
    }
}

/// What `hybridge-relay proxy-config` writes.
async fn written(
    engine: Engine,
    relay: &Path,
    folder: &Path,
    nodes: &PathBuf,
    address: SocketAddr,
) -> Vec<u8> {
    let mut command = Command::new(relay);
    command.args(["proxy-config", engine.name(), "--listen", &address.to_string()]).arg("--nodes").arg(nodes);
    match engine {
        Engine::Haproxy => _ = command.arg("--certificate").arg(folder.join(BOTH)),
        Engine::Nginx => {
            command.arg("--certificate").arg(folder.join(CERTIFICATE)).arg("--key").arg(folder.join(KEY));
        }
    }
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
