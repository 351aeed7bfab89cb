//! Where load is sent, and how a tunnel is set up there.

use std::{
    cell::RefCell,
    net::{SocketAddr, ToSocketAddrs},
    path::Path,
};

use getrandom::SysRng;
use hybridge_proto::{
    ids::{RoutingId, TunnelId},
    service::{ROUTING_ID_HEADER, SUBPROTOCOL, ServicePath},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::either::Either;
use url::Url;

use crate::{
    end::End,
    error::Error,
    tls::{Stream, Tls},
    wire::Wire,
};

/// The key of every request, and what RFC 6455 makes of it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// The longest answer that is read.
const MAX_HEAD: usize = 8 * 1024;

/// A server that joins connections: a tunnel service or the floor.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) wire: Wire,
    host: String,
    /// What stands before `/cable/` in the paths.
    prefix: String,
    tls: Option<Tls>,
}

/// Both ends of a tunnel.
#[derive(Debug)]
pub(crate) struct Tunnel {
    /// The authenticator's, which opened it.
    pub(crate) opener: End,
    /// The client's, which joined it.
    pub(crate) joiner: End,
}

thread_local! {
    static RNG: RefCell<Option<ChaCha20Rng>> = RefCell::new(ChaCha20Rng::try_from_rng(&mut SysRng).ok());
}

fn tunnel_id() -> TunnelId {
    let drawn = RNG.with_borrow_mut(|rng| rng.as_mut().map(TunnelId::generate));
    drawn.unwrap_or(TunnelId::from_bytes([0; TunnelId::LENGTH]))
}

impl Target {
    /// A tunnel service at a `ws://` URL, which has to be on this machine; or at a `wss://` one, with the certificates
    /// to trust.
    pub(crate) fn service(url: &str, trusted: Option<&Path>) -> Result<Self, Error> {
        let parsed = Url::parse(url).map_err(|_| Error::Url)?;
        let trusted = match (parsed.scheme(), trusted) {
            ("ws", _) => None,
            ("wss", Some(trusted)) => Some(trusted),
            _ => return Err(Error::Url),
        };
        let (host, port) = parsed.host_str().zip(parsed.port_or_known_default()).ok_or(Error::Url)?;
        let mut addresses =
            (host.trim_matches(['[', ']']), port).to_socket_addrs().map_err(Error::Resolve)?;
        let address = addresses.next().ok_or(Error::Url)?;
        let prefix = parsed.path().trim_end_matches('/').to_owned();
        let tls = trusted.map(|trusted| Tls::new(trusted, host.trim_matches(['[', ']']))).transpose()?;
        Ok(Self { prefix, tls, ..Self::new(address, Wire::Websocket, format!("{host}:{port}"))? })
    }

    /// A server that was started here.
    pub(crate) fn started(address: SocketAddr, wire: Wire, tls: Option<Tls>) -> Result<Self, Error> {
        Ok(Self { tls, ..Self::new(address, wire, address.to_string())? })
    }

    fn new(address: SocketAddr, wire: Wire, host: String) -> Result<Self, Error> {
        if !address.ip().to_canonical().is_loopback() {
            return Err(Error::NotLoopback(address.ip()));
        }
        Ok(Self { address, wire, host, prefix: String::new(), tls: None })
    }

    /// Opens a tunnel and joins it.
    pub(crate) async fn tunnel(&self) -> Result<Tunnel, Error> {
        let tunnel = tunnel_id();
        if self.wire == Wire::Raw {
            let line = format!("{}\n", tunnel.to_hex());
            let opener = self.raw(&line).await?;
            return Ok(Tunnel { opener, joiner: self.raw(&line).await? });
        }
        let (opener, routing) = self.websocket(ServicePath::New { tunnel }).await?;
        let routing = routing.ok_or(Error::Answer)?;
        let (joiner, _) = self.websocket(ServicePath::Connect { routing, tunnel }).await?;
        Ok(Tunnel { opener, joiner })
    }

    /// A bare connection, behind TLS where the server has it.
    pub(crate) async fn connect(&self) -> Result<Stream, Error> {
        let io = TcpStream::connect(self.address).await.map_err(Error::Connect)?;
        io.set_nodelay(true).map_err(Error::Connect)?;
        match &self.tls {
            Some(tls) => tls.connect(io).await,
            None => Ok(Either::Left(io)),
        }
    }

    /// One side of a pair at the floor, which answers a name with an empty line.
    async fn raw(&self, line: &str) -> Result<End, Error> {
        let mut io = self.connect().await?;
        io.write_all(line.as_bytes()).await.map_err(Error::Connection)?;
        match io.read_u8().await.map_err(Error::Connection)? {
            b'\n' => Ok(End::new(io, self.wire, Vec::new())),
            _ => Err(Error::Answer),
        }
    }

    async fn websocket(&self, path: ServicePath) -> Result<(End, Option<RoutingId>), Error> {
        let mut io = self.connect().await?;
        io.write_all(self.request(&path).as_bytes()).await.map_err(Error::Connection)?;
        let mut head = Vec::with_capacity(512);
        while head.len() < MAX_HEAD {
            if io.read_buf(&mut head).await.map_err(Error::Connection)? == 0 {
                return Err(Error::Ended);
            }
            if let Some((length, routing)) = accepted(&head)? {
                let early = head.split_off(length);
                return Ok((End::new(io, self.wire, early), routing));
            }
        }
        Err(Error::Answer)
    }

    /// The request for a websocket at `path`.
    pub(crate) fn request(&self, path: &ServicePath) -> String {
        let Self { host, prefix, .. } = self;
        format!(
            "GET {prefix}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
        )
    }

    /// The request that opens a new tunnel.
    pub(crate) fn opening(&self) -> String {
        self.request(&ServicePath::New { tunnel: tunnel_id() })
    }
}

/// Reads an answer: its length in bytes and the routing ID, if there is one. None while it is not whole.
fn accepted(head: &[u8]) -> Result<Option<(usize, Option<RoutingId>)>, Error> {
    let mut lines = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut lines);
    let httparse::Status::Complete(length) = response.parse(head).map_err(|_| Error::Answer)? else {
        return Ok(None);
    };
    match response.code {
        Some(101) => {}
        status => return Err(Error::Refused(status.unwrap_or_default())),
    }
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        core::str::from_utf8(found.value).ok()
    };
    if header("Sec-WebSocket-Accept") != Some(ACCEPT) || header("Sec-WebSocket-Protocol") != Some(SUBPROTOCOL)
    {
        return Err(Error::Answer);
    }
    let routing = header(ROUTING_ID_HEADER).map(RoutingId::from_hex).transpose();
    Ok(Some((length, routing.map_err(|_| Error::Answer)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_stays_on_this_machine() {
        for url in
            ["ws://192.0.2.1:80", "ws://[2001:db8::1]:80", "ws://0.0.0.0:80", "ws://[::ffff:192.0.2.1]:80"]
        {
            assert!(matches!(Target::service(url, None), Err(Error::NotLoopback(_))), "{url}");
        }
        for url in
            ["ws://127.0.0.1:8080", "ws://127.3.2.1", "ws://[::1]:80/deep", "ws://[::ffff:127.0.0.1]:80"]
        {
            Target::service(url, None).unwrap();
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["", "127.0.0.1:80", "http://127.0.0.1", "wss://127.0.0.1", "ws://"] {
            assert!(matches!(Target::service(url, None), Err(Error::Url)), "{url}");
        }
    }

    #[test]
    fn answers_are_checked() {
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {ACCEPT}\r\n\
             sec-websocket-protocol: fido.cable\r\nx-cable-routing-id: 010203\r\n\r\n"
        );
        let (length, routing) = accepted(head.as_bytes()).unwrap().unwrap();
        assert_eq!((length, routing), (head.len(), Some(RoutingId::from_bytes([1, 2, 3]))));
        assert_eq!(accepted(&head.as_bytes()[..40]).unwrap(), None);
        let refused = "HTTP/1.1 503 Service Unavailable\r\n\r\n";
        assert!(matches!(accepted(refused.as_bytes()), Err(Error::Refused(503))));
        let other = head.replace("fido.cable", "chat");
        assert!(matches!(accepted(other.as_bytes()), Err(Error::Answer)));
    }
}
