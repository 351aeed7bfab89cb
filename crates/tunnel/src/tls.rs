//! TLS to tunnel services: the platform's trust, and what a caller adds to it.

use std::{io, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

use crate::{
    connect::BoxStream,
    error::{DialError, RootError},
};

/// What to trust, and the configuration made of it on first use: reading the platform's roots takes a while.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    extra_roots: Vec<CertificateDer<'static>>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// The same trust and these roots.
    pub(crate) fn with_roots(
        &self,
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, RootError> {
        let mut extra_roots = self.extra_roots.clone();
        for root in roots {
            RootCertStore::empty().add(root.clone()).map_err(RootError::Certificate)?;
            extra_roots.push(root);
        }
        Ok(Self { extra_roots, config: OnceCell::new() })
    }

    /// Runs the handshake on a stream, and checks the certificate for `host`.
    pub(crate) async fn secure(&self, stream: BoxStream, host: &str) -> Result<BoxStream, DialError> {
        let config = self.config.get_or_try_init(|| build(self.extra_roots.clone())).await?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| DialError::InvalidRequest)?;
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
        Ok(Box::new(stream.map_err(DialError::Tls)?))
    }
}

/// The certificates of a PEM text.
pub(crate) fn parse_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, RootError> {
    let roots: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| RootError::Pem)?;
    if roots.is_empty() { Err(RootError::Empty) } else { Ok(roots) }
}

async fn build(roots: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, DialError> {
    let built = tokio::task::spawn_blocking(move || configure(roots)).await;
    built
        .map_err(io::Error::other)
        .and_then(|config| config.map_err(io::Error::other))
        .map_err(DialError::Tls)
}

fn configure(roots: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // Browsers name it on websockets, and a host that speaks HTTP/2 by default needs it.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A ticket would tie one session to the next, for the service and for who listens.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_checked_when_they_are_given() {
        let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let pem = made.cert.pem();
        let roots = parse_pem(format!("{pem}\n{pem}").as_bytes()).unwrap();
        assert_eq!(roots, [made.cert.der().clone(), made.cert.der().clone()]);
        assert_eq!(Tls::default().with_roots(roots).unwrap().extra_roots.len(), 2);

        assert_eq!(parse_pem(b"no certificate"), Err(RootError::Empty));
        assert_eq!(parse_pem(b"-----BEGIN CERTIFICATE-----\n?"), Err(RootError::Pem));
        let rubbish = CertificateDer::from(vec![1, 2, 3]);
        assert!(matches!(Tls::default().with_roots([rubbish]), Err(RootError::Certificate(_))));
    }
}
