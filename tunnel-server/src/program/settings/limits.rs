//! The section `limits`: the limits of the service.

use hybridge_relay::Config;
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
    pub(crate) pending_lifetime: Time,
    pub(crate) lifetime: Time,
    pub(crate) close_timeout: Time,
    pub(crate) max_tunnels: Count,
    pub(crate) max_connections: Count,
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
            pending_lifetime: Time(config.pending_lifetime),
            lifetime: Time(config.lifetime),
            close_timeout: Time(config.close_timeout),
            max_tunnels: config.max_tunnels.into(),
            max_connections: config.max_connections.into(),
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
        config.pending_lifetime = self.pending_lifetime.0;
        config.lifetime = self.lifetime.0;
        config.close_timeout = self.close_timeout.0;
        config.max_tunnels = self.max_tunnels.to_usize();
        config.max_connections = self.max_connections.to_usize();
    }
}
