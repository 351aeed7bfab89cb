//! The internet of this suite: every tunnel service's host is this process, with a throwaway authority.
//!
//! It runs in a network namespace of its own, where port 443 of loopback is free and nothing else can be reached.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use hybridge_proto::domain::DomainId;
use hybridge_relay::{Config, Service};
use hybridge_tunnel::{MemoryService, WebSocketDialer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, join, split},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::wake;

/// Services of the real program: two assigned ones and one whose name is computed.
pub(crate) const GOOGLE: DomainId = DomainId::new(0);
pub(crate) const APPLE: DomainId = DomainId::new(1);
pub(crate) const HASHED: DomainId = DomainId::new(266);
/// A service that can wake a remembered phone.
pub(crate) const WAKING: DomainId = DomainId::new(257);

/// The longest request head that is read.
const HEAD: usize = 8192;

/// A request, as a tunnel service got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) host: String,
    pub(crate) path: String,
}

/// The running services.
#[derive(Clone)]
pub(crate) struct Web {
    /// The service behind [`WAKING`].
    pub(crate) waking: MemoryService,
    seen: Arc<Mutex<Vec<Seen>>>,
    authority: Arc<Authority>,
}

struct Authority {
    _folder: TempDir,
    file: PathBuf,
    pem: String,
}

/// What `/etc/hosts` has to say where the suite runs.
pub(crate) fn hosts() -> String {
    let names = [GOOGLE, APPLE, HASHED, WAKING].map(|domain| domain.host().unwrap());
    format!("127.0.0.1 localhost\n127.0.0.1 {}\n", names.join(" "))
}

impl Web {
    /// Listens on port 443.
    pub(crate) async fn start() -> Self {
        let (acceptor, authority) = tls();
        let listener = TcpListener::bind(("127.0.0.1", 443)).await.expect("port 443 of loopback");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let web = Self { waking: MemoryService::new(), seen, authority: Arc::new(authority) };
        let visited = web.clone();
        let service = Service::new(Config::default()).unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(visited.clone().visit(acceptor.clone(), service.clone(), stream));
            }
        });
        web
    }

    /// The file of the authority that the peers are to trust.
    pub(crate) fn authority(&self) -> &std::path::Path {
        &self.authority.file
    }

    /// A dialer of ours that trusts the authority and uses the names of `/etc/hosts`.
    pub(crate) fn dialer(&self) -> WebSocketDialer {
        WebSocketDialer::new().with_extra_roots_pem(self.authority.pem.as_bytes()).unwrap()
    }

    /// The requests since this was asked last.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    async fn visit(self, acceptor: TlsAcceptor, service: Service, stream: TcpStream) {
        let Ok(mut stream) = acceptor.accept(stream).await else { return };
        let host = stream.get_ref().1.server_name().unwrap_or_default().to_owned();
        let head = read_head(&mut stream).await;
        let text = String::from_utf8_lossy(&head).into_owned();
        let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
        self.seen.lock().unwrap().push(Seen { host: host.clone(), path });
        let (reader, writer) = split(stream);
        let stream = join(AsyncReadExt::chain(std::io::Cursor::new(head), reader), writer);
        if host == WAKING.host().unwrap() {
            wake::serve(&self.waking, &text, stream).await;
        } else {
            service.serve_stream(stream).await;
        }
    }
}

async fn read_head(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    head
}

/// TLS for all hosts, and the authority that vouches for it.
fn tls() -> (TlsAcceptor, Authority) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    // OpenSSL takes a certificate for self-signed whose subject is called like its issuer.
    params.distinguished_name.push(DnType::CommonName, "Peers, throwaway authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = [GOOGLE, APPLE, HASHED, WAKING].map(|domain| domain.host().unwrap());
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, issuer.pem()).unwrap();
    let authority = Authority { _folder: folder, file, pem: issuer.pem() };
    (TlsAcceptor::from(Arc::new(config)), authority)
}
