//! A side of a tunnel, from the answer to its request to its goodbye.

use std::{sync::Arc, time::Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{
    Service,
    shared::{Registration, now},
};
use crate::{
    config::Config,
    metrics::{Limit, Traffic},
    tunnel::{self, End, Lender, Loan, Peer, Times},
};

/// The authenticator's connection, which waits for the client's.
pub(super) struct Opener<'a> {
    pub(super) peer: Box<Peer>,
    pub(super) registration: Registration<'a>,
    pub(super) joined: oneshot::Receiver<Loan>,
    /// What holds for the tunnel.
    pub(super) config: Arc<Config>,
    pub(super) opened: Instant,
    pub(super) pending_until: Instant,
    pub(super) times: Times,
}

impl Service {
    /// Holds a tunnel from its opener's side: waits for the client, forwards, says goodbye.
    #[expect(clippy::manual_async_fn, reason = "an async fn has room for its arguments twice")]
    pub(super) fn hold<'a>(
        &'a self,
        mut opener: Opener<'a>,
        stop: &'a CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'a {
        async move {
            let Opener { peer, joined, config, pending_until, times, .. } = &mut opener;
            let end = match tunnel::wait_for_peer(peer, config, joined, stop, (*pending_until).into()).await {
                Ok(mut loan) => {
                    let (end, other) = tunnel::forward(peer, &mut loan, stop, times).await;
                    let client = loan.traffic(config);
                    loan.give_back(other);
                    self.count_end(&opener, end.cause(other), client);
                    end
                }
                Err(end) => {
                    self.count_end(&opener, end, Traffic::default());
                    end
                }
            };
            drop(opener.registration);
            Box::pin(self.finish(opener.peer, end, "authenticator", opener.config)).await;
        }
    }

    /// Waits until the opener's side gives the client's connection back, and says goodbye.
    pub(super) async fn lend(&self, registration: Registration<'_>, lender: Lender) {
        let returned = lender.returned().await;
        drop(registration);
        if let Some(returned) = returned {
            let config = self.shared.config();
            Box::pin(self.finish(returned.peer, returned.end, "client", config)).await;
        }
    }

    async fn finish(&self, peer: Box<Peer>, end: End, role: &'static str, config: Arc<Config>) {
        tracing::debug!(role, ?end, "side of a tunnel ended");
        if !peer.finish(end, &config).await {
            self.shared.metrics.limit_hit(Limit("close_timeout"));
        }
    }

    fn count_end(&self, opener: &Opener<'_>, cause: End, client: Traffic) {
        let life = now().saturating_duration_since(opener.opened);
        let authenticator = opener.peer.traffic(&opener.config);
        self.shared.metrics.ended(cause.name(), life, authenticator, client);
        if let Some(limit) = cause.limit() {
            self.shared.metrics.limit_hit(limit);
        }
    }
}
