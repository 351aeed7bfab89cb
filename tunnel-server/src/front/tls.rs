//! TLS: one configuration for all connections, whose certificate can be exchanged while it is in use.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{io, net::TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{TlsError, Validity, certificate::PemFiles};

/// A connection after its TLS handshake.
pub(crate) type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// TLS 1.2 and 1.3, with a certificate from PEM files or, with the feature `acme`, from an ACME authority.
///
/// Connections that are under way keep the certificate they began with when it is exchanged. Cloning is cheap, and
/// clones share the certificate.
#[derive(Clone)]
pub struct TlsConfig {
    source: Source,
    config: Arc<ServerConfig>,
}

/// Where the certificate comes from.
#[derive(Debug, Clone)]
enum Source {
    Files(Arc<Files>),
    #[cfg(feature = "acme")]
    Acme(Arc<super::acme::Acme>),
}

#[derive(Debug)]
struct Files {
    paths: PemFiles,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
}

/// The certificate for the next handshake.
#[derive(Debug)]
struct Current(RwLock<(Arc<CertifiedKey>, Validity)>);

impl Current {
    fn get(&self) -> (Arc<CertifiedKey>, Validity) {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, key: CertifiedKey, validity: Validity) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (Arc::new(key), validity);
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get().0)
    }
}

impl TlsConfig {
    /// Reads a certificate chain, the service's own certificate first, and its private key. Both files are PEM text,
    /// and may be the same file.
    ///
    /// A certificate that is out of date is taken, with a warning in the log.
    ///
    /// # Errors
    /// [`TlsError`] when a file cannot be read or used, or the key belongs to another certificate.
    pub fn from_pem_files(
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Result<Self, TlsError> {
        let paths = PemFiles { certificate: certificate.into(), key: key.into() };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (certified, validity) = paths.load(&provider)?;
        warn_if_out_of_date(validity);
        let current = Arc::new(Current(RwLock::new((Arc::new(certified), validity))));
        let resolver = Arc::clone(&current);
        let config = configure(Arc::clone(&provider), resolver, &[]).map_err(TlsError::Setup)?;
        Ok(Self { source: Source::Files(Arc::new(Files { paths, provider, current })), config })
    }

    /// Gets certificates from an ACME authority, and renews them when two thirds of their time are over.
    ///
    /// This begins when a [`Service`](crate::Service) first serves with it and ends when the last clone is dropped. A
    /// certificate in the cache is in use at once; without one, handshakes fail until the authority has given one. The
    /// authority connects to port 443 of each name, which has to lead to this service.
    ///
    /// # Errors
    /// [`TlsError`] when the settings are wrong or the cache cannot be written.
    #[cfg(feature = "acme")]
    pub fn from_acme(acme: &super::AcmeConfig) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let acme = super::acme::Acme::new(acme, &provider)?;
        let config = configure(provider, acme.resolver(), &[super::acme::CHALLENGE_PROTOCOL]);
        Ok(Self { source: Source::Acme(Arc::new(acme)), config: config.map_err(TlsError::Setup)? })
    }

    /// Reads both files again. Handshakes from now on use what they hold; tunnels are not touched. Certificates from
    /// an ACME authority renew themselves, and this does nothing.
    ///
    /// # Errors
    /// As [`from_pem_files`](Self::from_pem_files); the certificate in use then stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        match &self.source {
            Source::Files(files) => {
                let (certified, validity) = files.paths.load(&files.provider)?;
                warn_if_out_of_date(validity);
                files.current.set(certified, validity);
                Ok(())
            }
            #[cfg(feature = "acme")]
            Source::Acme(_) => Ok(()),
        }
    }

    /// From when to when the certificate in use is valid. None until an ACME authority has given one.
    pub fn validity(&self) -> Option<Validity> {
        match &self.source {
            Source::Files(files) => Some(files.current.get().1),
            #[cfg(feature = "acme")]
            Source::Acme(acme) => acme.validity(),
        }
    }

    /// Begins with what has to be done in the background, on the current runtime; only the first call does something.
    pub(super) fn start(&self) {
        match &self.source {
            Source::Files(_) => {}
            #[cfg(feature = "acme")]
            Source::Acme(acme) => acme.start(),
        }
    }

    /// Runs the handshake.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<Box<TlsStream>> {
        let accepting = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream);
        Box::pin(accepting).await.map(Box::new)
    }
}

/// What all connections have in common.
///
/// There is no session resumption: a phone or a laptop comes back after minutes or days, if at all, so that a ticket
/// would cost every connection two messages and let an observer tie one sign-in to the next.
fn configure(
    provider: Arc<CryptoProvider>,
    resolver: Arc<dyn ResolvesServerCert>,
    more_protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.alpn_protocols.extend(more_protocols.iter().map(|protocol| protocol.to_vec()));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn warn_if_out_of_date(validity: Validity) {
    if validity.excludes(SystemTime::now()) {
        tracing::warn!("the TLS certificate is out of date, and clients will refuse it; renew it and reload");
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig").field("validity", &self.validity()).finish_non_exhaustive()
    }
}
