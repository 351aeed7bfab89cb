//! What the connections of a service share, and what each holds of it.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use hybridge_proto::ids::RoutingId;
use rand_core::CryptoRng;
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use crate::{
    config::Config,
    forwarded::{Garbled, is_trusted},
    http::Refusal,
    limits::Source,
    listener::Places,
    metrics::Metrics,
    node::Node,
    rendezvous::{Rendezvous, Ticket},
    tunnel::Loan,
};

pub(super) struct Shared {
    pub(super) config: RwLock<Arc<Config>>,
    pub(super) node: Node,
    pub(super) metrics: Metrics,
    pub(super) places: Arc<Places>,
    /// Told when the last tunnel is taken off the table.
    pub(super) emptied: Notify,
    tunnels: Mutex<Tunnels>,
    rng: Mutex<Box<dyn CryptoRng + Send>>,
}

type Tunnels = Rendezvous<Parked>;

/// What the opener of a tunnel leaves for the joiner.
pub(super) struct Parked {
    /// Where it waits for the joiner's connection.
    pub(super) lend_to: oneshot::Sender<Loan>,
    /// What holds for the tunnel.
    pub(super) config: Arc<Config>,
}

/// A tunnel's place in the table; dropping it takes the tunnel off.
pub(super) struct Registration<'a> {
    pub(super) shared: &'a Shared,
    pub(super) ticket: Ticket,
}

/// A connection on the account of its source; dropping it takes it off.
pub(super) struct Visit<'a> {
    shared: &'a Shared,
    /// Who it counts for.
    source: Source,
}

impl Shared {
    pub(super) fn new(config: Config, mut rng: Box<dyn CryptoRng + Send>) -> Self {
        let node = config.node.unwrap_or_else(|| {
            let mut generation = [0];
            rng.fill_bytes(&mut generation);
            let [generation] = generation;
            Node::new(0, generation)
        });
        Self {
            node,
            metrics: Metrics::new(),
            places: Arc::new(Places::new(config.max_connections)),
            emptied: Notify::new(),
            tunnels: Mutex::new(Rendezvous::new(config.rendezvous_limits())),
            rng: Mutex::new(rng),
            config: RwLock::new(Arc::new(config)),
        }
    }

    pub(super) fn tunnels(&self) -> MutexGuard<'_, Tunnels> {
        self.tunnels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What holds for connections that begin now.
    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn routing_id(&self) -> RoutingId {
        self.node.routing_id(&mut **self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'a> Visit<'a> {
    /// A connection of nobody in particular.
    pub(super) fn new(shared: &'a Shared) -> Self {
        // There is no limit on nobody's connections.
        let source = shared.tunnels().arrive(Source::UNKNOWN, now()).unwrap_or(Source::UNKNOWN);
        Self { shared, source }
    }

    /// Who it counts for.
    pub(super) const fn source(&self) -> Source {
        self.source
    }

    /// Puts it on the account of the peer it comes from; one of a trusted proxy stays on nobody's.
    pub(super) fn of_peer(&mut self, peer: Option<IpAddr>, config: &Config) -> Result<(), Refusal> {
        match peer.filter(|peer| !is_trusted(*peer, &config.trusted_proxies)) {
            Some(peer) => self.count_for(peer.into()),
            None => Ok(()),
        }
    }

    /// Puts it on the account of whom its proxy speaks for.
    pub(super) fn of_client(&mut self, client: Result<Option<IpAddr>, Garbled>) -> Result<(), Refusal> {
        match client {
            Ok(None) => Ok(()),
            Ok(Some(address)) => self.count_for(address.into()),
            Err(Garbled) => self.count_for(Source::UNCLEAR),
        }
    }

    fn count_for(&mut self, source: Source) -> Result<(), Refusal> {
        let mut tunnels = self.shared.tunnels();
        let counted = tunnels.arrive(source, now())?;
        tunnels.leave(std::mem::replace(&mut self.source, counted));
        Ok(())
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.shared.tunnels().leave(self.source);
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let mut tunnels = self.shared.tunnels();
        tunnels.close(&self.ticket);
        if tunnels.is_empty() {
            self.shared.emptied.notify_waiters();
        }
    }
}

/// On the clock of the runtime, which tests can set.
pub(super) fn now() -> std::time::Instant {
    Instant::now().into_std()
}
