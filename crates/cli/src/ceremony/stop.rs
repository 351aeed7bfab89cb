//! The signals that end a ceremony.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for Ctrl-C, a request to end, and the end of the terminal.
pub(crate) struct Stop {
    signals: [Signal; 3],
}

impl Stop {
    /// Needs a tokio runtime.
    pub(crate) fn new() -> io::Result<Self> {
        let [interrupt, terminate, hang_up] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Self { signals: [interrupt?, terminate?, hang_up?] })
    }

    /// Waits for one of them.
    pub(crate) async fn wait(&mut self) {
        let [interrupt, terminate, hang_up] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}
