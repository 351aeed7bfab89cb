//! TLS as a phone would speak it, with a reason for every refusal.

use std::{
    fs, io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, ProtocolVersion,
    SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use x509_parser::parse_x509_certificate;

use super::{
    UsageError,
    cause::{Cause, network as cause},
    report::{Finding, Found, Stepped},
};

/// How many days before its end a certificate is worth a note.
const SOON: i64 = 14;
const DAY: i64 = 24 * 60 * 60;

/// What to speak TLS with.
pub(crate) struct Tls {
    name: ServerName<'static>,
    roots: Arc<Verifier>,
    provider: Arc<CryptoProvider>,
}

impl Tls {
    /// Trusts what this machine trusts, and the certificates in the file `ca`.
    pub(crate) fn new(ca: Option<&Path>, host: &str) -> Result<Self, UsageError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| UsageError::Url)?;
        let extra = ca.map(read_ca).transpose()?.unwrap_or_default();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots =
            Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(UsageError::NoRoots)?;
        Ok(Self { name, roots: Arc::new(roots), provider })
    }

    /// The handshake on a connection.
    pub(crate) async fn secure(&self, stream: TcpStream) -> Stepped<TlsStream<TcpStream>> {
        let witness = Arc::new(Witness { roots: Arc::clone(&self.roots), chain: Mutex::new(Vec::new()) });
        let config = self.config(Arc::clone(&witness)).map_err(|error| failed(&error, &[]))?;
        match TlsConnector::from(Arc::new(config)).connect(self.name.clone(), stream).await {
            Ok(stream) => Ok(described(stream)),
            Err(error) => Err(explain(&error, &witness.chain())),
        }
    }

    fn config(&self, witness: Arc<Witness>) -> Result<ClientConfig, rustls::Error> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(witness)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

fn read_ca(path: &Path) -> Result<Vec<CertificateDer<'static>>, UsageError> {
    let pem = fs::read(path).map_err(UsageError::CaFile)?;
    let read = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    read.ok().filter(|roots| !roots.is_empty()).ok_or(UsageError::Ca)
}

/// Verifies as the machine does, and remembers what it was shown.
#[derive(Debug)]
struct Witness {
    roots: Arc<Verifier>,
    chain: Mutex<Vec<CertificateDer<'static>>>,
}

impl Witness {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = std::iter::once(leaf).chain(others);
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) =
            shown.map(|certificate| certificate.clone().into_owned()).collect();
        self.roots.verify_server_cert(leaf, others, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.roots.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.roots.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.roots.supported_verify_schemes()
    }
}

/// What a good handshake shows.
fn described(stream: TlsStream<TcpStream>) -> Found<TlsStream<TcpStream>> {
    let session = stream.get_ref().1;
    let version = match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS 1.3",
    };
    let leaf = session.peer_certificates().and_then(<[_]>::first);
    let days = leaf.and_then(days_left).unwrap_or_default();
    let doubt = (days < SOON).then_some(&cause::CERTIFICATE_EXPIRES_SOON);
    let text = format!("{version}, certificate good for {days} more days");
    Found { value: stream, text, doubt }
}

fn days_left(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = parse_x509_certificate(certificate).ok()?;
    let now = i64::try_from(UnixTime::now().as_secs()).ok()?;
    parsed.validity().not_after.timestamp().checked_sub(now)?.checked_div(DAY)
}

fn explain(error: &io::Error, chain: &[CertificateDer<'_>]) -> Finding {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(reason) => failed(reason, chain),
        None => Finding::new(&cause::TLS, format!("the connection ended in the handshake: {}", error.kind())),
    }
}

/// Why a handshake failed.
fn failed(reason: &rustls::Error, chain: &[CertificateDer<'_>]) -> Finding {
    use rustls::Error as E;
    match reason {
        E::InvalidCertificate(reason) => refused(reason, chain),
        E::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            Finding::new(&cause::PLAIN_ON_TLS_PORT, "what comes back is not TLS")
        }
        E::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            Finding::new(&cause::TLS, "the server does not speak http/1.1")
        }
        other => Finding::new(&cause::TLS, other.to_string()),
    }
}

/// Why a certificate is not taken.
fn refused(reason: &CertificateError, chain: &[CertificateDer<'_>]) -> Finding {
    use CertificateError as E;
    match reason {
        E::NotValidForName => Finding::new(&cause::CERTIFICATE_NAME, "it is for another name"),
        E::NotValidForNameContext { presented, .. } => {
            Finding::new(&cause::CERTIFICATE_NAME, format!("it is for {}", names(presented)))
        }
        E::Expired => Finding::new(&cause::CERTIFICATE_EXPIRED, "its time is over"),
        E::ExpiredContext { time, not_after } => {
            let days = time.as_secs().saturating_sub(not_after.as_secs()) / DAY.unsigned_abs();
            Finding::new(&cause::CERTIFICATE_EXPIRED, format!("its time is over since {days} days"))
        }
        E::NotValidYet | E::NotValidYetContext { .. } => {
            Finding::new(&cause::CERTIFICATE_NOT_YET, "its time has not come")
        }
        other => {
            let (cause, found) = issuer(chain).unwrap_or((&cause::CERTIFICATE, other.to_string()));
            Finding::new(cause, found)
        }
    }
}

/// What is the matter with the issuer of a chain that leads to no root.
fn issuer(chain: &[CertificateDer<'_>]) -> Option<(&'static Cause, String)> {
    let (_, leaf) = parse_x509_certificate(chain.first()?).ok()?;
    if leaf.issuer() == leaf.subject() {
        return Some((&cause::CERTIFICATE_SELF_SIGNED, "it is signed by itself".to_owned()));
    }
    let (_, last) = parse_x509_certificate(chain.last()?).ok()?;
    let issuer: String = last.issuer().to_string().chars().filter(|letter| !letter.is_control()).collect();
    let cause = if chain.len() == 1 { &cause::CERTIFICATE_CHAIN } else { &cause::CERTIFICATE_ISSUER };
    Some((cause, format!("the chain ends at {issuer:.100}")))
}

fn names(presented: &[String]) -> String {
    let shown: Vec<_> = presented.iter().take(5).map(|name| format!("{name:.80}")).collect();
    if shown.is_empty() { "no name at all".to_owned() } else { shown.join(", ") }
}
