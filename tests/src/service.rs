//! The real tunnel service behind TLS, over a simulated network or real sockets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hybridge_authenticator::DomainId;
use hybridge_relay::{Config, Service};
use hybridge_tunnel::{WebSocketDialer, connect_fn};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{CryptoRng, SeedableRng},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer, version::TLS13};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    task::JoinSet,
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

use crate::network::{Sent, pipe};

/// The tunnel service of all phones here.
pub const DOMAIN: DomainId = DomainId::new(266);

/// A tunnel service that speaks TLS 1.3, with a certificate of an authority of its own.
#[derive(Clone)]
pub struct TlsService {
    service: Service,
    acceptor: TlsAcceptor,
    authority: String,
}

impl TlsService {
    /// A service whose routing IDs follow from the seed.
    pub fn new(seed: u64) -> Self {
        Self::with_rng(ChaCha20Rng::seed_from_u64(seed))
    }

    /// A service that draws its routing IDs from this generator.
    pub fn with_rng(rng: impl CryptoRng + Send + 'static) -> Self {
        let service = Service::with_rng(Config::default(), rng);
        let (acceptor, authority) = certified();
        Self { service, acceptor, authority }
    }

    /// A dialer over a simulated network, in which bytes take `delay` from one end to the other. Opening a connection
    /// costs a round trip, as with TCP. What the dialer's side sends is noted.
    pub fn simulated(&self, delay: Duration, sent: &Sent) -> WebSocketDialer {
        let (service, sent) = (self.clone(), sent.clone());
        let connector = connect_fn(move |_host, _port| {
            let (service, sent) = (service.clone(), sent.clone());
            async move {
                sent.note();
                sleep(2 * delay).await;
                let (near, far) = pipe(delay, &sent);
                tokio::spawn(service.serve(far));
                Ok(near)
            }
        });
        self.trusting(WebSocketDialer::new().with_connector(connector))
    }

    /// Listens on a loopback socket as long as the returned set lives.
    pub async fn listen(&self) -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, service) = (listener.local_addr().unwrap(), self.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                connections.spawn(service.clone().serve(stream));
            }
        });
        (address, tasks)
    }

    /// A dialer to a real socket.
    pub fn dialer_to(&self, address: SocketAddr) -> WebSocketDialer {
        self.trusting(WebSocketDialer::new().with_address(address))
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        if let Ok(stream) = self.acceptor.accept(stream).await {
            self.service.serve_stream(stream).await;
        }
    }

    fn trusting(&self, dialer: WebSocketDialer) -> WebSocketDialer {
        dialer.with_extra_roots_pem(self.authority.as_bytes()).unwrap()
    }
}

/// TLS for the host of [`DOMAIN`], and the PEM text of the authority that vouches for it.
fn certified() -> (TlsAcceptor, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![DOMAIN.host().unwrap()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}
