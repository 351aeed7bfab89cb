//! Where a node listens.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use serde::Deserialize;
use thiserror::Error;

/// The longest host name in bytes (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
/// The longest part of a host name in bytes.
const LONGEST_LABEL: usize = 63;

/// An IP address or host name, and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Address {
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Host {
    Ip(IpAddr),
    /// In lower case.
    Name(String),
}

/// A text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no address; write 192.0.2.1:8080, [2001:db8::1]:8080 or node-1.example.com:8080")]
pub(crate) struct AddressError(String);

impl Address {
    /// The host without the port, an IPv6 address in brackets.
    pub(crate) fn host(&self) -> String {
        match &self.host {
            Host::Ip(IpAddr::V4(ip)) => ip.to_string(),
            Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]"),
            Host::Name(name) => name.clone(),
        }
    }

    /// The port, which is not 0.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        let address = if let Ok(socket) = text.parse::<SocketAddr>() {
            Self { host: Host::Ip(socket.ip()), port: socket.port() }
        } else {
            let (name, port) = text.rsplit_once(':').filter(|(name, _)| is_name(name)).ok_or_else(wrong)?;
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
            Self { host: Host::Name(name.to_ascii_lowercase()), port }
        };
        // A node at no particular address cannot be reached.
        let nowhere = matches!(address.host, Host::Ip(ip) if ip.is_unspecified() || ip.is_multicast());
        if nowhere || address.port == 0 { Err(wrong()) } else { Ok(address) }
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

/// Whether a text is a host name. One of digits and dots alone is a mistyped IP address.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= LONGEST_NAME
        && text.split('.').all(is_label)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_they_are_read() {
        for text in ["192.0.2.1:8080", "[2001:db8::1]:1", "node-1.example.com:65535", "a:80", "1.node:80"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("[2001:db8::1]:1".parse::<Address>().unwrap().host(), "[2001:db8::1]");
        assert_eq!("Node.Example:80".parse::<Address>(), "node.example:80".parse());
    }

    #[test]
    fn what_a_proxy_would_misread_is_refused() {
        for text in [
            "",
            ":80",
            "192.0.2.1",
            "192.0.2.1:0",
            "192.0.2.1:65536",
            "192.0.2.1:+80",
            "192.0.2.256:80",
            "0.0.0.0:80",
            "[::]:80",
            "224.0.0.1:80",
            "2001:db8::1:80",
            "node:",
            "node: 80",
            "node:80;",
            "no de:80",
            "node\n:80",
            "-node:80",
            "node-.example:80",
            "node..example:80",
            "n\u{f6}de:80",
            "http://node:80",
            "$node:80",
            "unix@/socket:80",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert_eq!(error, AddressError(text.to_owned()));
        }
        assert!(format!("{}:80", "a".repeat(64)).parse::<Address>().is_err());
        assert!(format!("{}a:80", "a.".repeat(127)).parse::<Address>().is_err());
    }
}
