//! Tunnel service domains: from the 16-bit ID in an advert to a host name and back.

use core::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

/// The 16-bit number by which an advert names its tunnel service.
///
/// IDs below 256 are assigned by the standard (today 0 and 1), all others stand for a host name computed from
/// the ID, so that anybody can run a tunnel service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainId(u16);

/// No host name belongs to the ID: it is one of those that the standard has not assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("tunnel service {0} is not assigned to anyone; a newer version of this program may know it")]
pub struct UnassignedDomain(pub u16);

/// The hosts of the assigned IDs, in order.
const ASSIGNED: [&str; 2] = ["cable.ua5v.com", "cable.auth.com"];
/// The first ID whose host is computed.
const FIRST_HASHED: u16 = 256;
const HASH_PREFIX: &[u8; 28] = b"caBLEv2 tunnel server domain";
const TLDS: [&str; 4] = [".com", ".org", ".net", ".info"];
const LABEL_ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl DomainId {
    /// How many assigned domains this crate knows; goes into key 2 of a QR code.
    pub const ASSIGNED_COUNT: u16 = 2;
    /// Google's tunnel service.
    pub const GOOGLE: Self = Self(0);
    /// Apple's tunnel service.
    pub const APPLE: Self = Self(1);

    /// Wraps a number.
    pub const fn new(id: u16) -> Self {
        Self(id)
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether the host follows from the ID by hashing, so that every client knows it.
    pub const fn is_hashed(self) -> bool {
        self.0 >= FIRST_HASHED
    }

    /// Whether a client that knows the first `known` assigned domains can reach this one.
    pub fn is_known_to(self, known: u64) -> bool {
        self.is_hashed() || u64::from(self.0) < known
    }

    /// The host name, for example `cable.wufkweyy3uaxb.com` for 266.
    ///
    /// # Errors
    /// [`UnassignedDomain`] for the IDs 2 to 255.
    pub fn host(self) -> Result<String, UnassignedDomain> {
        match ASSIGNED.get(usize::from(self.0)) {
            Some(host) => Ok((*host).to_owned()),
            None if self.is_hashed() => Ok(hashed_host(self.0)),
            None => Err(UnassignedDomain(self.0)),
        }
    }

    /// The ID whose host name this is, compared without case. Tries all 65,536 (a few milliseconds).
    pub fn from_host(host: &str) -> Option<Self> {
        Self::all().find_map(|(id, name)| name.eq_ignore_ascii_case(host).then_some(id))
    }

    /// Every ID whose computed name starts with `prefix` after `cable.`, compared without case: how an
    /// operator picks a name to register.
    pub fn search(prefix: &str) -> impl Iterator<Item = (Self, String)> {
        let prefix = format!("cable.{}", prefix.to_ascii_lowercase());
        Self::all().filter(move |(_, host)| host.starts_with(&prefix))
    }

    fn all() -> impl Iterator<Item = (Self, String)> {
        (0..=u16::MAX).filter_map(|id| Self(id).host().ok().map(|host| (Self(id), host)))
    }
}

impl fmt::Display for DomainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u16> for DomainId {
    fn from(id: u16) -> Self {
        Self(id)
    }
}

fn hashed_host(id: u16) -> String {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(HASH_PREFIX)
        .chain_update(id.to_le_bytes())
        .chain_update([0])
        .finalize()
        .into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    let mut rest = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let tld = pick(&TLDS, rest & 3).copied().unwrap_or_default();
    rest >>= 2;
    let mut host = String::from("cable.");
    while rest != 0 {
        host.push(pick(LABEL_ALPHABET, rest & 31).copied().map_or('a', char::from));
        rest >>= 5;
    }
    host.push_str(tld);
    host
}

/// The element at `index`, which the caller has masked to the table's length.
fn pick<T>(table: &[T], index: u64) -> Option<&T> {
    table.get(usize::try_from(index).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        for (id, host) in [
            (0, "cable.ua5v.com"),
            (1, "cable.auth.com"),
            (266, "cable.wufkweyy3uaxb.com"),
            (0xF980, "cable.my4kstlhndi4c.net"),
        ] {
            assert_eq!(DomainId::new(id).host().as_deref(), Ok(host));
            assert_eq!(DomainId::from_host(&host.to_uppercase()), Some(DomainId::new(id)));
        }
        assert_eq!(DomainId::new(255).host(), Err(UnassignedDomain(255)));
        assert_eq!(DomainId::from_host("cable.example.com"), None);
    }

    #[test]
    fn search_finds_every_id_with_the_prefix() {
        let found: Vec<_> = DomainId::search("WUFK").map(|(id, _)| id.get()).collect();
        assert!(found.contains(&266));
        assert!(DomainId::search("wufk").all(|(_, host)| host.starts_with("cable.wufk")));
    }
}
