//! A certificate chain and its key, from PEM files.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustls::{
    InconsistentKeys,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use x509_parser::parse_x509_certificate;

use super::TlsError;

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub from: SystemTime,
    /// The last moment.
    pub until: SystemTime,
}

impl Validity {
    /// Reads it from a certificate; none where that is not X.509.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = parse_x509_certificate(certificate).ok()?;
        let validity = parsed.validity();
        Some(Self { from: moment(validity.not_before), until: moment(validity.not_after) })
    }

    /// Whether `now` is outside.
    pub fn excludes(&self, now: SystemTime) -> bool {
        now < self.from || now > self.until
    }
}

fn moment(time: x509_parser::time::ASN1Time) -> SystemTime {
    // No certificate was valid before 1970.
    let seconds = u64::try_from(time.timestamp()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Where a certificate chain and its key are.
#[derive(Debug, Clone)]
pub(super) struct PemFiles {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl PemFiles {
    /// Reads both files, and checks that they belong together.
    pub(super) fn load(&self, provider: &CryptoProvider) -> Result<(CertifiedKey, Validity), TlsError> {
        let chain = self.chain()?;
        let key = self.key()?;
        let key = provider
            .key_provider
            .load_private_key(key)
            .map_err(|reason| TlsError::Key { path: self.key.clone(), reason })?;
        let unreadable = || TlsError::Certificate(self.certificate.clone());
        let validity = chain.first().and_then(Validity::of).ok_or_else(unreadable)?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
                Ok((certified, validity))
            }
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err(TlsError::Mismatch { certificate: self.certificate.clone(), key: self.key.clone() })
            }
            Err(_) => Err(unreadable()),
        }
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let pem = read(&self.certificate)?;
        match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
            Ok(chain) if !chain.is_empty() => Ok(chain),
            _ => Err(TlsError::NoCertificate(self.certificate.clone())),
        }
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let pem = zeroize::Zeroizing::new(read(&self.key)?);
        PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::NoKey(self.key.clone()))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source: io::Error| TlsError::Unreadable { path: path.to_owned(), source })
}
