//! The tunnel service on the loopback device, behind TLS with a certificate of its own.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use data_encoding::BASE64;
use hybridge_proto::domain::DomainId;
use hybridge_relay::{Config, Service};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PublicKeyData};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    failure::Failure,
    meddling::{self, Meddling},
};

/// A tunnel service. Dropping it hangs up on everybody.
pub(crate) struct Tunnel {
    pub(crate) domain: DomainId,
    pub(crate) host: String,
    pub(crate) address: SocketAddr,
    /// PEM text of the authority that vouches for it.
    pub(crate) authority: String,
    /// What Chromium knows its key by: base64 of the SHA-256 of its public key.
    pub(crate) key_hash: String,
    _tasks: JoinSet<()>,
}

impl Tunnel {
    /// Serves the host of a domain. `meddling` is done to what clients get to see of it, not to phones.
    pub(crate) async fn start(domain: DomainId, meddling: Option<Meddling>) -> Result<Self, Failure> {
        let host = domain.host()?;
        let (acceptor, authority, key_hash) = certified(&host)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let service = Service::new(Config::default()).map_err(io::Error::other)?;
        let visit = Visit { service, acceptor, meddling };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut visits = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                visits.spawn(visit.clone().serve(stream));
            }
        });
        Ok(Self { domain, host, address, authority, key_hash, _tasks: tasks })
    }
}

#[derive(Clone)]
struct Visit {
    service: Service,
    acceptor: TlsAcceptor,
    meddling: Option<Meddling>,
}

impl Visit {
    async fn serve(self, stream: TcpStream) {
        let Ok(stream) = self.acceptor.accept(stream).await else { return };
        match self.meddling {
            Some(meddling) => meddling::serve(&self.service, stream, meddling).await,
            None => self.service.serve_stream(stream).await,
        }
    }
}

fn certified(host: &str) -> Result<(TlsAcceptor, String, String), Failure> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A name unlike that of what it vouches for, without which OpenSSL takes the latter for self-signed.
    params.distinguished_name.push(DnType::CommonName, "Hybridge test authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![host.to_owned()])?.signed_by(&key, &authority)?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )?;
    let key_hash = BASE64.encode(&Sha256::digest(key.subject_public_key_info()));
    Ok((TlsAcceptor::from(Arc::new(config)), authority.pem(), key_hash))
}
