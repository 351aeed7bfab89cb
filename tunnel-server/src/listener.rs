//! The accept loop and the handle that stops it.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::Semaphore,
    task::JoinHandle,
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The first wait after a failed accept; it doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_millis(5);
/// The longest wait after a failed accept.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A running listener. Dropping it stops the listener and, within seconds, its connections: each is closed with
/// 1001 in the background.
#[derive(Debug)]
#[must_use = "dropping the handle stops the service"]
pub struct Serving {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Serving {
    /// Runs `run` on the current runtime; an error when there is none.
    pub(crate) fn start<F>(address: SocketAddr, run: impl FnOnce(CancellationToken) -> F) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let stop = CancellationToken::new();
        let task = runtime.spawn(run(stop.clone()));
        Ok(Self { address, stop, task })
    }

    /// The address that is listened on.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, closes every connection with 1001 and waits until all are gone: as long as
    /// [`close_timeout`](crate::Config::close_timeout), or
    /// [`handshake_timeout`](crate::Config::handshake_timeout) where a peer does not take its answer.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the rest of the stopping to the background.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Where connections come from.
pub(crate) trait Accept: Send {
    type Connection: Send + 'static;
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Connection>> + Send;
}

impl Accept for TcpListener {
    type Connection = (TcpStream, SocketAddr);

    async fn accept(&mut self) -> io::Result<Self::Connection> {
        let (stream, peer) = Self::accept(self).await?;
        // Messages are small and answered one by one.
        stream.set_nodelay(true)?;
        Ok((stream, peer))
    }
}

/// Accepts connections and serves at most `limit` of them at a time, until `stop` is cancelled and all are gone.
pub(crate) async fn run<A, F>(
    mut listener: A,
    limit: usize,
    stop: CancellationToken,
    serve: impl Fn(A::Connection, CancellationToken) -> F,
) where
    A: Accept,
    F: Future<Output = ()> + Send + 'static,
{
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
    let accepting = async {
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let served = serve(accept(&mut listener).await, stop.clone());
            connections.spawn(async move {
                served.await;
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop.cancelled() => {}
    }
    drop(listener);
    tracing::info!(connections = connections.len(), "stopping");
    connections.close();
    connections.wait().await;
}

/// The next connection, however long it takes.
async fn accept<A: Accept>(listener: &mut A) -> A::Connection {
    let mut wait = FIRST_WAIT;
    loop {
        match listener.accept().await {
            Ok(connection) => return connection,
            Err(error) if is_one_connections_own(&error) => {}
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), wait_ms = wait.as_millis(), "accepting failed");
                sleep(wait).await;
                wait = wait.saturating_mul(2).min(LONGEST_WAIT);
            }
        }
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use tokio::{io::DuplexStream, sync::mpsc, time::Instant};

    use super::*;

    /// Gives the scripted answers, then nothing more.
    struct Script(VecDeque<io::Result<DuplexStream>>);

    impl Accept for Script {
        type Connection = DuplexStream;

        async fn accept(&mut self) -> io::Result<DuplexStream> {
            match self.0.pop_front() {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
    }

    fn connection() -> io::Result<DuplexStream> {
        Ok(tokio::io::duplex(1).0)
    }

    fn no_descriptors() -> io::Result<DuplexStream> {
        Err(io::Error::from_raw_os_error(24))
    }

    #[tokio::test(start_paused = true)]
    async fn failing_accepts_back_off_and_recover() {
        let mut script = Script((0..12).map(|_| no_descriptors()).chain([connection()]).collect());
        let start = Instant::now();
        accept(&mut script).await;
        // 5 + 10 + ... + 640 ms, then four times 1 s.
        assert_eq!(start.elapsed(), Duration::from_millis(1275 + 4000));
    }

    #[tokio::test(start_paused = true)]
    async fn aborted_connections_cost_no_wait() {
        let aborted = || Err(io::ErrorKind::ConnectionAborted.into());
        let mut script = Script([aborted(), aborted(), connection()].into());
        let start = Instant::now();
        accept(&mut script).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_connections_than_allowed_are_served() {
        let script = Script((0..5).map(|_| connection()).collect());
        let (started, mut starts) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(script, 2, stop.clone(), move |_, stop: CancellationToken| {
            let started = started.clone();
            async move {
                started.send(()).unwrap();
                stop.cancelled().await;
            }
        }));
        sleep(Duration::from_secs(1)).await;
        assert_eq!(starts.len(), 2);
        stop.cancel();
        running.await.unwrap();
        starts.recv().await.unwrap();
    }
}
