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

/// TLS 1.2 and 1.3 with a certificate from PEM files.
///
/// Connections that are under way keep the certificate they began with when it is exchanged. Cloning is cheap, and
/// clones share the certificate.
#[derive(Clone)]
pub struct TlsConfig {
    files: Arc<PemFiles>,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
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
        let files = PemFiles { certificate: certificate.into(), key: key.into() };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (certified, validity) = files.load(&provider)?;
        warn_if_out_of_date(validity);
        let current = Arc::new(Current(RwLock::new((Arc::new(certified), validity))));
        let resolver = Arc::clone(&current);
        let config = configure(Arc::clone(&provider), resolver).map_err(TlsError::Setup)?;
        Ok(Self { files: Arc::new(files), provider, current, config })
    }

    /// Reads both files again. Handshakes from now on use what they hold; tunnels are not touched.
    ///
    /// # Errors
    /// As [`from_pem_files`](Self::from_pem_files); the certificate in use then stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let (certified, validity) = self.files.load(&self.provider)?;
        warn_if_out_of_date(validity);
        self.current.set(certified, validity);
        Ok(())
    }

    /// From when to when the certificate in use is valid.
    pub fn validity(&self) -> Validity {
        self.current.get().1
    }

    /// Runs the handshake.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<Box<TlsStream>> {
        Box::pin(async { TlsAcceptor::from(Arc::clone(&self.config)).accept(stream).await.map(Box::new) })
            .await
    }
}

/// What all connections have in common.
///
/// There is no session resumption: a phone or a laptop comes back after minutes or days, if at all, so that a ticket
/// would cost every connection two messages and let an observer tie one sign-in to the next.
fn configure(
    provider: Arc<CryptoProvider>,
    resolver: Arc<dyn ResolvesServerCert>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
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
        f.debug_struct("TlsConfig")
            .field("files", &self.files)
            .field("validity", &self.validity())
            .finish_non_exhaustive()
    }
}
