//! The section `limits`: the limits of the service.

use hybridge_relay::{Config, Rate};
use serde::{Deserialize, Serialize};

use super::units::{Count, Size, Time};

/// The limits of the service, under the names that [`Config`] has for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LimitSettings {
    pub(crate) max_head: Size,
    pub(crate) handshake_timeout: Time,
    pub(crate) max_message: Size,
    pub(crate) max_pending_bytes: Size,
    pub(crate) max_tunnel_bytes: Size,
    pub(crate) max_tunnel_messages: Count,
    pub(crate) pending_lifetime: Time,
    pub(crate) idle_lifetime: Time,
    pub(crate) lifetime: Time,
    pub(crate) close_timeout: Time,
    pub(crate) max_tunnels: Count,
    pub(crate) max_pending_tunnels: Count,
    pub(crate) max_tunnels_per_source: Count,
    pub(crate) max_connections: Count,
    pub(crate) max_connections_per_source: Count,
    pub(crate) new_per_minute: Count,
    pub(crate) new_burst: Count,
    pub(crate) connect_per_minute: Count,
    pub(crate) connect_burst: Count,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self::from(&Config::default())
    }
}

impl From<&Config> for LimitSettings {
    fn from(config: &Config) -> Self {
        Self {
            max_head: config.max_head.into(),
            handshake_timeout: Time(config.handshake_timeout),
            max_message: config.max_message.into(),
            max_pending_bytes: config.max_pending_bytes.into(),
            max_tunnel_bytes: Size(config.max_tunnel_bytes),
            max_tunnel_messages: Count(config.max_tunnel_messages),
            pending_lifetime: Time(config.pending_lifetime),
            idle_lifetime: Time(config.idle_lifetime),
            lifetime: Time(config.lifetime),
            close_timeout: Time(config.close_timeout),
            max_tunnels: config.max_tunnels.into(),
            max_pending_tunnels: config.max_pending_tunnels.into(),
            max_tunnels_per_source: config.max_tunnels_per_source.into(),
            max_connections: config.max_connections.into(),
            max_connections_per_source: config.max_connections_per_source.into(),
            new_per_minute: times(config.new_rate.per_minute),
            new_burst: times(config.new_rate.burst),
            connect_per_minute: times(config.connect_rate.per_minute),
            connect_burst: times(config.connect_rate.burst),
        }
    }
}

impl LimitSettings {
    /// Puts the limits into a configuration of the service.
    pub(crate) fn apply(&self, config: &mut Config) {
        config.max_head = self.max_head.to_usize();
        config.handshake_timeout = self.handshake_timeout.0;
        config.max_message = self.max_message.to_usize();
        config.max_pending_bytes = self.max_pending_bytes.to_usize();
        config.max_tunnel_bytes = self.max_tunnel_bytes.0;
        config.max_tunnel_messages = self.max_tunnel_messages.0;
        config.pending_lifetime = self.pending_lifetime.0;
        config.idle_lifetime = self.idle_lifetime.0;
        config.lifetime = self.lifetime.0;
        config.close_timeout = self.close_timeout.0;
        config.max_tunnels = self.max_tunnels.to_usize();
        config.max_pending_tunnels = self.max_pending_tunnels.to_usize();
        config.max_tunnels_per_source = self.max_tunnels_per_source.to_usize();
        config.max_connections = self.max_connections.to_usize();
        config.max_connections_per_source = self.max_connections_per_source.to_usize();
        config.new_rate = rate(self.new_per_minute, self.new_burst);
        config.connect_rate = rate(self.connect_per_minute, self.connect_burst);
    }
}

/// The largest number of times is no limit.
fn times(times: u32) -> Count {
    if times == u32::MAX { Count(u64::MAX) } else { Count(times.into()) }
}

fn rate(per_minute: Count, burst: Count) -> Rate {
    let times = |Count(times)| u32::try_from(times).unwrap_or(u32::MAX);
    Rate { per_minute: times(per_minute), burst: times(burst) }
}
