//! Addresses and headers of a tunnel service (CTAP 2.2 section 11.5.1 and the convention of deployed services).

use core::fmt;

use thiserror::Error;

use crate::{
    domain::{DomainId, UnassignedDomain},
    ids::{ContactId, IdError, RoutingId, TunnelId},
};

/// The websocket subprotocol that both sides must select.
pub const SUBPROTOCOL: &str = "fido.cable";
/// Response header of `/cable/new` that carries the routing ID in hex.
pub const ROUTING_ID_HEADER: &str = "X-caBLE-Routing-ID";
/// Request header of `/cable/contact` that carries the client payload in hex.
pub const CLIENT_PAYLOAD_HEADER: &str = "X-caBLE-Client-Payload";
/// Request and response header by which both sides agree on the connect signal.
pub const SIGNAL_HEADER: &str = "X-caBLE-Signal-Connection";
/// The largest message in bytes that either side accepts: 1 MiB.
pub const MAX_MESSAGE: usize = 1 << 20;

/// What a websocket request asks of a tunnel service.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ServicePath {
    /// The authenticator opens a tunnel: `/cable/new/<tunnel ID>`. Google's convention, not standardised.
    New {
        /// Where the client will join.
        tunnel: TunnelId,
    },
    /// A client (or a woken authenticator) joins a tunnel: `/cable/connect/<routing ID>/<tunnel ID>`.
    Connect {
        /// Which machine of the service holds the tunnel.
        routing: RoutingId,
        /// The tunnel.
        tunnel: TunnelId,
    },
    /// A client calls a remembered phone: `/cable/contact/<contact ID>`.
    Contact {
        /// The phone's push address.
        contact: ContactId,
    },
}

/// Why a request path is not one of a tunnel service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PathError {
    /// It does not start with a known prefix, or has too few or too many segments.
    #[error("a tunnel service answers /cable/new/…, /cable/connect/…/… and /cable/contact/… only")]
    Unknown,
    /// An ID in it is malformed.
    #[error("malformed identifier in the path: {0}")]
    Id(#[from] IdError),
    /// The contact ID is not base64url without padding, or of a wrong length.
    #[error("malformed contact ID in the path")]
    Contact,
}

impl ServicePath {
    /// Reads a request path, hex in either case, without query or trailing slash.
    ///
    /// # Errors
    /// [`PathError`] for everything else.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        let mut segments = path.strip_prefix("/cable/").ok_or(PathError::Unknown)?.split('/');
        let parsed = match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some("new"), Some(tunnel), None, None) => Self::New { tunnel: TunnelId::from_hex(tunnel)? },
            (Some("connect"), Some(routing), Some(tunnel), None) => {
                Self::Connect { routing: RoutingId::from_hex(routing)?, tunnel: TunnelId::from_hex(tunnel)? }
            }
            (Some("contact"), Some(contact), None, None) => {
                Self::Contact { contact: parse_contact(contact)? }
            }
            _ => return Err(PathError::Unknown),
        };
        Ok(parsed)
    }
}

fn parse_contact(text: &str) -> Result<ContactId, PathError> {
    let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| PathError::Contact)?;
    ContactId::new(bytes).map_err(|_| PathError::Contact)
}

/// The path as it goes into a request. It holds whole identifiers: do not log it.
impl fmt::Display for ServicePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New { tunnel } => write!(f, "/cable/new/{}", tunnel.to_hex()),
            Self::Connect { routing, tunnel } => {
                write!(f, "/cable/connect/{}/{}", routing.to_hex(), tunnel.to_hex())
            }
            Self::Contact { contact } => write!(f, "/cable/contact/{}", contact.to_base64url()),
        }
    }
}

/// One websocket request to a tunnel service: everything a driver needs to dial.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceRequest {
    /// Host name; TLS on port 443 unless the caller's connector says otherwise.
    pub host: String,
    /// What to ask for.
    pub path: ServicePath,
    /// Headers beside the websocket's own, the subprotocol and `Origin`: names and values, all ASCII.
    pub headers: Vec<(&'static str, String)>,
}

impl ServiceRequest {
    /// A request without extra headers to the service with this ID.
    ///
    /// # Errors
    /// [`UnassignedDomain`] when no host belongs to the ID.
    pub fn new(domain: DomainId, path: ServicePath) -> Result<Self, UnassignedDomain> {
        Ok(Self { host: domain.host()?, path, headers: Vec::new() })
    }

    /// The full URL, `wss://` on the default port. It holds whole identifiers: do not log it.
    pub fn url(&self) -> String {
        format!("wss://{}{}", self.host, self.path)
    }

    /// The value of the `Origin` header, `wss://<host>`.
    pub fn origin(&self) -> String {
        format!("wss://{}", self.host)
    }
}

/// Header values are not shown: the client payload is among them.
impl fmt::Debug for ServiceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            fmt::from_fn(|f| f.debug_list().entries(self.headers.iter().map(|(name, _)| name)).finish());
        f.debug_struct("ServiceRequest")
            .field("host", &self.host)
            .field("path", &self.path)
            .field("headers", &names)
            .finish()
    }
}

/// Why the routing ID in the answer to `/cable/new` was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RoutingIdError {
    /// The service sent no `X-caBLE-Routing-ID`.
    #[error("the tunnel service sent no routing ID; is it really a tunnel service?")]
    Missing,
    /// The service sent the header more than once.
    #[error("the tunnel service sent more than one routing ID")]
    Repeated,
    /// The value is not six hex digits.
    #[error("the tunnel service sent a malformed routing ID: {0}")]
    Malformed(#[from] IdError),
}

/// Reads the routing ID out of all values of [`ROUTING_ID_HEADER`] in a response.
///
/// # Errors
/// [`RoutingIdError`] unless there is exactly one, of six hex digits.
pub fn routing_id<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<RoutingId, RoutingIdError> {
    let mut values = values.into_iter();
    let value = values.next().ok_or(RoutingIdError::Missing)?;
    if values.next().is_some() {
        return Err(RoutingIdError::Repeated);
    }
    Ok(RoutingId::from_hex(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_written() {
        let path = "/cable/connect/044E11/D5D511FB41CFB9760F5B1782E906F558";
        assert_eq!(ServicePath::parse(path).unwrap().to_string(), path);
        assert_eq!(ServicePath::parse(&path.to_lowercase()).unwrap().to_string(), path);
        let path = "/cable/contact/tQdBBGJAGTfb0dMiy2TZPwqi0Ts";
        assert_eq!(ServicePath::parse(path).unwrap().to_string(), path);
    }

    #[test]
    fn other_paths_are_refused() {
        for path in [
            "",
            "/",
            "/cable",
            "/cable/new",
            "/cable/new/",
            "/cable/new/D5D511FB41CFB9760F5B1782E906F558/",
            "/cable/new/D5D511FB41CFB9760F5B1782E906F55",
            "/cable/new/G5D511FB41CFB9760F5B1782E906F558",
            "/cable/connect/044E11",
            "/cable/connect/044E1/D5D511FB41CFB9760F5B1782E906F558",
            "/cable/contact/",
            "/cable/contact/t=",
            "//cable/new/D5D511FB41CFB9760F5B1782E906F558",
        ] {
            assert!(ServicePath::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn routing_id_header_must_stand_once() {
        assert_eq!(routing_id([]), Err(RoutingIdError::Missing));
        assert_eq!(routing_id(["010203", "010203"]), Err(RoutingIdError::Repeated));
        assert!(matches!(routing_id(["01020g"]), Err(RoutingIdError::Malformed(_))));
        assert_eq!(routing_id(["0102fE"]), Ok(RoutingId::from_bytes([1, 2, 0xfe])));
    }
}
