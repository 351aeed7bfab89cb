//! Looking whether a tunnel service can be reached, without opening a tunnel.

use rustls::CertificateError;

use crate::{error::DialError, response::Response};

/// What a tunnel service answered when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Look {
    /// The status of the answer, 100 to 599. A tunnel that is not there is 404.
    pub status: u16,
    /// The header `Date` as the service sent it, if it is text: its clock, or anything else it likes.
    pub date: Option<String>,
}

impl Look {
    pub(crate) fn new(response: &Response) -> Self {
        Self { status: response.status(), date: response.date().map(str::to_owned) }
    }
}

/// What is wrong with a tunnel service's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateFault {
    /// By this computer's clock it has expired.
    Expired,
    /// By this computer's clock it is not valid yet.
    NotYetValid,
    /// Nobody vouches for it whom this computer trusts.
    UnknownIssuer,
    /// It is another host's.
    OtherHost,
    /// Anything else.
    Other,
}

impl DialError {
    /// What is wrong with the certificate, if that is why there is no secure connection.
    pub fn certificate_fault(&self) -> Option<CertificateFault> {
        let Self::Tls(error) = self else { return None };
        let Some(rustls::Error::InvalidCertificate(fault)) = error.get_ref()?.downcast_ref() else {
            return None;
        };
        Some(match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                CertificateFault::NotYetValid
            }
            CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                CertificateFault::OtherHost
            }
            _ => CertificateFault::Other,
        })
    }
}
