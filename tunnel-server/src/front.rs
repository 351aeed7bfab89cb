//! What stands between an accepted socket and the service: the PROXY protocol, TLS, both or nothing.

#[cfg(feature = "acme")]
mod acme;
mod certificate;
mod error;
mod tls;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ipnet::IpNet;
use thiserror::Error;
use tokio::{
    io::{self, AsyncReadExt},
    net::TcpStream,
};

#[cfg(feature = "acme")]
pub use self::acme::AcmeConfig;
pub(crate) use self::tls::TlsStream;
pub use self::{certificate::Validity, error::TlsError, tls::TlsConfig};
use crate::proxy_protocol::{FIXED, Origin, Prefix, ProxyProtocolError};

/// What stands between an accepted socket and the service. Start from [`Front::plain`] and add.
///
/// ```no_run
/// # fn front() -> Result<hybridge_relay::Front, hybridge_relay::TlsError> {
/// use hybridge_relay::{Front, TlsConfig};
/// let tls = TlsConfig::from_pem_files("chain.pem", "key.pem")?;
/// Ok(Front::plain().tls(tls))
/// # }
/// ```
///
/// Cloning is cheap, and clones share their certificate.
#[derive(Debug, Clone, Default)]
pub struct Front {
    tls: Option<TlsConfig>,
    proxies: Option<Arc<Proxies>>,
}

#[derive(Debug)]
struct Proxies {
    trusted: Vec<IpNet>,
    /// Whether a proxy without a usable header has been reported.
    reported: AtomicBool,
}

/// A connection that has passed the front.
#[derive(Debug)]
pub(crate) enum Passed {
    Plain(TcpStream),
    // Boxed, so that the handshakes of plain connections are not as large as those of TLS.
    Tls(Box<TlsStream>),
}

/// Why a connection has not passed.
#[derive(Debug, Error)]
pub(crate) enum Stopped {
    #[error(transparent)]
    ProxyProtocol(#[from] ProxyProtocolError),
    /// A check by the proxy itself, with nothing behind the header.
    #[error("the proxy only looked whether the service is there")]
    OnlyLooked,
    #[error("the connection broke: {}", .0.kind())]
    Io(#[from] io::Error),
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
}

impl Front {
    /// Nothing: the service speaks plain HTTP.
    pub fn plain() -> Self {
        Self::default()
    }

    /// TLS, with the certificate that `tls` holds at the time of each handshake.
    #[must_use]
    pub fn tls(self, tls: TlsConfig) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// The PROXY protocol, version 2, before everything else.
    ///
    /// A peer in one of the `trusted` networks has to begin with a header, and its connection counts for the address
    /// that the header names. Any other peer is served as itself, and a header from it is a broken request.
    #[must_use]
    pub fn proxy_protocol(self, trusted: Vec<IpNet>) -> Self {
        let proxies = Proxies { trusted, reported: AtomicBool::new(false) };
        Self { proxies: Some(Arc::new(proxies)), ..self }
    }

    /// Whether requests come without TLS.
    pub(crate) const fn is_plain(&self) -> bool {
        self.tls.is_none()
    }

    /// Begins with what has to be done beside connections: renewing certificates.
    pub(crate) fn start(&self) {
        if let Some(tls) = &self.tls {
            tls.start();
        }
    }

    /// Who a connection comes from: the peer, or whom a proxy names. None where a proxy names nobody.
    ///
    /// The caller bounds the time.
    pub(crate) async fn identify(
        &self,
        stream: &mut TcpStream,
        peer: IpAddr,
    ) -> Result<Option<IpAddr>, Stopped> {
        let peer = peer.to_canonical();
        let Some(proxies) = self.proxies.as_deref().filter(|proxies| proxies.trust(peer)) else {
            return Ok(Some(peer));
        };
        match read_header(stream).await {
            Ok(Origin::Peer(address)) => Ok(Some(address)),
            Ok(_) => Ok(None),
            Err(error) => {
                proxies.report(&error);
                Err(error)
            }
        }
    }

    /// Takes a connection through what is left.
    ///
    /// The caller bounds the time.
    pub(crate) async fn secure(&self, stream: TcpStream) -> Result<Passed, Stopped> {
        match &self.tls {
            None => Ok(Passed::Plain(stream)),
            Some(tls) => Ok(Passed::Tls(tls.accept(stream).await.map_err(Stopped::Tls)?)),
        }
    }
}

impl Proxies {
    fn trust(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&peer))
    }

    /// Tells the operator, once: a proxy that is set up wrongly is wrong with every connection.
    fn report(&self, error: &Stopped) {
        let Stopped::ProxyProtocol(error) = error else { return };
        if !self.reported.swap(true, Ordering::Relaxed) {
            tracing::warn!("connections of a trusted proxy are closed: {error}");
        }
    }
}

/// Reads a header and no byte more.
async fn read_header(stream: &mut TcpStream) -> Result<Origin, Stopped> {
    let mut fixed = [0_u8; FIXED];
    if let Err(error) = stream.read_exact(&mut fixed).await {
        let looked = error.kind() == io::ErrorKind::UnexpectedEof && fixed == [0; FIXED];
        return Err(if looked { Stopped::OnlyLooked } else { error.into() });
    }
    let prefix = Prefix::parse(&fixed)?;
    let mut rest = vec![0; prefix.rest()];
    stream.read_exact(&mut rest).await?;
    Ok(prefix.origin(&rest)?)
}
