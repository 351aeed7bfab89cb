//! A request: reading it, checking what depends on the service, and carrying it out.

use std::{
    io,
    net::IpAddr,
    sync::Arc,
    time::{Instant, SystemTime},
};

use hybridge_proto::{
    ids::{RoutingId, TunnelId},
    service::ServicePath,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Service,
    connection::Phase,
    shared::{Parked, Registration, Visit, now},
    side::Opener,
};
use crate::{
    config::Config,
    forwarded::is_trusted,
    http::{self, Proxy, Refusal, Request},
    rendezvous::Door,
    tunnel::{Io, Peer, Times, lend},
};

/// How many bytes of a request head are read at once.
const HEAD_PIECE: usize = 1024;

/// What there is to know of a connection before its request.
pub(super) struct Arrival<'a, 'v> {
    /// What holds for it.
    pub(super) config: Arc<Config>,
    pub(super) visit: &'v mut Visit<'a>,
    /// Where it comes from.
    pub(super) peer: Option<IpAddr>,
    pub(super) began: Instant,
    pub(super) stop: &'a CancellationToken,
}

/// What becomes of a request: the side of a tunnel, nothing if the peer has left, or a refusal to be sent.
type Admitted<'a, S> = Result<Option<Phase<'a>>, (S, Refusal)>;

impl Arrival<'_, '_> {
    /// How a trusted proxy says whom it speaks for; none where the peer is not one.
    pub(super) fn proxy(&self) -> Option<Proxy<'_>> {
        let trusted = self.config.trusted_proxies.as_slice();
        let header = self.config.forwarded_header;
        self.peer.filter(|peer| is_trusted(*peer, trusted)).map(|_| Proxy { header, trusted })
    }
}

impl Service {
    pub(super) async fn admit<'a, S: Io + 'static>(
        &'a self,
        io: S,
        request: &Request,
        early: Vec<u8>,
        arrival: &mut Arrival<'a, '_>,
    ) -> Admitted<'a, S> {
        if let Err(refusal) = self.check(request, arrival) {
            return Err((io, refusal));
        }
        match request.path {
            ServicePath::New { tunnel } => self.open(io, request, tunnel, early, arrival).await,
            ServicePath::Connect { routing, tunnel } => {
                self.join(io, request, (tunnel, routing), early, arrival).await
            }
            ServicePath::Contact { .. } => Err((io, Refusal::UnknownContact)),
            _ => Err((io, Refusal::UnknownPath)),
        }
    }

    /// Checks everything about a request that does not take the table of tunnels.
    fn check(&self, request: &Request, arrival: &mut Arrival<'_, '_>) -> Result<(), Refusal> {
        arrival.visit.of_client(request.client())?;
        let config = &arrival.config;
        if !config.allows_origin(request.origin()) {
            return Err(Refusal::Origin);
        }
        let opens = matches!(request.path, ServicePath::New { .. });
        let door = if opens { Door::New } else { Door::Connect };
        self.shared.tunnels().knock(arrival.visit.source(), door, now())?;
        if opens {
            let token = config.access.check(request.token(), SystemTime::now())?;
            tracing::debug!(token, "a tunnel may be opened");
        }
        Ok(())
    }

    /// The authenticator's side: opens a tunnel.
    async fn open<'a, S: Io + 'static>(
        &'a self,
        mut io: S,
        request: &Request,
        tunnel: TunnelId,
        early: Vec<u8>,
        arrival: &Arrival<'a, '_>,
    ) -> Admitted<'a, S> {
        let (lend_to, joined) = oneshot::channel();
        let (routing, opened) = (self.shared.routing_id(), now());
        let parked = Parked { lend_to, config: Arc::clone(&arrival.config) };
        let source = arrival.visit.source();
        let place = self.shared.tunnels().open((tunnel, routing), source, parked, opened);
        let place = match place {
            Ok(place) => place,
            Err(error) => return Err((io, error.into())),
        };
        let registration = Registration { shared: &self.shared, ticket: place.ticket };
        if !accept(&mut io, &arrival.config, &request.to_response(Some(routing))).await {
            return Ok(None);
        }
        self.shared.metrics.opened(arrival.began, now());
        tracing::debug!("tunnel opened");
        let opener = Opener {
            peer: Peer::new(io, early, &arrival.config),
            registration,
            joined,
            config: Arc::clone(&arrival.config),
            opened,
            pending_until: place.pending_until,
            times: Times::new(place.ends.into(), arrival.config.idle_lifetime, opened.into()),
        };
        Ok(Some(Box::pin(self.hold(opener, arrival.stop))))
    }

    /// The client's side: takes a pending tunnel and lends its connection to the opener.
    async fn join<'a, S: Io + 'static>(
        &'a self,
        mut io: S,
        request: &Request,
        (tunnel, routing): (TunnelId, RoutingId),
        early: Vec<u8>,
        arrival: &Arrival<'a, '_>,
    ) -> Admitted<'a, S> {
        if let Err(not_here) = self.shared.node.check(routing) {
            return Err((io, not_here.into()));
        }
        let place = self.shared.tunnels().join(tunnel, routing, now());
        let place = match place {
            Ok(place) => place,
            Err(error) => return Err((io, error.into())),
        };
        let registration = Registration { shared: &self.shared, ticket: place.ticket };
        let Parked { lend_to, config } = place.parked;
        if lend_to.is_closed() {
            // The opener left a moment ago and has not taken its tunnel off the table yet.
            return Err((io, Refusal::NoSuchTunnel));
        }
        if !accept(&mut io, &config, &request.to_response(None)).await {
            return Ok(None);
        }
        self.shared.metrics.joined(arrival.began, now());
        tracing::debug!("tunnel joined");
        let (loan, lender) = lend(Peer::new(io, early, &config));
        // An opener that has left by now does not take the loan, which then comes back at once.
        let _ = lend_to.send(loan);
        Ok(Some(Box::pin(self.lend(registration, lender))))
    }
}

/// Sends the head that accepts the request; false when the peer did not take it.
async fn accept(io: &mut impl Io, config: &Config, response: &[u8]) -> bool {
    let sending = async { io.write_all(response).await.is_ok() && io.flush().await.is_ok() };
    timeout(config.handshake_timeout, sending).await.unwrap_or(false)
}

/// Reads a request head of at most `max` bytes, and what was read behind it.
pub(super) async fn read_request(
    io: &mut impl Io,
    max: usize,
    proxy: Option<Proxy<'_>>,
) -> io::Result<Result<(Request, Vec<u8>), Refusal>> {
    let mut bytes = Vec::new();
    let mut piece = [0_u8; HEAD_PIECE];
    loop {
        let read = io.read(&mut piece).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let searched = bytes.len();
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        // TLS or noise has no end of a head to wait for. Empty lines may stand before a request.
        if !bytes.first().is_some_and(|first| first.is_ascii_alphabetic() || b"\r\n".contains(first)) {
            return Ok(Err(Refusal::Malformed));
        }
        match http::head_end(&bytes, searched) {
            Some(end) if end <= max => {
                let early = bytes.split_off(end);
                return Ok(http::parse_from(&bytes, proxy).map(|request| (request, early)));
            }
            None if bytes.len() < max => {}
            _ => return Ok(Err(Refusal::HeadTooLarge)),
        }
    }
}
