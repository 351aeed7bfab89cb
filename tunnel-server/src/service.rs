//! The service: from a byte stream to a side of a tunnel.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use getrandom::SysRng;
use hybridge_proto::{
    ids::{RoutingId, TunnelId},
    service::ServicePath,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    front::{Front, Passed},
    http::{self, Refusal, Request},
    listener::{self, Serving},
    node::{Node, NotHere},
    rendezvous::{NoSuchTunnel, OpenError, Rendezvous, Ticket},
    tunnel::{self, End, Io, Lender, Loan, Peer, lend, linger},
};

/// How many bytes of a request head are read at once.
const HEAD_PIECE: usize = 1024;

/// A tunnel service (CTAP 2.2 section 11.5.1): phones open tunnels, clients join them, and the service moves
/// messages that it cannot read from one to the other.
///
/// It answers `/cable/new/<tunnel ID>` and `/cable/connect/<routing ID>/<tunnel ID>`. It remembers no phones, so
/// `/cable/contact/<contact ID>` is answered with 410, which tells a client to forget the link. It speaks plain
/// HTTP, or TLS with [`Service::serve_with`]; decrypted streams go to [`Service::serve_stream`].
///
/// Cloning is cheap, and all clones share one table of tunnels.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    node: Node,
    tunnels: Mutex<Tunnels>,
    rng: Mutex<Box<dyn CryptoRng + Send>>,
}

/// The opener of a tunnel leaves the place where it waits for the joiner's connection.
type Tunnels = Rendezvous<oneshot::Sender<Loan>>;

/// A tunnel's place in the table; dropping it takes the tunnel off.
struct Registration<'a> {
    shared: &'a Shared,
    ticket: Ticket,
}

/// What a connection does after its handshake, in memory of its own.
type Phase<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The authenticator's connection, which waits for the client's.
struct Opener<'a> {
    peer: Box<Peer>,
    registration: Registration<'a>,
    joined: oneshot::Receiver<Loan>,
    pending_until: Instant,
    ends: Instant,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.shared.tunnels().close(&self.ticket);
    }
}

impl Shared {
    fn tunnels(&self) -> MutexGuard<'_, Tunnels> {
        self.tunnels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn routing_id(&self) -> RoutingId {
        self.node.routing_id(&mut **self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }
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
    pub fn with_rng(config: Config, mut rng: impl CryptoRng + Send + 'static) -> Self {
        let node = config.node.unwrap_or_else(|| {
            let mut generation = [0];
            rng.fill_bytes(&mut generation);
            let [generation] = generation;
            Node::new(0, generation)
        });
        let tunnels = Mutex::new(Rendezvous::new(config.rendezvous_limits()));
        Self { shared: Arc::new(Shared { config, node, tunnels, rng: Mutex::new(Box::new(rng)) }) }
    }

    /// Accepts connections until the returned handle is dropped or stopped.
    ///
    /// The current tokio runtime runs the connections. At most [`Config::max_connections`] are served at a time.
    /// When the system refuses to accept, for want of file descriptors for example, the listener waits up to a
    /// second between attempts.
    ///
    /// # Errors
    /// When the listener has no local address, or outside a tokio runtime.
    pub fn serve(&self, listener: TcpListener) -> io::Result<Serving> {
        self.serve_with(listener, Front::plain())
    }

    /// As [`serve`](Self::serve), with TLS, the PROXY protocol or both between the socket and the service.
    ///
    /// A connection may take [`Config::handshake_timeout`] to pass the front, before its request is waited for.
    ///
    /// # Errors
    /// When the listener has no local address, or outside a tokio runtime.
    pub fn serve_with(&self, listener: TcpListener, front: Front) -> io::Result<Serving> {
        let address = listener.local_addr()?;
        let service = self.clone();
        let limit = self.shared.config.max_connections;
        let front = Arc::new(front);
        Serving::start(address, async move |stop| {
            let serve = move |(stream, peer): (_, SocketAddr), stop| {
                let (service, front) = (service.clone(), Arc::clone(&front));
                async move { service.accepted(stream, peer.ip(), front, &stop).await }
            };
            listener::run(listener, limit, stop, serve).await;
        })
    }

    /// Serves one connection until it ends: an accepted socket, a decrypted TLS stream, an in-memory pipe.
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream; the other side of the tunnel is closed with 1001.
    pub async fn serve_stream(&self, io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        self.connection(io, &CancellationToken::new()).await;
    }

    /// How many tunnels are pending or joined.
    pub fn tunnel_count(&self) -> usize {
        self.shared.tunnels().len()
    }

    /// A connection from its first byte to its last.
    ///
    /// Each phase has memory of its own, which is freed with it: nearly all connections are tunnels at rest, and a
    /// tunnel at rest should not pay for what reading a request or saying goodbye takes.
    async fn connection(&self, io: impl Io + 'static, stop: &CancellationToken) {
        let side = Box::pin(self.handshake(io, stop)).await;
        if let Some(side) = side {
            side.await;
        }
    }

    /// An accepted socket, from what stands in front of the service to its last byte.
    async fn accepted(&self, stream: TcpStream, peer: IpAddr, front: Arc<Front>, stop: &CancellationToken) {
        let side = Box::pin(self.pass(stream, peer, front, stop)).await;
        if let Some(side) = side {
            side.await;
        }
    }

    /// Takes a socket through the front, then reads and answers its request.
    async fn pass<'a>(
        &'a self,
        stream: TcpStream,
        peer: IpAddr,
        front: Arc<Front>,
        stop: &'a CancellationToken,
    ) -> Option<Phase<'a>> {
        let passing = timeout(self.shared.config.handshake_timeout, front.pass(stream, peer));
        let passed = tokio::select! {
            passed = passing => passed,
            () = stop.cancelled() => return None,
        };
        match passed {
            Ok(Ok((Passed::Plain(io), _))) => self.handshake(io, stop).await,
            Ok(Ok((Passed::Tls(io), _))) => self.handshake(io, stop).await,
            Ok(Err(reason)) => {
                tracing::debug!(%reason, "connection did not pass the front");
                None
            }
            Err(_) => {
                tracing::debug!("connection was too slow to pass the front");
                None
            }
        }
    }

    /// Reads and answers the request; none where it does not lead into a tunnel.
    async fn handshake<'a>(
        &'a self,
        mut io: impl Io + 'static,
        stop: &'a CancellationToken,
    ) -> Option<Phase<'a>> {
        let config = &self.shared.config;
        let request = tokio::select! {
            request = timeout(config.handshake_timeout, read_request(&mut io, config.max_head)) => {
                request.unwrap_or(Ok(Err(Refusal::TooSlow)))
            }
            () = stop.cancelled() => Ok(Err(Refusal::Unavailable)),
        };
        let admitted = match request {
            Ok(Ok((request, early))) => self.admit(io, &request, early, stop).await,
            Ok(Err(refusal)) => Err((io, refusal)),
            Err(error) => {
                tracing::debug!(kind = ?error.kind(), "no request");
                return None;
            }
        };
        match admitted {
            Ok(side) => side,
            Err((io, refusal)) => {
                tracing::debug!(status = refusal.status(), ?refusal, "request refused");
                let _ = timeout(config.close_timeout, refuse(io, refusal)).await;
                None
            }
        }
    }

    async fn admit<'a, S: Io + 'static>(
        &'a self,
        io: S,
        request: &Request,
        early: Vec<u8>,
        stop: &'a CancellationToken,
    ) -> Result<Option<Phase<'a>>, (S, Refusal)> {
        match request.path {
            ServicePath::New { tunnel } => self.open(io, request, tunnel, early, stop).await,
            ServicePath::Connect { routing, tunnel } => {
                self.join(io, request, (tunnel, routing), early).await
            }
            ServicePath::Contact { .. } => Err((io, Refusal::UnknownContact)),
            _ => Err((io, Refusal::UnknownPath)),
        }
    }

    /// The authenticator's side: opens a tunnel.
    async fn open<'a, S: Io + 'static>(
        &'a self,
        mut io: S,
        request: &Request,
        tunnel: TunnelId,
        early: Vec<u8>,
        stop: &'a CancellationToken,
    ) -> Result<Option<Phase<'a>>, (S, Refusal)> {
        let (parked, joined) = oneshot::channel();
        let routing = self.shared.routing_id();
        let opened = match self.shared.tunnels().open(tunnel, routing, parked, Instant::now().into_std()) {
            Ok(opened) => opened,
            Err(error) => return Err((io, error.into())),
        };
        let registration = Registration { shared: &self.shared, ticket: opened.ticket };
        if !self.accept(&mut io, &request.to_response(Some(routing))).await {
            return Ok(None);
        }
        tracing::debug!("tunnel opened");
        let opener = Opener {
            peer: Peer::new(io, early, &self.shared.config),
            registration,
            joined,
            pending_until: opened.pending_until.into(),
            ends: opened.ends.into(),
        };
        Ok(Some(Box::pin(self.hold(opener, stop))))
    }

    /// The client's side: takes a pending tunnel and lends its connection to the opener.
    async fn join<S: Io + 'static>(
        &self,
        mut io: S,
        request: &Request,
        (tunnel, routing): (TunnelId, RoutingId),
        early: Vec<u8>,
    ) -> Result<Option<Phase<'_>>, (S, Refusal)> {
        if let Err(not_here) = self.shared.node.check(routing) {
            return Err((io, not_here.into()));
        }
        let joined = match self.shared.tunnels().join(tunnel, routing, Instant::now().into_std()) {
            Ok(joined) => joined,
            Err(error) => return Err((io, error.into())),
        };
        let registration = Registration { shared: &self.shared, ticket: joined.ticket };
        if joined.parked.is_closed() {
            // The opener left a moment ago and has not taken its tunnel off the table yet.
            return Err((io, Refusal::NoSuchTunnel));
        }
        if !self.accept(&mut io, &request.to_response(None)).await {
            return Ok(None);
        }
        tracing::debug!("tunnel joined");
        let (loan, lender) = lend(Peer::new(io, early, &self.shared.config));
        // An opener that has left by now does not take the loan, which then comes back at once.
        let _ = joined.parked.send(loan);
        Ok(Some(Box::pin(self.lend(registration, lender))))
    }

    /// Holds a tunnel from its opener's side: waits for the client, forwards, says goodbye.
    fn hold<'a>(
        &'a self,
        mut opener: Opener<'a>,
        stop: &'a CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'a {
        let config = &self.shared.config;
        // Not an `async fn`, which would have room for its arguments twice.
        async move {
            let Opener { peer, joined, pending_until, ends, .. } = &mut opener;
            let end = match tunnel::wait_for_peer(peer, config, joined, stop, *pending_until).await {
                Ok(mut loan) => tunnel::forward(peer, &mut loan, stop, *ends).await,
                Err(end) => end,
            };
            drop(opener.registration);
            Box::pin(self.finish(opener.peer, end, "authenticator")).await;
        }
    }

    /// Waits until the opener's side gives the client's connection back, and says goodbye.
    async fn lend(&self, registration: Registration<'_>, lender: Lender) {
        let returned = lender.returned().await;
        drop(registration);
        if let Some(returned) = returned {
            Box::pin(self.finish(returned.peer, returned.end, "client")).await;
        }
    }

    /// Sends the head that accepts the request; false when the peer did not take it.
    async fn accept(&self, io: &mut impl Io, response: &[u8]) -> bool {
        let sending = async { io.write_all(response).await.is_ok() && io.flush().await.is_ok() };
        timeout(self.shared.config.handshake_timeout, sending).await.unwrap_or(false)
    }

    async fn finish(&self, peer: Box<Peer>, end: End, role: &'static str) {
        tracing::debug!(role, ?end, "side of a tunnel ended");
        peer.finish(end, &self.shared.config).await;
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse => Self::TunnelInUse,
            OpenError::Full => Self::Unavailable,
        }
    }
}

impl From<NotHere> for Refusal {
    fn from(not_here: NotHere) -> Self {
        match not_here {
            NotHere::OtherNode => Self::OtherNode,
            NotHere::OtherGeneration => Self::OtherGeneration,
        }
    }
}

impl From<NoSuchTunnel> for Refusal {
    fn from(_: NoSuchTunnel) -> Self {
        Self::NoSuchTunnel
    }
}

/// Reads a request head of at most `max` bytes, and what was read behind it.
async fn read_request(io: &mut impl Io, max: usize) -> io::Result<Result<(Request, Vec<u8>), Refusal>> {
    let mut bytes = Vec::new();
    let mut piece = [0_u8; HEAD_PIECE];
    loop {
        let read = io.read(&mut piece).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let searched = bytes.len();
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        match http::head_end(&bytes, searched) {
            Some(end) if end <= max => {
                let early = bytes.split_off(end);
                return Ok(http::parse_request(&bytes).map(|request| (request, early)));
            }
            None if bytes.len() < max => {}
            _ => return Ok(Err(Refusal::HeadTooLarge)),
        }
    }
}

/// Sends a refusal and waits until the peer has taken it.
async fn refuse(mut io: impl Io, refusal: Refusal) {
    if io.write_all(&refusal.to_response()).await.is_ok() {
        linger(&mut io).await;
    }
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("tunnels", &self.tunnel_count()).finish_non_exhaustive()
    }
}
