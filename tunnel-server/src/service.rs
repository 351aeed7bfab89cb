//! The service: from a byte stream to a side of a tunnel.

mod connection;
mod request;
mod shared;
mod side;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, PoisonError},
};

use getrandom::SysRng;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_util::sync::CancellationToken;

use self::shared::Shared;
use crate::{
    config::Config,
    front::Front,
    listener::{self, Serving},
    metrics::Current,
};

/// A tunnel service (CTAP 2.2 section 11.5.1): phones open tunnels, clients join them, and the service moves
/// messages that it cannot read from one to the other.
///
/// It answers `/cable/new/<tunnel ID>` and `/cable/connect/<routing ID>/<tunnel ID>`. It remembers no phones, so
/// `/cable/contact/<contact ID>` is answered with 410, which tells a client to forget the link. It speaks plain
/// HTTP, or TLS with [`Service::serve_with`]; decrypted streams go to [`Service::serve_stream_from`].
///
/// Cloning is cheap, and all clones are the same service.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

impl Service {
    /// A service that draws its routing IDs from the operating system's randomness.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn new(config: Config) -> io::Result<Self> {
        let rng = ChaCha20Rng::try_from_rng(&mut SysRng).map_err(io::Error::other)?;
        Ok(Self::with_rng(config, rng))
    }

    /// A service that draws its routing IDs from `rng`.
    pub fn with_rng(config: Config, rng: impl CryptoRng + Send + 'static) -> Self {
        Self { shared: Arc::new(Shared::new(config, Box::new(rng))) }
    }

    /// Accepts connections until the returned handle is dropped or stopped.
    ///
    /// The current tokio runtime runs the connections. At most [`Config::max_connections`] are served at a time, by
    /// all listeners together. When the system refuses to accept, for want of file descriptors for example, the
    /// listener waits up to a second between attempts.
    ///
    /// # Errors
    /// When the listener has no local address, or outside a tokio runtime.
    pub fn serve(&self, listener: TcpListener) -> io::Result<Serving> {
        self.serve_with(listener, Front::plain())
    }

    /// As [`serve`](Self::serve), with TLS, the PROXY protocol or both between the socket and the service.
    ///
    /// A connection may take [`Config::handshake_timeout`] for the front and its request together.
    ///
    /// # Errors
    /// When the listener has no local address, or outside a tokio runtime.
    pub fn serve_with(&self, listener: TcpListener, front: Front) -> io::Result<Serving> {
        let address = listener.local_addr()?;
        let service = self.clone();
        let front = Arc::new(front);
        Serving::start(self.clone(), address, async move |stop| {
            front.start();
            let shared = Arc::clone(&service.shared);
            let serve = move |stream, peer: SocketAddr, place, stop| {
                let (service, front) = (service.clone(), Arc::clone(&front));
                // In a box, as a future keeps room for what it has given away.
                let accepted = Box::new((stream, peer.ip()));
                async move {
                    service.accepted(accepted, &front, &stop).await;
                    drop(place);
                }
            };
            listener::run(listener, &shared.places, &shared.metrics, stop, serve).await;
        })
    }

    /// Serves one connection of nobody in particular until it ends, such as an in-memory pipe. No limit per source
    /// holds for it.
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream; the other side of the tunnel is closed with 1001.
    pub async fn serve_stream(&self, io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        self.connection(io, None, &CancellationToken::new()).await;
    }

    /// Serves one connection of the peer at an address until it ends: an accepted socket, a decrypted TLS stream.
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream; the other side of the tunnel is closed with 1001.
    pub async fn serve_stream_from(
        &self,
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        peer: IpAddr,
    ) {
        self.connection(io, Some(peer), &CancellationToken::new()).await;
    }

    /// Sets another configuration, for connections and tunnels that begin from now on. What is open keeps what it
    /// was given, also where it holds more than it could get now. [`Config::node`] does not change.
    pub fn reconfigure(&self, config: Config) {
        self.shared.tunnels().set_limits(config.rendezvous_limits());
        self.shared.places.set_limit(config.max_connections);
        *self.shared.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// Opens no new tunnels from now on: requests for one are answered with 503. Those that wait can still be joined.
    ///
    /// There is no way back. [`Serving::drained`] waits for the tunnels to end.
    pub fn drain(&self) {
        self.shared.tunnels().drain();
    }

    /// Whether [`Service::drain`] has been called.
    pub fn is_draining(&self) -> bool {
        self.shared.tunnels().is_draining()
    }

    /// How many tunnels are pending or joined.
    pub fn tunnel_count(&self) -> usize {
        self.shared.tunnels().len()
    }

    /// What has been counted since the service was made, in the text format that Prometheus reads, of the media type
    /// [`METRICS_TYPE`](crate::METRICS_TYPE). It names no identifiers and no addresses.
    pub fn metrics(&self) -> String {
        let tunnels = self.shared.tunnels();
        let current = Current {
            connections: tunnels.connections(),
            pending: tunnels.pending(),
            joined: tunnels.len().saturating_sub(tunnels.pending()),
            sources: tunnels.sources(),
            draining: tunnels.is_draining(),
        };
        drop(tunnels);
        self.shared.metrics.render(current)
    }

    /// Waits until there are no tunnels.
    pub(crate) async fn without_tunnels(&self) {
        loop {
            // Before looking, so that nothing is missed.
            let emptied = self.shared.emptied.notified();
            if self.shared.tunnels().is_empty() {
                return;
            }
            emptied.await;
        }
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("tunnels", &self.tunnel_count()).finish_non_exhaustive()
    }
}
