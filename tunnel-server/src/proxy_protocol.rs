//! The PROXY protocol, version 2: the header with which a proxy says whom it speaks for (HAProxy's
//! `proxy-protocol.txt`, section 2.2).
//!
//! The header has a fixed part of [`FIXED`] bytes, which says how long the rest is. A reader that takes exactly that
//! many bytes takes none of the connection's own. Version 1, a line of text without a length, is not understood.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// How many bytes every header begins with.
pub const FIXED: usize = 16;
/// The most bytes that may follow the fixed part: addresses and extensions (TLVs), which are skipped.
pub const MAX_REST: usize = 2048;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Why a connection does not begin with a usable header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProxyProtocolError {
    /// The text form.
    #[error(
        "the proxy sends version 1 of the PROXY protocol; have it send version 2 (HAProxy: send-proxy-v2)"
    )]
    Version1,
    /// Something else, such as a request without a header.
    #[error(
        "the proxy sends no PROXY protocol header; have it send version 2 or take it off the trusted list"
    )]
    Missing,
    /// Another version or command.
    #[error("the PROXY protocol header has an unknown version or command; have the proxy send version 2")]
    Unknown,
    /// More bytes than [`MAX_REST`].
    #[error(
        "the PROXY protocol header is longer than {MAX_REST} bytes; have the proxy send fewer extensions"
    )]
    TooLong,
    /// The addresses are cut off.
    #[error("the PROXY protocol header is too short for its addresses; the proxy is broken")]
    Truncated,
}

/// Whom a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The proxy itself, for example to see whether the service is alive.
    Proxy,
    /// A peer at this address.
    Peer(IpAddr),
    /// A peer whose address is not one of the internet protocol.
    Unspecified,
}

/// The fixed part of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    local: bool,
    family: u8,
    rest: usize,
}

impl Prefix {
    /// Reads the fixed part.
    ///
    /// # Errors
    /// [`ProxyProtocolError`] when it is not one of version 2, or announces too much.
    pub fn parse(bytes: &[u8; FIXED]) -> Result<Self, ProxyProtocolError> {
        let [signature @ .., version_and_command, family_and_transport, high, low] = *bytes;
        if signature != SIGNATURE {
            let text = bytes.starts_with(b"PROXY ");
            return Err(if text { ProxyProtocolError::Version1 } else { ProxyProtocolError::Missing });
        }
        let local = match version_and_command {
            0x20 => true,
            0x21 => false,
            _ => return Err(ProxyProtocolError::Unknown),
        };
        let rest = usize::from(u16::from_be_bytes([high, low]));
        if rest > MAX_REST {
            return Err(ProxyProtocolError::TooLong);
        }
        Ok(Self { local, family: family_and_transport >> 4, rest })
    }

    /// How many bytes follow the fixed part: at most [`MAX_REST`].
    pub const fn rest(&self) -> usize {
        self.rest
    }

    /// Reads the rest of the header. Bytes beyond [`rest`](Self::rest) are not looked at.
    ///
    /// # Errors
    /// [`ProxyProtocolError::Truncated`] when the header announces less, or `rest` has less, than the addresses take.
    pub fn origin(&self, rest: &[u8]) -> Result<Origin, ProxyProtocolError> {
        let rest = rest.get(..self.rest).ok_or(ProxyProtocolError::Truncated)?;
        if self.local {
            return Ok(Origin::Proxy);
        }
        match self.family {
            1 => Ok(Origin::Peer(Ipv4Addr::from(source(rest, 12)?).into())),
            // The proxy may have accepted an IPv4 connection on a socket of both kinds.
            2 => Ok(Origin::Peer(IpAddr::from(Ipv6Addr::from(source(rest, 36)?)).to_canonical())),
            _ => Ok(Origin::Unspecified),
        }
    }
}

/// The source address, which comes first of `block` bytes of addresses and ports.
fn source<const N: usize>(rest: &[u8], block: usize) -> Result<[u8; N], ProxyProtocolError> {
    let addresses = rest.get(..block).ok_or(ProxyProtocolError::Truncated)?;
    addresses.first_chunk::<N>().copied().ok_or(ProxyProtocolError::Truncated)
}

#[cfg(test)]
mod tests;
