//! Who a connection counts for.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// Who a connection counts for: an IPv4 address, or the first 64 bits of an IPv6 address, which is what one
/// subscriber gets at least.
///
/// An IPv4 address within IPv6 (`::ffff:0:0/96`) is that IPv4 address. A loopback address is
/// [`Source::UNKNOWN`]: behind a proxy on the same machine it stands for everybody. `Debug` shows no address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Unknown,
    Unclear,
    V4([u8; 4]),
    V6([u8; 8]),
}

impl Source {
    /// Nobody in particular: an in-memory stream, the same machine, a trusted proxy that does not say whom it
    /// speaks for. No limit per source holds for it; the limits of the whole service do.
    pub const UNKNOWN: Self = Self(Kind::Unknown);

    /// Everybody together whose trusted proxy says something that is no address.
    pub(crate) const UNCLEAR: Self = Self(Kind::Unclear);

    /// Whether limits per source hold.
    pub const fn is_known(self) -> bool {
        !matches!(self.0, Kind::Unknown)
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = address.octets();
        Self(Kind::V6([a, b, c, d, e, f, g, h]))
    }
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            address if address.is_loopback() => Self::UNKNOWN,
            IpAddr::V4(address) => Self(Kind::V4(address.octets())),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Unknown => "Source(unknown)",
            Kind::Unclear => "Source(unclear)",
            Kind::V4(_) => "Source(IPv4)",
            Kind::V6(_) => "Source(IPv6)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        Source::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn an_ipv4_address_counts_for_itself() {
        assert_eq!(source("192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
    }

    #[test]
    fn an_ipv6_address_counts_for_its_first_64_bits() {
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_ne!(source("2001:db8:1:2::1"), Source::UNKNOWN);
    }

    #[test]
    fn the_same_machine_is_nobody_in_particular() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(source(address), Source::UNKNOWN, "{address}");
        }
        assert!(!Source::UNKNOWN.is_known() && source("0.0.0.1").is_known());
    }

    #[test]
    fn debug_shows_no_address() {
        assert_eq!(
            format!("{:?} {:?}", source("192.0.2.1"), source("2001:db8::1")),
            "Source(IPv4) Source(IPv6)"
        );
    }
}
