//! A tunnel service on this machine, with a certificate that was made a moment ago.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use data_encoding::BASE64;
use hybridge_proto::domain::{DomainId, UnassignedDomain};
use hybridge_relay::{Config, Front, Service, Serving, TlsConfig, TlsError};
use hybridge_tunnel::{RootError, WebSocketDialer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PublicKeyData};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use thiserror::Error;
use tokio::{fs, net::TcpListener};

/// Why there is no tunnel service.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TunnelServiceError {
    /// No host belongs to its domain.
    #[error(transparent)]
    Domain(#[from] UnassignedDomain),
    /// Its certificate could not be made.
    #[error("the tunnel service's certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// Its certificate could not be written.
    #[error(
        "the tunnel service's certificate could not be written: see that the folder for temporary files can be"
    )]
    Folder(#[source] io::Error),
    /// Its certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Its certificate cannot vouch for it.
    #[error(transparent)]
    Root(#[from] RootError),
    /// It could not listen.
    #[error("the tunnel service cannot listen on {address}: choose another port, or 0 for a free one")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A tunnel service for one domain, on loopback. Dropping it hangs up on everybody.
#[must_use = "dropping it hangs up on everybody"]
pub struct TunnelService {
    host: String,
    address: SocketAddr,
    spki: String,
    root: PathBuf,
    root_pem: String,
    serving: Serving,
    service: Service,
    _folder: TempDir,
}

impl TunnelService {
    /// Starts the service of this domain on a port of loopback; 0 takes a free one. Must be called within a tokio
    /// runtime, which runs it.
    ///
    /// # Errors
    /// [`TunnelServiceError`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing running.
    pub async fn start(domain: DomainId, port: u16) -> Result<Self, TunnelServiceError> {
        let host = domain.host()?;
        let certificate = Certificate::new(&host)?;
        let folder = tempfile::Builder::new().prefix("hybridge-tunnel-").tempdir();
        let folder = folder.map_err(TunnelServiceError::Folder)?;
        let file = |name: &str| folder.path().join(name);
        for (name, text) in [
            ("root.pem", &certificate.root),
            ("certificate.pem", &certificate.certificate),
            ("key.pem", &certificate.key),
        ] {
            fs::write(file(name), text).await.map_err(TunnelServiceError::Folder)?;
        }
        let front = Front::plain().tls(TlsConfig::from_pem_files(file("certificate.pem"), file("key.pem"))?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listen = |source| TunnelServiceError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        // One test may make more tunnels from this one address than a service gives a stranger.
        let service = Service::new(Config::without_limits()).map_err(listen)?;
        let serving = service.serve_with(listener, front).map_err(listen)?;
        let (spki, root, root_pem) = (certificate.spki, file("root.pem"), certificate.root);
        Ok(Self { host, address, spki, root, root_pem, serving, service, _folder: folder })
    }

    /// The host name of its domain, which its certificate is for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The SHA-256 of its public key as base64, for Chromium's `--ignore-certificate-errors-spki-list`.
    pub fn spki(&self) -> &str {
        &self.spki
    }

    /// A file with the root certificate that vouches for it, as PEM. It is gone when the service is.
    pub fn root_file(&self) -> &std::path::Path {
        &self.root
    }

    /// How many tunnels are open.
    pub fn tunnels(&self) -> usize {
        self.service.tunnel_count()
    }

    /// A dialer that reaches it under its name and trusts its certificate.
    ///
    /// # Errors
    /// [`RootError`].
    pub fn dialer(&self) -> Result<WebSocketDialer, RootError> {
        let dialer = WebSocketDialer::new().with_address(self.address);
        dialer.with_extra_roots_pem(self.root_pem.as_bytes())
    }

    /// Hangs up on everybody and waits until that is done.
    ///
    /// # Cancel safety
    /// Dropping the future hangs up at once.
    pub async fn stop(self) {
        self.serving.stop().await;
    }
}

/// A throwaway authority and what it vouches for, as PEM texts.
struct Certificate {
    root: String,
    certificate: String,
    key: String,
    spki: String,
}

impl Certificate {
    fn new(host: &str) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A name unlike that of what it vouches for, without which OpenSSL takes the latter for self-signed.
        params.distinguished_name.push(DnType::CommonName, "Hybridge test authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![host.to_owned()])?.signed_by(&key, &issuer)?;
        Ok(Self {
            root: issuer.pem(),
            certificate: certificate.pem(),
            spki: BASE64.encode(&Sha256::digest(key.subject_public_key_info())),
            key: key.serialize_pem(),
        })
    }
}

impl std::fmt::Debug for TunnelService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TunnelService")
            .field("host", &self.host)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use x509_parser::pem::parse_x509_pem;

    use super::*;

    /// The names of the holder and of the issuer.
    fn names(pem: &str) -> [String; 2] {
        let (_, pem) = parse_x509_pem(pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        [certificate.subject(), certificate.issuer()].map(ToString::to_string)
    }

    #[test]
    fn the_authority_and_what_it_vouches_for_differ_in_name() {
        let made = Certificate::new("cable.example").unwrap();
        let [authority, itself] = names(&made.root);
        let [service, issuer] = names(&made.certificate);
        assert_eq!(authority, itself);
        assert_eq!(issuer, authority);
        assert_ne!(service, issuer);
    }
}
