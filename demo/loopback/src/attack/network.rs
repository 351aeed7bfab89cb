//! Hosts of attackers: names, certificates and byte streams within this process.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hybridge_proto::{domain::DomainId, service::ServiceRequest};
use hybridge_relay::Service;
use hybridge_tunnel::{CertificateDer, DialError, Dialed, Dialer, DynDialer, WebSocketDialer, connect_fn};
use tokio::io::{DuplexStream, duplex};
use tokio_rustls::server::TlsStream;

use super::failure::Setup;
use crate::tunnel_service::tls;

/// A connection to a host, decrypted.
pub(super) type Stream = TlsStream<DuplexStream>;

/// How many bytes may be on their way in each direction.
const IN_FLIGHT: usize = 64 * 1024;

/// Something that answers connections.
pub(super) trait Host: Clone + Send + Sync + 'static {
    /// Serves one connection until it ends.
    fn serve(&self, io: Stream) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

impl Host for Service {
    fn serve(&self, io: Stream) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let service = self.clone();
        Box::pin(async move { service.serve_stream(io).await })
    }
}

/// A host under the name of a tunnel service.
pub(super) struct Standing {
    /// Reaches the host, and trusts its certificate.
    pub(super) dialer: WebSocketDialer,
    /// Reaches the host, and trusts what everybody trusts.
    pub(super) suspicious: WebSocketDialer,
}

/// Puts a host under the name of a tunnel service, with a certificate of its own.
pub(super) fn stand_up(domain: DomainId, host: impl Host) -> Result<Standing, Setup> {
    let (acceptor, root): (_, CertificateDer<'static>) = tls(&domain.host()?)?;
    let connector = connect_fn(move |_host, _port| {
        let (ours, theirs) = duplex(IN_FLIGHT);
        let (acceptor, host) = (acceptor.clone(), host.clone());
        // Ends with the stream, whose other end its client holds.
        tokio::spawn(async move {
            if let Ok(io) = acceptor.accept(theirs).await {
                host.serve(io).await;
            }
        });
        async { io::Result::Ok(ours) }
    });
    let suspicious = WebSocketDialer::new().with_connector(connector);
    let dialer = suspicious.clone().with_extra_roots([root])?;
    Ok(Standing { dialer, suspicious })
}

/// Which way to take for which host, and everything that was dialed.
#[derive(Clone)]
pub(super) struct Directory {
    hosts: Arc<[(String, Arc<dyn DynDialer>)]>,
    dials: Arc<AtomicUsize>,
}

impl Directory {
    /// A directory with these hosts. All others do not exist.
    pub(super) fn of<const N: usize>(hosts: [(DomainId, Arc<dyn DynDialer>); N]) -> Result<Self, Setup> {
        let hosts: Result<Arc<_>, Setup> =
            hosts.into_iter().map(|(domain, dialer)| Ok((domain.host()?, dialer))).collect();
        Ok(Self { hosts: hosts?, dials: Arc::default() })
    }

    /// How often somebody dialed, reached or not.
    pub(super) fn dials(&self) -> usize {
        self.dials.load(Ordering::Relaxed)
    }
}

impl Dialer for Directory {
    async fn dial(&self, request: &ServiceRequest) -> Result<Dialed, DialError> {
        self.dials.fetch_add(1, Ordering::Relaxed);
        match self.hosts.iter().find(|(host, _)| *host == request.host) {
            Some((_, dialer)) => dialer.dial_dyn(request).await,
            None => Err(DialError::Resolve(io::ErrorKind::NotFound.into())),
        }
    }
}
