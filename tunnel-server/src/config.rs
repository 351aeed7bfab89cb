//! What a service allows.

use std::time::Duration;

use hybridge_proto::service::MAX_MESSAGE;
use ipnet::IpNet;

use crate::{access::Access, forwarded::ForwardedHeader, limits::Rate, node::Node, rendezvous::Limits};

/// What a service allows. Start from [`Config::default`] and change fields.
///
/// What is bounded by default is bytes, time and how much one source holds, not the number of messages. A source
/// is an IPv4 address or an IPv6 network of 64 bits ([`Source`](crate::Source)); a tunnel counts for the source
/// that opens it.
///
/// **Behind a proxy** every peer has the proxy's address. Name the proxy in [`Config::trusted_proxies`] and let
/// it send who it speaks for, so that limits per source hold for the peers behind it. Without that they hold for
/// nobody where the proxy is on the same machine or named here, and for everybody together where it is neither.
///
/// In the worst case a connection holds its largest message once on the way in and once on the way out, so
/// hostile peers can take up to `2 × max_message × max_connections` bytes.
#[derive(Debug, Clone)]
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
    /// How many messages each side may send through one tunnel. Default: as many as it likes.
    pub max_tunnel_messages: u64,
    /// How long a tunnel waits for its other side to join. Default: 120 s.
    pub pending_lifetime: Duration,
    /// How long a joined tunnel may go without a message or ping from either side. It is looked at four times
    /// within that time, so the tunnel may last a quarter longer. Default: 180 s, so that a person can think.
    pub idle_lifetime: Duration,
    /// How long a tunnel lives altogether, counted from its opening. Default: 5 min, so that a person has time
    /// to find and unlock a phone.
    pub lifetime: Duration,
    /// How long a peer may take to answer a close frame and to read what was sent last. Default: 5 s.
    pub close_timeout: Duration,
    /// The most tunnels at a time, pending and joined together; further ones are refused with 503.
    /// Default: 2,048.
    pub max_tunnels: usize,
    /// The most tunnels at a time that wait to be joined; further ones are refused with 503. Default: 1,024, so
    /// that tunnels that nobody joins leave room for others.
    pub max_pending_tunnels: usize,
    /// The most tunnels at a time that one source has opened, pending and joined together; further ones are
    /// refused with 429. Default: 128, as many people can share one IPv4 address.
    pub max_tunnels_per_source: usize,
    /// The most connections at a time that the service's listeners serve; further ones wait in the backlog of
    /// their listener. Default: 4,096.
    pub max_connections: usize,
    /// The most connections at a time of one source; further ones are refused with 429. Default: 256.
    pub max_connections_per_source: usize,
    /// How often one source may ask for a new tunnel; further requests are refused with 429. Default: 60 times a
    /// minute, and 60 at once.
    pub new_rate: Rate,
    /// How often one source may ask to join a tunnel; further requests are refused with 429. Default: 120 times a
    /// minute, and 120 at once.
    pub connect_rate: Rate,
    /// Who may open tunnels. Default: everybody.
    pub access: Access,
    /// The values of `Origin`, such as `https://example.com`, that a request may have; others are refused with
    /// 403. A request without the header is let in, as phones send none. Default: any value.
    pub origins: Option<Vec<String>>,
    /// The addresses of proxies that say truthfully whom they speak for. No limit per source holds for them.
    /// Default: none.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether the log names the address of a peer that is refused. Identifiers are never in it. Default: no.
    pub log_addresses: bool,
    /// How trusted proxies say whom they speak for. Default: `X-Forwarded-For`.
    pub forwarded_header: ForwardedHeader,
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
            max_tunnel_messages: u64::MAX,
            pending_lifetime: Duration::from_secs(120),
            idle_lifetime: Duration::from_secs(180),
            lifetime: Duration::from_secs(5 * 60),
            close_timeout: Duration::from_secs(5),
            max_tunnels: 2048,
            max_pending_tunnels: 1024,
            max_tunnels_per_source: 128,
            max_connections: 4096,
            max_connections_per_source: 256,
            new_rate: Rate::per_minute(60),
            connect_rate: Rate::per_minute(120),
            access: Access::Open,
            origins: None,
            trusted_proxies: Vec::new(),
            log_addresses: false,
            forwarded_header: ForwardedHeader::XForwardedFor,
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
            max_tunnel_messages: u64::MAX,
            pending_lifetime: Duration::MAX,
            idle_lifetime: Duration::MAX,
            lifetime: Duration::MAX,
            max_tunnels: usize::MAX,
            max_pending_tunnels: usize::MAX,
            max_tunnels_per_source: usize::MAX,
            max_connections: usize::MAX,
            max_connections_per_source: usize::MAX,
            new_rate: Rate::UNLIMITED,
            connect_rate: Rate::UNLIMITED,
            ..Self::default()
        }
    }

    pub(crate) const fn rendezvous_limits(&self) -> Limits {
        Limits {
            tunnels: self.max_tunnels,
            pending_tunnels: self.max_pending_tunnels,
            tunnels_per_source: self.max_tunnels_per_source,
            connections_per_source: self.max_connections_per_source,
            new_rate: self.new_rate,
            connect_rate: self.connect_rate,
            pending: self.pending_lifetime,
            lifetime: self.lifetime,
        }
    }

    /// Whether a request with these values of `Origin` is let in.
    pub(crate) fn allows_origin(&self, origin: Option<&[u8]>) -> bool {
        match (&self.origins, origin) {
            (Some(allowed), Some(origin)) => {
                allowed.iter().any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin))
            }
            _ => true,
        }
    }
}
