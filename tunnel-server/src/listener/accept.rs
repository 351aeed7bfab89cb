//! Accepting, and what to do while the system refuses to.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use crate::{metrics::Metrics, tunnel::Io};

/// The first wait after a failed accept; it doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_millis(5);
/// The longest wait after a failed accept.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// The least time between two lines in the log about it.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// Where connections come from.
pub(crate) trait Accept: Send {
    type Io: Io + 'static;
    /// The next connection, and who made it.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = Self::accept(self).await?;
        // Messages are small and answered one by one.
        stream.set_nodelay(true)?;
        Ok((stream, peer))
    }
}

/// Accepts one connection after the other, however long it takes.
pub(super) struct Acceptor<A> {
    listener: A,
    logged: Option<Instant>,
    /// Failures since then.
    unlogged: u64,
}

impl<A: Accept> Acceptor<A> {
    pub(super) const fn new(listener: A) -> Self {
        Self { listener, logged: None, unlogged: 0 }
    }

    /// The next connection.
    pub(super) async fn next(&mut self, metrics: &Metrics) -> (A::Io, SocketAddr) {
        let mut wait = FIRST_WAIT;
        loop {
            match self.listener.accept().await {
                Ok(accepted) => {
                    metrics.accepted();
                    return accepted;
                }
                Err(error) if is_one_connections_own(&error) => metrics.accept_failed(),
                Err(error) => {
                    metrics.accept_failed();
                    self.log(&error);
                    sleep(wait).await;
                    wait = wait.saturating_mul(2).min(LONGEST_WAIT);
                }
            }
        }
    }

    /// Logs the first failure, and then at most one in a while: who has no descriptors left may have no disk either.
    fn log(&mut self, error: &io::Error) {
        self.unlogged = self.unlogged.saturating_add(1);
        if self.logged.is_some_and(|logged| logged.elapsed() < LOG_INTERVAL) {
            return;
        }
        tracing::warn!(%error, times = self.unlogged, "accepting failed");
        self.logged = Some(Instant::now());
        self.unlogged = 0;
    }
}

/// Whether an accept error is about the connection that was to be accepted, and says nothing about the next.
fn is_one_connections_own(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::InvalidInput
    )
}
