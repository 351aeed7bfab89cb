//! The limits of a service.

use std::time::Duration;

use hybridge_proto::service::MAX_MESSAGE;

use crate::{node::Node, rendezvous::Limits};

/// What a service allows. Start from [`Config::default`] and change fields.
///
/// In the worst case a connection holds its largest message once on the way in and once on the way out, so
/// hostile peers can take up to `2 × max_message × max_connections` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The largest request head in bytes, request line and headers. Default: 8 KiB.
    pub max_head: usize,
    /// How long a connection may take from its first byte to a complete request head, and again to take the
    /// answer. Default: 10 s.
    pub handshake_timeout: Duration,
    /// The largest message in bytes; a longer one closes the tunnel. Default: 1 MiB, the most that deployed
    /// clients accept.
    pub max_message: usize,
    /// How many bytes of messages may wait for the other side to join. Each message counts with 64 bytes more
    /// than its length. Default: 64 KiB.
    pub max_pending_bytes: usize,
    /// How many bytes of messages each side may send through one tunnel. Default: 16 MiB.
    pub max_tunnel_bytes: u64,
    /// How long a tunnel waits for its other side to join. Default: 120 s.
    pub pending_lifetime: Duration,
    /// How long a tunnel lives altogether, counted from its opening. Default: 5 min, so that a person has time
    /// to find and unlock a phone.
    pub lifetime: Duration,
    /// How long a peer may take to answer a close frame and to read what was sent last. Default: 5 s.
    pub close_timeout: Duration,
    /// The most tunnels at a time, pending and joined together; further ones are refused with 503.
    /// Default: 2,048.
    pub max_tunnels: usize,
    /// The most connections at a time that a listener serves; further ones wait in the listener's backlog.
    /// Default: 4,096.
    pub max_connections: usize,
    /// Which machine of a service this is. Default: none, for a service of one machine; its number is 0 and its
    /// generation random.
    pub node: Option<Node>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_head: 8 * 1024,
            handshake_timeout: Duration::from_secs(10),
            max_message: MAX_MESSAGE,
            max_pending_bytes: 64 * 1024,
            max_tunnel_bytes: 16 * 1024 * 1024,
            pending_lifetime: Duration::from_secs(120),
            lifetime: Duration::from_secs(5 * 60),
            close_timeout: Duration::from_secs(5),
            max_tunnels: 2048,
            max_connections: 4096,
            node: None,
        }
    }
}

impl Config {
    /// Lifts every limit that peers could run into. For benchmarks among friends only: one stranger can then take all
    /// memory and all descriptors. The wait for a peer that is being closed stays as it is.
    pub fn without_limits() -> Self {
        Self {
            max_head: usize::MAX,
            handshake_timeout: Duration::MAX,
            max_message: usize::MAX,
            max_pending_bytes: usize::MAX,
            max_tunnel_bytes: u64::MAX,
            pending_lifetime: Duration::MAX,
            lifetime: Duration::MAX,
            max_tunnels: usize::MAX,
            max_connections: usize::MAX,
            ..Self::default()
        }
    }

    pub(crate) fn rendezvous_limits(&self) -> Limits {
        Limits { tunnels: self.max_tunnels, pending: self.pending_lifetime, lifetime: self.lifetime }
    }
}
