//! Why TLS cannot be set up.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a certificate cannot be used. The text names the file and what to try.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is missing or may not be read.
    #[error("cannot read {}: {source}; check the path, and that the user of the service may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The certificate file has no certificate in PEM form, or a broken one.
    #[error("{} has no readable certificate; it has to be PEM text with -----BEGIN CERTIFICATE-----", .0.display())]
    NoCertificate(PathBuf),
    /// The key file has no private key in PEM form, or a broken one.
    #[error(
        "{} has no readable private key; it has to be PEM text with -----BEGIN PRIVATE KEY-----, without a password",
        .0.display()
    )]
    NoKey(PathBuf),
    /// The private key is of a kind that TLS does not use.
    #[error("{}: the private key cannot be used for TLS ({reason}); use ECDSA P-256 or RSA of 2048 bits", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        reason: rustls::Error,
    },
    /// The private key belongs to another certificate.
    #[error(
        "{} is not the key of the first certificate in {}; take the key that the certificate was asked for with, and \
         put the service's own certificate before those of its issuers",
        key.display(), certificate.display()
    )]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// The first certificate cannot be parsed.
    #[error("{}: the first certificate is not a readable X.509 certificate; fetch it again", .0.display())]
    Certificate(PathBuf),
    /// The settings for an ACME authority are wrong.
    #[cfg(feature = "acme")]
    #[error("no certificate can be asked for: {0}")]
    Acme(&'static str),
    /// The folder for what an ACME authority gives cannot be made.
    #[cfg(feature = "acme")]
    #[error("cannot make the folder {}: {source}; the user of the service has to be able to write to it", path.display())]
    AcmeCache {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// TLS itself is not available.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[source] rustls::Error),
}
