//! TLS for a run: a certificate that is made for it, the end that trusts it, and the floor that shows it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::Resumption,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};
use tokio_util::either::Either;

use crate::error::Error;

/// A connection to a server, in the clear or not.
pub(crate) type Stream = Either<tokio::net::TcpStream, Box<TlsStream<tokio::net::TcpStream>>>;

/// A certificate for this machine's loopback names and its key, in files that are gone with this value.
#[derive(Debug)]
pub(crate) struct Certificate {
    folder: TempDir,
}

impl Certificate {
    /// Makes both, and writes them as PEM.
    pub(crate) fn new() -> Result<Self, Error> {
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
        let made = generate_simple_self_signed(names).map_err(|error| Error::Tls(io::Error::other(error)))?;
        let CertifiedKey { cert, signing_key } = made;
        let folder = tempfile::tempdir().map_err(Error::Tls)?;
        let certificate = Self { folder };
        fs::write(certificate.chain(), cert.pem()).map_err(Error::Tls)?;
        fs::write(certificate.key(), signing_key.serialize_pem()).map_err(Error::Tls)?;
        Ok(certificate)
    }

    pub(crate) fn chain(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}

/// What the ends of tunnels speak TLS with.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Tls {
    /// Trusts the certificates in a PEM file, for a server of this name.
    pub(crate) fn new(trusted: &Path, name: &str) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(trusted)? {
            roots.add(certificate).map_err(|error| Error::Tls(io::Error::other(error)))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Tls(io::Error::other(error)))?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        // Strangers come once: every handshake is a whole one.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::try_from(name.to_owned()).map_err(|_| Error::Url)?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    pub(crate) async fn connect(&self, io: tokio::net::TcpStream) -> Result<Stream, Error> {
        let stream = self.connector.connect(self.name.clone(), io).await.map_err(Error::Tls)?;
        Ok(Either::Right(Box::new(stream)))
    }
}

/// The floor's side.
pub(crate) fn acceptor(chain: &Path, key: &Path) -> Result<TlsAcceptor, Error> {
    let chain = certificates(chain)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| Error::Tls(io::Error::other(error)))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = builder
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| Error::Tls(io::Error::other(error)))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|error| Error::Tls(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    #[tokio::test]
    async fn both_sides_agree_on_a_certificate_that_was_made_for_them() {
        let certificate = Certificate::new().unwrap();
        let acceptor = acceptor(&certificate.chain(), &certificate.key()).unwrap();
        let tls = Tls::new(&certificate.chain(), "127.0.0.1").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = async {
            let (io, _) = listener.accept().await.unwrap();
            acceptor.accept(io).await.unwrap().write_all(b"hello").await.unwrap();
        };
        let asking = async {
            let mut io = tls.connect(TcpStream::connect(address).await.unwrap()).await.unwrap();
            let mut answer = [0; 5];
            io.read_exact(&mut answer).await.unwrap();
            answer
        };
        assert_eq!(tokio::join!(serving, asking).1, *b"hello");
    }

    #[test]
    fn a_file_without_certificates_is_an_error() {
        assert!(matches!(Tls::new(Path::new("/dev/null/none"), "localhost"), Err(Error::Tls(_))));
    }
}
