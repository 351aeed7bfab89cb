//! A minimal ACME authority (RFC 8555): one account, one order after the other, TLS-ALPN-01 (RFC 8737) for real.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use data_encoding::BASE64URL_NOPAD;
use rcgen::CertificateSigningRequestParams;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;

use super::{
    authority::{Authority, HOST},
    proxy::{acceptor, read_head},
};

const TOKEN: &str = "a-token-of-the-authority";
/// The identifier of the challenge's extension (RFC 8737 section 6.1).
const EXTENSION: &str = "1.3.6.1.5.5.7.1.31";

pub struct AcmeServer {
    pub authority: Authority,
    address: SocketAddr,
    /// Where the service under test is, which stands in for port 443 of its name.
    pub service: OnceLock<SocketAddr>,
    /// How many orders there were.
    pub orders: AtomicUsize,
    proved: AtomicBool,
    /// The thumbprint of the account's key, and the certificate that was issued last.
    thumbprint: Mutex<String>,
    certificate: Mutex<String>,
}

impl AcmeServer {
    pub async fn start() -> Arc<Self> {
        let authority = Authority::new();
        let issued = authority.issue_with("acme", "localhost", |_| {});
        let acceptor = acceptor(&issued);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Arc::new(Self {
            authority,
            address: listener.local_addr().unwrap(),
            service: OnceLock::new(),
            orders: AtomicUsize::new(0),
            proved: AtomicBool::new(false),
            thumbprint: Mutex::default(),
            certificate: Mutex::default(),
        });
        let answering = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (server, acceptor) = (Arc::clone(&answering), acceptor.clone());
                tokio::spawn(async move { server.answer(acceptor.accept(stream).await.unwrap()).await });
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}/{path}", self.address.port())
    }

    /// One request for each connection.
    async fn answer(&self, mut io: impl AsyncRead + AsyncWrite + Unpin) {
        let head = read_head(&mut io).await.unwrap();
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        io.read_exact(&mut body).await.unwrap();
        let path = head.split(' ').nth(1).unwrap().trim_start_matches('/');
        let (header, text) = self.resource(path, &body).await;
        let length = text.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nReplay-Nonce: bm9uY2U\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n{text}"
        );
        io.write_all(answer.as_bytes()).await.unwrap();
        let _ = io.shutdown().await;
    }

    async fn resource(&self, path: &str, body: &[u8]) -> (String, String) {
        let location = |path| format!("Location: {}\r\n", self.url(path));
        match path {
            "directory" => {
                let [nonce, account, order] = ["nonce", "account", "new-order"].map(|path| self.url(path));
                let directory = json!({ "newNonce": nonce, "newAccount": account, "newOrder": order });
                (String::new(), directory.to_string())
            }
            "nonce" => (String::new(), String::new()),
            "account" => {
                *self.thumbprint.lock().unwrap() = thumbprint(&part(body, "protected")["jwk"]);
                (location("account/1"), json!({ "status": "valid" }).to_string())
            }
            "new-order" => {
                self.orders.fetch_add(1, Ordering::SeqCst);
                assert_eq!(part(body, "payload")["identifiers"], json!([{ "type": "dns", "value": HOST }]));
                (location("order"), self.order())
            }
            "order" => (String::new(), self.order()),
            "authorization" => (String::new(), self.authorization()),
            "challenge" => {
                self.validate().await;
                (String::new(), json!({ "status": "processing" }).to_string())
            }
            "finalize" => {
                self.issue(&part(body, "payload"));
                (String::new(), self.order())
            }
            "certificate" => (String::new(), self.certificate.lock().unwrap().clone()),
            other => panic!("{other}"),
        }
    }

    fn order(&self) -> String {
        let issued = !self.certificate.lock().unwrap().is_empty();
        let status = match self.proved.load(Ordering::SeqCst) {
            false => "pending",
            true if issued => "valid",
            true => "ready",
        };
        let [authorization, finalize, certificate] =
            ["authorization", "finalize", "certificate"].map(|path| self.url(path));
        json!({
            "status": status, "authorizations": [authorization], "finalize": finalize, "certificate": certificate,
        })
        .to_string()
    }

    fn authorization(&self) -> String {
        let status = if self.proved.load(Ordering::SeqCst) { "valid" } else { "pending" };
        json!({
            "status": status,
            "identifier": { "type": "dns", "value": HOST },
            "challenges": [{ "type": "tls-alpn-01", "url": self.url("challenge"), "token": TOKEN }],
        })
        .to_string()
    }

    /// Connects to the service as RFC 8737 section 3 says, and checks the certificate of the challenge.
    async fn validate(&self) {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anything))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
        let stream = TcpStream::connect(self.service.get().unwrap()).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let session = stream.get_ref().1;
        assert_eq!(session.alpn_protocol(), Some(&b"acme-tls/1"[..]));
        let (_, shown) =
            x509_parser::parse_x509_certificate(&session.peer_certificates().unwrap()[0]).unwrap();
        let extension = shown.extensions().iter().find(|one| one.oid.to_id_string() == EXTENSION).unwrap();
        let authorization = format!("{TOKEN}.{}", self.thumbprint.lock().unwrap());
        let digest = Sha256::digest(authorization.as_bytes());
        assert_eq!(extension.value, [&[4, 32][..], &digest].concat());
        assert!(extension.critical);
        self.proved.store(true, Ordering::SeqCst);
    }

    fn issue(&self, payload: &Value) {
        let request = BASE64URL_NOPAD.decode(payload["csr"].as_str().unwrap().as_bytes()).unwrap();
        let request = CertificateSigningRequestParams::from_der(&request.into()).unwrap();
        *self.certificate.lock().unwrap() = self.authority.sign(&request);
    }
}

/// A part of a signed request.
fn part(body: &[u8], name: &str) -> Value {
    let body: Value = serde_json::from_slice(body).unwrap();
    let decoded = BASE64URL_NOPAD.decode(body[name].as_str().unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&decoded).unwrap()
}

/// RFC 7638.
fn thumbprint(jwk: &Value) -> String {
    let text = format!(r#"{{"crv":{},"kty":{},"x":{},"y":{}}}"#, jwk["crv"], jwk["kty"], jwk["x"], jwk["y"]);
    BASE64URL_NOPAD.encode(&Sha256::digest(text.as_bytes()))
}

/// Takes the certificate of a challenge, which is signed by itself.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
