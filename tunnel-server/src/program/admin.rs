//! The second listener: metrics for Prometheus, and whether the service is alive and ready.
//!
//! Its peers are the operator's own, so it is small, but it trusts them no further than that: heads are bounded in
//! bytes and time, and so is the number of connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hybridge_relay::Service;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
    time::{sleep, timeout},
};

mod request;

use request::{Answer, Target};

/// The largest request head in bytes.
const MAX_HEAD: usize = 4096;
/// How many bytes of a head are read at once.
const HEAD_PIECE: usize = 512;
/// How long a connection may take from its first byte to its last.
const LIMIT: Duration = Duration::from_secs(5);
/// The most connections at a time; further ones wait in the backlog.
const CONNECTIONS: usize = 32;
/// The wait after a failed accept.
const ACCEPT_WAIT: Duration = Duration::from_secs(1);

/// What the second listener tells. Clones tell the same.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    service: Service,
    ready: Arc<AtomicBool>,
}

impl Admin {
    /// Not ready yet.
    pub(crate) fn new(service: Service) -> Self {
        Self { service, ready: Arc::default() }
    }

    /// Whether the service takes new tunnels from now on.
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Answers connections until dropped.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            match listener.accept().await {
                Ok((io, _)) => {
                    let admin = self.clone();
                    tokio::spawn(async move {
                        let _ = timeout(LIMIT, admin.connection(io)).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(kind = ?error.kind(), "accepting on the second listener failed");
                    sleep(ACCEPT_WAIT).await;
                }
            }
        }
    }

    /// Answers one request. Errors are the peer's own.
    async fn connection(&self, mut io: impl AsyncRead + AsyncWrite + Unpin) {
        let Some(head) = read_head(&mut io).await else { return };
        let answer = match request::parse(&head) {
            Ok(target) => self.answer(target),
            Err(refusal) => refusal,
        };
        let with_body = !head.starts_with(b"HEAD ");
        if io.write_all(&answer.to_bytes(with_body)).await.is_ok() && io.shutdown().await.is_ok() {
            // What the peer has sent beyond its head would otherwise reset the connection under the answer.
            let _ = tokio::io::copy(&mut io.take(1 << 16), &mut tokio::io::sink()).await;
        }
    }

    fn answer(&self, target: Target) -> Answer {
        match target {
            Target::Alive => Answer::text(200, "alive"),
            Target::Ready if self.ready.load(Ordering::Acquire) => Answer::text(200, "ready"),
            Target::Metrics => Answer::metrics(self.service.metrics()),
            Target::Ready => Answer::text(503, "new tunnels are not taken: the service starts or stops"),
        }
    }
}

/// A whole head, or as much of it as may be.
async fn read_head(io: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let mut piece = [0_u8; HEAD_PIECE];
    while hybridge_relay::http::head_end(&head, 0).is_none() && head.len() < MAX_HEAD {
        match io.read(&mut piece).await {
            Ok(read @ 1..) => head.extend_from_slice(piece.get(..read).unwrap_or_default()),
            _ => return None,
        }
    }
    Some(head)
}

#[cfg(test)]
mod tests {
    use hybridge_relay::Config;
    use tokio::time::Instant;

    use super::*;

    /// What the second listener of a service answers, and the time that takes.
    async fn ask(admin: &Admin, request: &[u8]) -> String {
        let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
        let admin = admin.clone();
        let serving = tokio::spawn(async move { timeout(LIMIT, admin.connection(theirs)).await });
        ours.write_all(request).await.unwrap();
        let mut answer = String::new();
        ours.read_to_string(&mut answer).await.unwrap();
        drop(ours);
        let _ = serving.await.unwrap();
        answer
    }

    fn admin() -> Admin {
        Admin::new(Service::new(Config::default()).unwrap())
    }

    #[tokio::test]
    async fn ready_only_while_it_listens_and_does_not_drain() {
        let admin = admin();
        let ready = b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n";
        assert!(ask(&admin, ready).await.starts_with("HTTP/1.1 503 "));
        admin.set_ready(true);
        let answer = ask(&admin, ready).await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nready\n"), "{answer}");
        admin.set_ready(false);
        assert!(ask(&admin, ready).await.starts_with("HTTP/1.1 503 "));
        let alive = ask(&admin, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(alive.starts_with("HTTP/1.1 200 "), "{alive}");
    }

    #[tokio::test]
    async fn metrics_come_with_their_type_and_a_head_request_has_no_body() {
        let admin = admin();
        let answer = ask(&admin, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(
            answer.contains("\r\nContent-Type: application/openmetrics-text; version=1.0.0;"),
            "{answer}"
        );
        assert!(answer.ends_with("# EOF\n"), "{answer}");
        let head = ask(&admin, b"HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_dawdles_is_left_after_the_limit() {
        let start = Instant::now();
        assert_eq!(ask(&admin(), b"GET /readyz HTTP/1.1\r\n").await, "");
        assert_eq!(start.elapsed(), LIMIT);
    }

    #[tokio::test]
    async fn a_head_without_end_is_refused() {
        let answer = ask(&admin(), &[b'a'; MAX_HEAD + 1]).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}
