//! The section `proxy`: who stands in front of the service, and what is believed of them.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Proxies in front of the service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProxySettings {
    pub(crate) trusted: Vec<Network>,
    pub(crate) client_address: ClientAddress,
}

/// How a proxy tells a client's address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClientAddress {
    #[default]
    XForwardedFor,
    Forwarded,
    ProxyProtocol,
}

/// A network; a single address is one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network(pub(crate) IpNet);

impl ProxySettings {
    pub(crate) fn networks(&self) -> Vec<IpNet> {
        self.trusted.iter().map(|network| network.0).collect()
    }

    /// Whose PROXY protocol headers are read, if any are: a matter of the front, which lasts until the next start.
    pub(crate) fn in_front(&self) -> Option<Vec<IpNet>> {
        (self.client_address == ClientAddress::ProxyProtocol).then(|| self.networks())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == IpNet::from(self.0.addr()) { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let network =
            text.parse().ok().or_else(address).ok_or_else(|| D::Error::custom("this is no network"))?;
        Ok(Self(network))
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
