//! A connection until it is a side of a tunnel: what stands in front, its request, the answer.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    Service,
    request::{Arrival, read_request},
    shared::{Visit, now},
};
use crate::{
    config::Config,
    front::{Front, Passed},
    http::Refusal,
    tunnel::{Io, linger},
};

/// How long a connection that is one too many may take to take its answer.
const TURNED_AWAY: Duration = Duration::from_secs(1);

/// What was asked for, why it is refused, and the address it came from, if that may be logged.
type Refused = (&'static str, Refusal, Option<IpAddr>);

/// What a connection does after its handshake, in memory of its own.
pub(super) type Phase<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Service {
    /// A connection from its first byte to its last.
    ///
    /// Each phase has memory of its own, which is freed with it: nearly all connections are tunnels at rest, and a
    /// tunnel at rest should not pay for what reading a request or saying goodbye takes.
    pub(super) async fn connection(
        &self,
        io: impl Io + 'static,
        peer: Option<IpAddr>,
        stop: &CancellationToken,
    ) {
        let mut visit = Visit::new(&self.shared);
        let side = Box::pin(self.begin(io, peer, &mut visit, stop)).await;
        if let Some(side) = side {
            side.await;
        }
    }

    /// An accepted socket, from what stands in front of the service to its last byte.
    pub(super) async fn accepted(
        &self,
        accepted: Box<(TcpStream, IpAddr)>,
        front: &Front,
        stop: &CancellationToken,
    ) {
        let mut visit = Visit::new(&self.shared);
        let side = Box::pin(self.pass(accepted, front, &mut visit, stop)).await;
        if let Some(side) = side {
            side.await;
        }
    }

    async fn begin<'a>(
        &'a self,
        io: impl Io + 'static,
        peer: Option<IpAddr>,
        visit: &mut Visit<'a>,
        stop: &'a CancellationToken,
    ) -> Option<Phase<'a>> {
        let config = self.shared.config();
        if let Err(refusal) = visit.of_peer(peer, &config) {
            let from = peer.filter(|_| config.log_addresses);
            self.refuse(io, ("other", refusal, from), TURNED_AWAY).await;
            return None;
        }
        self.handshake(io, Arrival { config, visit, peer, began: now(), stop }).await
    }

    /// Takes a socket through the front, then reads and answers its request.
    async fn pass<'a>(
        &'a self,
        accepted: Box<(TcpStream, IpAddr)>,
        front: &Front,
        visit: &mut Visit<'a>,
        stop: &'a CancellationToken,
    ) -> Option<Phase<'a>> {
        let (mut stream, peer) = *accepted;
        let (config, began) = (self.shared.config(), now());
        let peer = self.in_time(&config, began, stop, front.identify(&mut stream, peer)).await?;
        // Before TLS, whose handshake is dearer than all the rest.
        if let Err(refusal) = visit.of_peer(peer, &config) {
            let refused = ("other", refusal, peer.filter(|_| config.log_addresses));
            if front.is_plain() {
                self.refuse(stream, refused, TURNED_AWAY).await;
            } else {
                self.count_refusal(refused);
            }
            return None;
        }
        let passed = self.in_time(&config, began, stop, front.secure(stream)).await?;
        let arrival = Arrival { config, visit, peer, began, stop };
        match passed {
            Passed::Plain(io) => self.handshake(io, arrival).await,
            Passed::Tls(io) => self.handshake(io, arrival).await,
        }
    }

    /// A step through the front; none where it fails, takes too long or the service stops.
    async fn in_time<T>(
        &self,
        config: &Config,
        began: Instant,
        stop: &CancellationToken,
        step: impl Future<Output = Result<T, crate::front::Stopped>>,
    ) -> Option<T> {
        let left = left(config, began);
        let outcome = tokio::select! {
            outcome = timeout(left, step) => outcome,
            () = stop.cancelled() => return None,
        };
        match outcome {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(reason)) => {
                self.shared.metrics.answered("none", "not_passed");
                tracing::debug!(%reason, "connection did not pass the front");
            }
            Err(_) => {
                self.count_refusal(("none", Refusal::TooSlow, None));
                tracing::debug!("connection was too slow to pass the front");
            }
        }
        None
    }

    /// Reads and answers the request; none where it does not lead into a tunnel.
    async fn handshake<'a>(
        &'a self,
        mut io: impl Io + 'static,
        mut arrival: Arrival<'a, '_>,
    ) -> Option<Phase<'a>> {
        let config = Arc::clone(&arrival.config);
        let reading = read_request(&mut io, config.max_head, arrival.proxy());
        let request = tokio::select! {
            request = timeout(left(&config, arrival.began), reading) => request.unwrap_or(Ok(Err(Refusal::TooSlow))),
            () = arrival.stop.cancelled() => Ok(Err(Refusal::Draining)),
        };
        let mut from = arrival.peer;
        let (what, admitted) = match request {
            Ok(Ok((request, early))) => {
                from = request.client().ok().flatten().or(from);
                (request.name(), self.admit(io, &request, early, &mut arrival).await)
            }
            Ok(Err(refusal)) => ("other", Err((io, refusal))),
            Err(error) => {
                self.shared.metrics.answered("none", "left");
                tracing::debug!(kind = ?error.kind(), "no request");
                return None;
            }
        };
        match admitted {
            Ok(side) => {
                self.shared.metrics.answered(what, if side.is_some() { "accepted" } else { "left" });
                side
            }
            Err((io, refusal)) => {
                let from = from.filter(|_| config.log_addresses);
                self.refuse(io, (what, refusal, from), config.close_timeout).await;
                None
            }
        }
    }

    /// Sends a refusal and waits until the peer has taken it.
    async fn refuse(&self, mut io: impl Io, refused: Refused, limit: Duration) {
        self.count_refusal(refused);
        let refusing = async {
            if io.write_all(&refused.1.to_response()).await.is_ok() {
                linger(&mut io).await;
            }
        };
        let _ = timeout(limit, refusing).await;
    }

    fn count_refusal(&self, (what, refusal, from): Refused) {
        let address = from.map(tracing::field::display);
        tracing::debug!(status = refusal.status(), ?refusal, address, "request refused");
        self.shared.metrics.answered(what, refusal.name());
        if let Some(limit) = refusal.limit(what) {
            self.shared.metrics.limit_hit(limit);
        }
    }
}

/// What is left of the time in which a request has to be there.
fn left(config: &Config, began: Instant) -> Duration {
    config.handshake_timeout.saturating_sub(now().saturating_duration_since(began))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_is_left_of_a_connection_at_rest_beside_its_side_of_a_tunnel_is_little() {
        let service = Service::new(Config::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let (front, stop) = (Front::plain(), CancellationToken::new());
        let accepted = service.accepted(Box::new((stream, peer.ip())), &front, &stop);
        assert!(size_of_val(&accepted) <= 128, "{} bytes", size_of_val(&accepted));
    }
}
