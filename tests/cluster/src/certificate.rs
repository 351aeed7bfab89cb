//! The service's certificate, and the authority that vouches for it.

use std::{path::Path, sync::Arc};

use hybridge_demo::world::DOMAIN;
use hybridge_tunnel::WebSocketDialer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// Where the files of a certificate are.
pub(crate) const CERTIFICATE: &str = "relay.pem";
pub(crate) const KEY: &str = "relay.key";
/// Both in one file, as HAProxy wants them.
pub(crate) const BOTH: &str = "relay-both.pem";

/// What the devices trust.
#[derive(Clone)]
pub(crate) struct Trust {
    pem: String,
    connector: TlsConnector,
}

impl Trust {
    /// Writes a fresh certificate for the service's host into a folder.
    pub(crate) fn create(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![DOMAIN.host().unwrap()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap().pem();
        let key = key.serialize_pem();
        let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
        write(BOTH, format!("{certificate}{key}"));
        write(CERTIFICATE, certificate);
        write(KEY, key);

        let mut roots = RootCertStore::empty();
        roots.add(issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { pem: issuer.pem(), connector: TlsConnector::from(Arc::new(config)) }
    }

    pub(crate) const fn connector(&self) -> &TlsConnector {
        &self.connector
    }

    /// A dialer of phones and laptops that trusts the authority.
    pub(crate) fn dialer(&self) -> WebSocketDialer {
        WebSocketDialer::new().with_extra_roots_pem(self.pem.as_bytes()).unwrap()
    }
}
