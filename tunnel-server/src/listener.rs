//! The accept loop and the handle that stops it.

mod accept;
mod places;

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{runtime::Handle, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::accept::Acceptor;
pub(crate) use self::{
    accept::Accept,
    places::{Place, Places},
};
use crate::{
    metrics::{Limit, Metrics},
    service::Service,
};

/// A running listener. Dropping it stops the listener and, within seconds, its connections: each is closed with
/// 1012 in the background.
#[derive(Debug)]
#[must_use = "dropping the handle stops the service"]
pub struct Serving {
    service: Service,
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Serving {
    /// Runs `run` on the current runtime; an error when there is none.
    pub(crate) fn start<F>(
        service: Service,
        address: SocketAddr,
        run: impl FnOnce(CancellationToken) -> F,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let stop = CancellationToken::new();
        let task = runtime.spawn(run(stop.clone()));
        Ok(Self { service, address, stop, task })
    }

    /// The address that is listened on.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the service has no tunnels left, at once where it has none, and says whether it has come to
    /// that within `limit`. Call [`Service::drain`] first, so that no new ones are opened, and [`Serving::stop`]
    /// afterwards.
    ///
    /// The tunnels of all listeners of the service count.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn drained(&self, limit: Duration) -> bool {
        timeout(limit, self.service.without_tunnels()).await.is_ok()
    }

    /// Stops accepting, closes every connection with 1012 (service restart) and waits until all are gone: as long as
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

/// Accepts connections and serves as many at a time as there are places, until `stop` is cancelled and all are gone.
/// What `serve` gives keeps its place to the end.
pub(crate) async fn run<A, F>(
    listener: A,
    places: &Arc<Places>,
    metrics: &Metrics,
    stop: CancellationToken,
    serve: impl Fn(A::Io, SocketAddr, Place, CancellationToken) -> F,
) where
    A: Accept,
    F: Future<Output = ()> + Send + 'static,
{
    let connections = TaskTracker::new();
    let mut listener = Acceptor::new(listener);
    let accepting = async {
        loop {
            let place = match places.try_take() {
                Some(place) => place,
                None => {
                    metrics.limit_hit(Limit("max_connections"));
                    places.take().await
                }
            };
            let (io, peer) = listener.next(metrics).await;
            // As it is: a future around it would have room for it twice.
            connections.spawn(serve(io, peer, place, stop.clone()));
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

#[cfg(test)]
mod tests;
