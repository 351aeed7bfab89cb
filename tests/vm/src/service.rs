//! A tunnel service on the loopback, with TLS and an authority of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use hybridge_proto::domain::DomainId;
use hybridge_radio_conformance::table::Failure;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The name it has for phones and laptops.
pub(crate) const DOMAIN: DomainId = DomainId::new(266);
pub(crate) const ADDRESS: &str = "127.0.0.1:8443";
/// The authority's certificate.
pub(crate) const AUTHORITY: &str = "/tmp/authority.pem";

/// A running service. Dropping it ends the service.
pub(crate) struct TunnelService {
    _process: Child,
}

impl TunnelService {
    pub(crate) async fn start() -> Result<Self, Failure> {
        let [certificate, key] = certify()?;
        let mut process = Command::new("hybridge-relay")
            .args(["--listen", ADDRESS, "--log-level", "warn"])
            .arg("--tls-certificate")
            .arg(certificate)
            .arg("--tls-key")
            .arg(key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let unheard = || Failure::unexpected("a tunnel service that listens", "none");
        let mut lines = BufReader::new(process.stdout.take().ok_or_else(unheard)?).lines();
        lines.next_line().await?.filter(|line| line.starts_with("listening on")).ok_or_else(unheard)?;
        Ok(Self { _process: process })
    }
}

/// Writes a fresh authority and a certificate of it. Gives the certificate's file and that of its key.
fn certify() -> Result<[PathBuf; 2], Failure> {
    let needed = || Failure::needed("a certificate");
    let mut params = CertificateParams::new(Vec::new()).map_err(needed())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A name unlike that of what it vouches for, without which OpenSSL takes the latter for self-signed.
    params.distinguished_name.push(DnType::CommonName, "Hybridge test authority");
    let issuer =
        CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(needed())?).map_err(needed())?;
    let key = KeyPair::generate().map_err(needed())?;
    let host = DOMAIN.host().map_err(Failure::needed("a host"))?;
    let params = CertificateParams::new(vec![host]).map_err(needed())?;
    let certificate = params.signed_by(&key, &issuer).map_err(needed())?;
    std::fs::write(AUTHORITY, issuer.pem())?;
    let files = ["/tmp/service.pem", "/tmp/service.key"].map(|name| Path::new(name).to_owned());
    let [chain, secret] = &files;
    std::fs::write(chain, certificate.pem())?;
    std::fs::write(secret, key.serialize_pem())?;
    Ok(files)
}
