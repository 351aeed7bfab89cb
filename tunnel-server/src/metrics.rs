//! What is counted, and how it is shown.
//!
//! Nothing is counted per message: a tunnel adds what went through it when it ends. No label holds an identifier or
//! an address.

use std::{
    sync::atomic::AtomicU64,
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

/// The media type of what [`Service::metrics`](crate::Service::metrics) gives.
pub const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The seconds that a connection may take to become a side of a tunnel, in steps.
const HANDSHAKE_STEPS: [f64; 11] = [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0];
/// The seconds that a tunnel may last, in steps.
const LIFETIME_STEPS: [f64; 10] = [0.1, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 3600.0];

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// A limit that was hit. The names are those of the fields of [`Config`](crate::Config).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) &'static str);

/// What one side of a tunnel has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

/// How many of what there are at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Current {
    pub(crate) connections: usize,
    pub(crate) pending: usize,
    pub(crate) joined: usize,
    pub(crate) sources: usize,
    pub(crate) draining: bool,
}

/// The counters of a service.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    accepted: Counter,
    accept_errors: Counter,
    requests: Family<Labels<2>, Counter>,
    opened: Counter,
    joined: Counter,
    ended: Family<Labels<1>, Counter>,
    messages: Family<Labels<1>, Counter>,
    bytes: Family<Labels<1>, Counter>,
    limits: Family<Labels<1>, Counter>,
    handshake: Histogram,
    lifetime: Histogram,
    connections: Gauge<u64, AtomicU64>,
    tunnels: Family<Labels<1>, Gauge<u64, AtomicU64>>,
    sources: Gauge<u64, AtomicU64>,
    draining: Gauge<u64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("hybridge_relay"),
            accepted: Counter::default(),
            accept_errors: Counter::default(),
            requests: Family::default(),
            opened: Counter::default(),
            joined: Counter::default(),
            ended: Family::default(),
            messages: Family::default(),
            bytes: Family::default(),
            limits: Family::default(),
            handshake: Histogram::new(HANDSHAKE_STEPS),
            lifetime: Histogram::new(LIFETIME_STEPS),
            connections: Gauge::default(),
            tunnels: Family::default(),
            sources: Gauge::default(),
            draining: Gauge::default(),
        };
        metrics.register_counters();
        metrics.register_gauges();
        metrics.begin_at_zero();
        metrics
    }

    fn register_counters(&mut self) {
        let to = &mut self.registry;
        to.register("connections_accepted", "Connections that listeners accepted", self.accepted.clone());
        to.register(
            "accept_errors",
            "Attempts to accept a connection that failed",
            self.accept_errors.clone(),
        );
        to.register("requests", "Requests by what they ask for and how they end", self.requests.clone());
        to.register("tunnels_opened", "Tunnels that authenticators opened", self.opened.clone());
        to.register("tunnels_joined", "Tunnels that clients joined", self.joined.clone());
        to.register("tunnels_ended", "Tunnels that ended, by reason", self.ended.clone());
        let help = "Messages by who sent them, added when their tunnel ends";
        to.register("messages", help, self.messages.clone());
        let help = "Bytes of messages by who sent them, added when their tunnel ends";
        to.register("message_bytes", help, self.bytes.clone());
        to.register("limits_hit", "Limits that stood in somebody's way, by name", self.limits.clone());
        let help = "Time from a connection's start to its place in a tunnel";
        to.register("handshake_seconds", help, self.handshake.clone());
        let help = "Time from a tunnel's opening to its end";
        to.register("tunnel_lifetime_seconds", help, self.lifetime.clone());
    }

    fn register_gauges(&mut self) {
        let to = &mut self.registry;
        to.register("connections", "Connections at the moment", self.connections.clone());
        to.register("tunnels", "Tunnels at the moment, by state", self.tunnels.clone());
        let help = "Addresses and networks that hold something or have asked for something lately";
        to.register("sources", help, self.sources.clone());
        to.register("draining", "1 while no new tunnels are opened", self.draining.clone());
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        to.register("build", "What is running", version);
    }

    /// Makes the series that alerts are likely to watch exist from the start.
    fn begin_at_zero(&self) {
        for sender in ["authenticator", "client"] {
            drop(self.messages.get_or_create(&[("sender", sender)]));
            drop(self.bytes.get_or_create(&[("sender", sender)]));
        }
        for request in ["new", "connect"] {
            drop(self.requests.get_or_create(&[("request", request), ("outcome", "accepted")]));
        }
    }

    pub(crate) fn accepted(&self) {
        self.accepted.inc();
    }

    pub(crate) fn accept_failed(&self) {
        self.accept_errors.inc();
    }

    /// A request for `request` was answered; `outcome` is `accepted` or the name of the refusal.
    pub(crate) fn answered(&self, request: &'static str, outcome: &'static str) {
        self.requests.get_or_create(&[("request", request), ("outcome", outcome)]).inc();
    }

    pub(crate) fn opened(&self, since: Instant, now: Instant) {
        self.opened.inc();
        self.handshake.observe(seconds(since, now));
    }

    pub(crate) fn joined(&self, since: Instant, now: Instant) {
        self.joined.inc();
        self.handshake.observe(seconds(since, now));
    }

    /// A tunnel ended after `life`, through which `authenticator` and `client` went.
    pub(crate) fn ended(
        &self,
        reason: &'static str,
        life: Duration,
        authenticator: Traffic,
        client: Traffic,
    ) {
        self.ended.get_or_create(&[("reason", reason)]).inc();
        self.lifetime.observe(life.as_secs_f64());
        for (sender, traffic) in [("authenticator", authenticator), ("client", client)] {
            self.messages.get_or_create(&[("sender", sender)]).inc_by(traffic.messages);
            self.bytes.get_or_create(&[("sender", sender)]).inc_by(traffic.bytes);
        }
    }

    pub(crate) fn limit_hit(&self, limit: Limit) {
        self.limits.get_or_create(&[("limit", limit.0)]).inc();
    }

    /// Everything in the text format of OpenMetrics, with what there is at the moment.
    pub(crate) fn render(&self, current: Current) -> String {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.connections.set(number(current.connections));
        self.tunnels.get_or_create(&[("state", "pending")]).set(number(current.pending));
        self.tunnels.get_or_create(&[("state", "joined")]).set(number(current.joined));
        self.sources.set(number(current.sources));
        self.draining.set(current.draining.into());
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn seconds(since: Instant, now: Instant) -> f64 {
    now.saturating_duration_since(since).as_secs_f64()
}
