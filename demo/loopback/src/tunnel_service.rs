//! The tunnel service of this world: the real service behind real TLS, reached through streams in memory.

use std::{io, sync::Arc};

use hybridge_proto::domain::{DomainId, UnassignedDomain};
use hybridge_relay::{Config, Service};
use hybridge_tunnel::{CertificateDer, RootError, WebSocketDialer, connect_fn};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use thiserror::Error;
use tokio::{
    io::{DuplexStream, duplex},
    sync::mpsc::{self, UnboundedReceiver},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::{chance::Source, journal::Journal};

mod tap;
mod watch;

use self::tap::Tapped;
pub use self::watch::{Peer, Seen, TunnelEvent};

/// How many bytes may be on their way between a device and the service in each direction.
const IN_FLIGHT: usize = 64 * 1024;

/// Why there is no tunnel service.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// No host belongs to its domain.
    #[error(transparent)]
    Domain(#[from] UnassignedDomain),
    /// Its certificate could not be made.
    #[error("the tunnel service's certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// TLS refused the certificate.
    #[error("the tunnel service's certificate cannot be used")]
    Tls(#[from] rustls::Error),
    /// The devices refused the certificate.
    #[error(transparent)]
    Root(#[from] RootError),
}

/// A running tunnel service. Dropping it hangs up on everybody.
#[must_use = "dropping it hangs up on everybody"]
pub struct TunnelService {
    domain: DomainId,
    host: String,
    service: Service,
    seen: Arc<Seen>,
    dialer: WebSocketDialer,
    /// Ends the connections when it is dropped.
    _tasks: JoinSet<()>,
}

impl TunnelService {
    /// Starts a service for the host of a domain, with a certificate of its own. Must be called within a tokio
    /// runtime. Its routing IDs come from `source`.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn start(domain: DomainId, source: &mut Source, journal: Journal) -> Result<Self, SetupError> {
        let host = domain.host()?;
        let service = Service::with_rng(Config::default(), source.draw());
        let seen = Arc::new(Seen::default());
        let (acceptor, root) = tls(&host)?;
        let (arrive, arrivals) = mpsc::unbounded_channel();
        let only = host.clone();
        let connector = connect_fn(move |host, _port| {
            let (ours, theirs) = duplex(IN_FLIGHT);
            let known = host.eq_ignore_ascii_case(&only) && arrive.send(theirs).is_ok();
            async move { if known { Ok(ours) } else { Err(io::ErrorKind::HostUnreachable.into()) } }
        });
        let dialer = WebSocketDialer::new().with_connector(connector).with_extra_roots([root])?;
        let mut tasks = JoinSet::new();
        let visited = Visited { service: service.clone(), acceptor, seen: Arc::clone(&seen), journal };
        tasks.spawn(visited.receive(arrivals));
        Ok(Self { domain, host, service, seen, dialer, _tasks: tasks })
    }

    /// The number by which adverts name it.
    pub const fn domain(&self) -> DomainId {
        self.domain
    }

    /// Its host name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Reaches it, and trusts its certificate. Every other host is unreachable.
    pub fn dialer(&self) -> WebSocketDialer {
        self.dialer.clone()
    }

    /// The service behind the TLS.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Everything that it got to see, if its world's journal is read; nothing otherwise.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }
}

/// The service and what it needs for each visitor.
struct Visited {
    service: Service,
    acceptor: TlsAcceptor,
    seen: Arc<Seen>,
    journal: Journal,
}

impl Visited {
    async fn receive(self, mut arrivals: UnboundedReceiver<DuplexStream>) {
        let mut visits = JoinSet::new();
        loop {
            tokio::select! {
                Some(stream) = arrivals.recv() => {
                    visits.spawn(self.visit(stream));
                }
                // Nothing is to be done for one who has left.
                Some(_) = visits.join_next() => {}
                else => return,
            }
        }
    }

    fn visit(&self, stream: DuplexStream) -> impl Future<Output = ()> + Send + 'static {
        let (service, acceptor) = (self.service.clone(), self.acceptor.clone());
        let (seen, journal) = (Arc::clone(&self.seen), self.journal.clone());
        async move {
            let stream = match acceptor.accept(stream).await {
                Ok(stream) => stream,
                Err(error) => return tracing::debug!(kind = ?error.kind(), "no TLS"),
            };
            if journal.is_read() {
                service.serve_stream(Tapped::new(stream, seen, journal)).await;
            } else {
                service.serve_stream(stream).await;
            }
        }
    }
}

/// TLS for a server of this name, and the root certificate that vouches for it.
pub(crate) fn tls(host: &str) -> Result<(TlsAcceptor, CertificateDer<'static>), SetupError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A name unlike that of what it vouches for, without which OpenSSL takes the latter for self-signed.
    params.distinguished_name.push(DnType::CommonName, "Hybridge test authority");
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![host.to_owned()])?.signed_by(&key, &issuer)?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )?;
    Ok((TlsAcceptor::from(Arc::new(config)), issuer.der().clone()))
}
