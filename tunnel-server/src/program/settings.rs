//! The settings of the program: what they are, where they come from, and what the service makes of them.
//!
//! A file comes first, environment variables before it, flags before both. Every setting has the same name in all
//! three: `max_head` in the section `limits` is HYBRIDGE_RELAY_LIMITS_MAX_HEAD and --limits-max-head.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use hybridge_relay::Config;
use serde::{Deserialize, Serialize};

pub(crate) mod access;
#[cfg(feature = "acme")]
pub(crate) mod acme;
pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod flags;
pub(crate) mod keys;
pub(crate) mod limits;
pub(crate) mod print;
pub(crate) mod proxy;
pub(crate) mod sources;
pub(crate) mod units;

use access::AccessSettings;
#[cfg(feature = "acme")]
use acme::AcmeSettings;
use limits::LimitSettings;
use proxy::ProxySettings;
use units::Time;

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) drain_timeout: Time,
    pub(crate) node: Option<u8>,
    pub(crate) tls: TlsSettings,
    #[cfg(feature = "acme")]
    pub(crate) acme: AcmeSettings,
    pub(crate) proxy: ProxySettings,
    pub(crate) access: AccessSettings,
    pub(crate) limits: LimitSettings,
    pub(crate) admin: AdminSettings,
    pub(crate) log: LogSettings,
}

/// TLS by the service itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TlsSettings {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

/// The second listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdminSettings {
    pub(crate) listen: AddressOrOff,
}

/// An address to listen on, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum AddressOrOff {
    Address(SocketAddr),
    Off(Off),
}

/// The word "off".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Off {
    Off,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSettings {
    pub(crate) format: LogFormat,
    pub(crate) level: String,
    pub(crate) addresses: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
            // A tunnel lives five minutes at most; nearly all are over after one.
            drain_timeout: Time(Duration::from_secs(60)),
            node: None,
            tls: TlsSettings::default(),
            #[cfg(feature = "acme")]
            acme: AcmeSettings::default(),
            proxy: ProxySettings::default(),
            access: AccessSettings::default(),
            limits: LimitSettings::from(&Config::default()),
            admin: AdminSettings::default(),
            log: LogSettings::default(),
        }
    }
}

impl Default for AdminSettings {
    fn default() -> Self {
        Self { listen: AddressOrOff::Address(SocketAddr::from(([127, 0, 0, 1], 9091))) }
    }
}

impl AdminSettings {
    /// The address to listen on, unless that is off.
    pub(crate) const fn address(&self) -> Option<SocketAddr> {
        match self.listen {
            AddressOrOff::Address(address) => Some(address),
            AddressOrOff::Off(Off::Off) => None,
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned(), addresses: false }
    }
}

#[cfg(test)]
mod tests;
