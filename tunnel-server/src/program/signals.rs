//! Signals as orders to the service.

use std::io;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Finish what is under way and stop; given again, stop now.
    Stop,
    /// Read the settings again.
    #[cfg_attr(not(unix), expect(dead_code, reason = "no signal asks for it there"))]
    Reload,
}

/// Signals from the moment of creation on.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Takes signals from now on; they no longer end the process.
    ///
    /// # Errors
    /// Outside a tokio runtime, or when the system refuses.
    pub(crate) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next order.
    ///
    /// # Cancel safety
    /// No signal is lost.
    pub(crate) async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.interrupt.recv() => Order::Stop,
            _ = self.terminate.recv() => Order::Stop,
            _ = self.hangup.recv() => Order::Reload,
        }
    }
}

/// The interrupt, which is all there is.
#[cfg(windows)]
#[derive(Debug)]
pub(crate) struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    /// Takes the interrupt from now on; it no longer ends the process.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    /// The next order.
    ///
    /// # Cancel safety
    /// No signal is lost.
    pub(crate) async fn next(&mut self) -> Order {
        self.0.recv().await;
        Order::Stop
    }
}

impl Signals {
    /// Waits for an order to stop; others are too late to matter.
    ///
    /// # Cancel safety
    /// No order to stop is lost.
    pub(crate) async fn stop(&mut self) {
        while self.next().await != Order::Stop {}
    }
}
