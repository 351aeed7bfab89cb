//! The process of a peer, as the suite sees it.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::orders::{Event, Order};

/// A running peer. It ends with its handle.
pub(crate) struct Peer {
    _child: Child,
    orders: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts this program again as the peer of this name, on a private bus and with an authority to trust.
    pub(crate) fn start(name: &str, bus: &str, authority: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["peer", name]);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", bus).env("SSL_CERT_FILE", authority);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (orders, events) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { _child: child, orders, events: BufReader::new(events).lines() }
    }

    /// Tells it what to do.
    pub(crate) async fn order(&mut self, order: &Order) {
        let mut line = serde_json::to_vec(order).unwrap();
        line.push(b'\n');
        self.orders.write_all(&line).await.unwrap();
    }

    /// What it says next.
    pub(crate) async fn event(&mut self) -> Event {
        match self.events.next_line().await.unwrap() {
            Some(line) => serde_json::from_str(&line).unwrap(),
            None => panic!("the peer has ended"),
        }
    }

    /// The text of the code that it shows next.
    pub(crate) async fn code(&mut self) -> String {
        match self.event().await {
            Event::Code(code) => code,
            other => panic!("no code: {other:?}"),
        }
    }
}
