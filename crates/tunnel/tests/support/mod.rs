//! Tunnel services to dial: the real one and scripted ones, over TLS and in-memory pipes.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use hybridge_proto::{
    ids::{ContactId, RoutingId, TunnelId},
    service::{ServicePath, ServiceRequest},
};
use hybridge_relay::{Config, Service};
use hybridge_tunnel::{Dialed, Dialer, WebSocketDialer, connect_fn};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

pub const HOST: &str = "cable.wufkweyy3uaxb.com";
pub const TUNNEL: TunnelId = TunnelId::from_bytes([0xA7; 16]);

pub type Io = TlsStream<DuplexStream>;

/// A certificate authority of this test.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// TLS for a server of these names.
    pub fn acceptor(&self, hosts: &[&str]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>());
        let certificate = params.unwrap().signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A dialer that trusts this authority, and whose every connection is served by `serve`.
    pub fn dialer<F>(&self, serve: impl Fn(Io) -> F + Clone + Send + Sync + 'static) -> WebSocketDialer
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let acceptor = self.acceptor(&[HOST, "other.example.com"]);
        let connector = connect_fn(move |_host, _port| {
            let (ours, theirs) = duplex(16 * 1024);
            let (acceptor, serve) = (acceptor.clone(), serve.clone());
            tokio::spawn(async move {
                if let Ok(io) = acceptor.accept(theirs).await {
                    serve(io).await;
                }
            });
            async { Ok(ours) }
        });
        let dialer = WebSocketDialer::new().with_connector(connector);
        dialer.with_extra_roots_pem(self.pem().as_bytes()).unwrap()
    }
}

/// A dialer to the real tunnel service.
pub fn service() -> WebSocketDialer {
    let service = Service::new(Config::default()).unwrap();
    Authority::new().dialer(move |io| {
        let service = service.clone();
        async move { service.serve_stream(io).await }
    })
}

/// The request heads that scripted services got.
pub type Heads = Arc<Mutex<Vec<String>>>;

/// A dialer to a service that answers its connections with these texts in turn, the last one again and again.
/// `ACCEPT` in a text stands for the right value, [`SIGNAL`] at its end for the connect signal. Afterwards the connection is held open or dropped.
pub fn scripted(answers: &[&str], hold: bool) -> (WebSocketDialer, Heads) {
    let answers: Vec<_> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    let heads = Heads::default();
    let seen = Arc::clone(&heads);
    let dialer = Authority::new().dialer(move |mut io| {
        let (answers, seen) = (answers.clone(), Arc::clone(&seen));
        async move {
            let head = read_head(&mut io).await;
            let number = {
                let mut seen = seen.lock().unwrap();
                seen.push(head.clone());
                seen.len() - 1
            };
            let answer = answers.get(number).or(answers.last()).unwrap();
            let (answer, signal) = match answer.strip_suffix(SIGNAL) {
                Some(answer) => (answer, &b"\x82\x01\0"[..]),
                None => (answer.as_str(), &b""[..]),
            };
            let answer = answer.replace("ACCEPT", &accept(&head)).into_bytes();
            io.write_all(&[answer.as_slice(), signal].concat()).await.unwrap();
            io.flush().await.unwrap();
            if hold {
                let _ = io.read_to_end(&mut Vec::new()).await;
            }
        }
    });
    (dialer, heads)
}

pub const SIGNAL: &str = "(connect signal)";
pub const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: fido.cable\r\nX-caBLE-Routing-ID: 010203\r\n\r\n";

/// [`UPGRADED`] with one replacement.
pub fn upgraded(from: &str, to: &str) -> String {
    assert!(UPGRADED.contains(from));
    UPGRADED.replacen(from, to, 1)
}

pub async fn read_head(io: &mut Io) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

pub fn accept(head: &str) -> String {
    let key = head.split("Sec-WebSocket-Key: ").nth(1).unwrap().split("\r\n").next().unwrap();
    derive_accept_key(key.as_bytes())
}

pub fn request(path: ServicePath) -> ServiceRequest {
    ServiceRequest { host: HOST.to_owned(), path, headers: Vec::new() }
}

pub fn new() -> ServiceRequest {
    request(ServicePath::New { tunnel: TUNNEL })
}

pub fn connect(routing: RoutingId) -> ServiceRequest {
    request(ServicePath::Connect { routing, tunnel: TUNNEL })
}

pub fn contact() -> ServiceRequest {
    request(ServicePath::Contact { contact: ContactId::new([0xC7; 64]).unwrap() })
}

/// A phone and a client in one tunnel of the real service.
pub async fn pair(dialer: &WebSocketDialer) -> (Dialed, Dialed) {
    let phone = dialer.dial(&new()).await.unwrap();
    let client = dialer.dial(&connect(phone.routing_id.unwrap())).await.unwrap();
    (phone, client)
}
