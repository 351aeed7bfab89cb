//! A certificate authority of the test, its certificates as files, and clients that trust it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::aws_lc_rs, pki_types::ServerName,
};
use tempfile::TempDir;
use tokio::{io, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub const HOST: &str = "cable.example.com";

/// A certificate authority and a directory for what it issues.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

/// A certificate chain and its key, both PEM.
pub struct Issued {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        Self::named("Test authority")
    }

    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, directory: TempDir::new().unwrap() }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn root_pem(&self) -> PathBuf {
        let path = self.directory().join("root.pem");
        fs::write(&path, self.issuer.pem()).unwrap();
        path
    }

    /// A certificate for [`HOST`] in files that begin with `name`.
    pub fn issue(&self, name: &str) -> Issued {
        self.issue_with(name, HOST, |_| {})
    }

    pub fn issue_with(&self, name: &str, host: &str, change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.write(name, &(certificate.pem() + &self.issuer.pem()), &key.serialize_pem())
    }

    /// Signs what a request asks for: a chain as PEM text.
    #[cfg(feature = "acme")]
    pub fn sign(&self, request: &rcgen::CertificateSigningRequestParams) -> String {
        request.signed_by(&self.issuer).unwrap().pem() + &self.issuer.pem()
    }

    pub fn write(&self, name: &str, certificate: &str, key: &str) -> Issued {
        let at = |end: &str| self.directory().join(format!("{name}.{end}"));
        let issued = Issued { certificate: at("crt"), key: at("key") };
        fs::write(&issued.certificate, certificate).unwrap();
        fs::write(&issued.key, key).unwrap();
        issued
    }

    pub fn connector(&self, versions: &[&'static SupportedProtocolVersion]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsConnector::from(Arc::new(config))
    }

    /// A handshake as a client that trusts this authority.
    pub async fn secure(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(HOST).unwrap();
        self.connector(rustls::ALL_VERSIONS).connect(name, stream).await
    }
}
