//! Certificates from an ACME authority (RFC 8555), proved over the service's own port (TLS-ALPN-01, RFC 8737).

mod cache;

use std::{
    fmt, fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
};

use futures_util::StreamExt;
use rustls::{
    ClientConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, DnsName, pem::PemObject},
    server::ResolvesServerCert,
};
use rustls_acme::{AcmeState, EventError, EventOk};
use rustls_platform_verifier::Verifier;
use tokio_util::task::AbortOnDropHandle;

use self::cache::Cache;
use super::{TlsError, Validity};

/// The application protocol of a challenge.
pub(super) const CHALLENGE_PROTOCOL: &[u8] = b"acme-tls/1";
/// The most characters of an authority's message that are logged.
const MAX_REASON: usize = 300;

/// How to get certificates from an ACME authority. Start from [`AcmeConfig::new`] and change fields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcmeConfig {
    /// The host names that the certificate is for.
    pub domains: Vec<String>,
    /// The directory of the authority, an `https` URL. Default: Let's Encrypt.
    pub directory: String,
    /// Addresses for mail about the account. Default: none.
    pub contact: Vec<String>,
    /// Where the account's key and the certificate with its key are kept. It is made for its owner only (mode 0700),
    /// and so is each file in it (mode 0600).
    pub cache: PathBuf,
    /// A PEM file with a root to trust beside the system's, for an authority of one's own. Default: none.
    pub root: Option<PathBuf>,
}

impl AcmeConfig {
    /// Let's Encrypt, without a contact.
    pub fn new(domains: impl IntoIterator<Item = impl Into<String>>, cache: impl Into<PathBuf>) -> Self {
        Self {
            domains: domains.into_iter().map(Into::into).collect(),
            directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            contact: Vec::new(),
            cache: cache.into(),
            root: None,
        }
    }

    fn check(&self) -> Result<(), TlsError> {
        let named = |name: &String| DnsName::try_from(name.as_str()).is_ok();
        if self.domains.is_empty() || !self.domains.iter().all(named) {
            return Err(TlsError::Acme("a certificate needs host names, such as cable.example.com"));
        }
        if !self.directory.starts_with("https://") {
            return Err(TlsError::Acme("the directory of the authority has to be an https:// URL"));
        }
        Ok(())
    }

    /// The contacts as URLs.
    fn contacts(&self) -> impl Iterator<Item = String> {
        self.contact.iter().map(|contact| match contact.split_once(':') {
            Some(_) => contact.clone(),
            None => format!("mailto:{contact}"),
        })
    }

    fn roots(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let Some(path) = &self.root else { return Ok(Vec::new()) };
        let pem = fs::read(path).map_err(|source| TlsError::Unreadable { path: path.clone(), source })?;
        let roots = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        roots.ok().filter(|roots| !roots.is_empty()).ok_or_else(|| TlsError::NoCertificate(path.clone()))
    }

    /// TLS to the authority.
    fn client(&self, provider: &Arc<CryptoProvider>) -> Result<ClientConfig, TlsError> {
        let verifier = Verifier::new_with_extra_roots(self.roots()?, Arc::clone(provider));
        let builder = ClientConfig::builder_with_provider(Arc::clone(provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(TlsError::Setup)?;
        let verifier = Arc::new(verifier.map_err(TlsError::Setup)?);
        Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
    }
}

/// The validity of the certificate in use, once there is one.
type SharedValidity = Arc<RwLock<Option<Validity>>>;

/// Getting and renewing certificates.
pub(super) struct Acme {
    resolver: Arc<dyn ResolvesServerCert>,
    validity: SharedValidity,
    /// What drives it, until it is started.
    state: Mutex<Option<AcmeState<io::Error>>>,
    running: OnceLock<AbortOnDropHandle<()>>,
}

impl Acme {
    pub(super) fn new(config: &AcmeConfig, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        config.check()?;
        let validity = SharedValidity::default();
        let cache = Cache::new(&config.cache, Arc::clone(&validity))
            .map_err(|source| TlsError::AcmeCache { path: config.cache.clone(), source })?;
        let client = Arc::new(config.client(provider)?);
        let state = rustls_acme::AcmeConfig::new_with_client_config(&config.domains, client)
            .directory(&config.directory)
            .contact(config.contacts())
            .cache(cache)
            .state();
        let (resolver, state) = (state.resolver(), Mutex::new(Some(state)));
        Ok(Self { resolver, validity, state, running: OnceLock::new() })
    }

    /// Shows challenges to the authority and the certificate to all others.
    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::clone(&self.resolver)
    }

    pub(super) fn validity(&self) -> Option<Validity> {
        *self.validity.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn start(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(state) = state {
            self.running.get_or_init(|| AbortOnDropHandle::new(tokio::spawn(renew(state))));
        }
    }
}

/// Gets a certificate, and later the next, for ever. What fails is tried again, after longer and longer waits.
async fn renew(mut state: AcmeState<io::Error>) {
    while let Some(event) = state.next().await {
        match event {
            Ok(EventOk::DeployedCachedCert) => tracing::info!("TLS certificate taken from the cache"),
            Ok(EventOk::DeployedNewCert) => tracing::info!("new TLS certificate in use"),
            Ok(_) => {}
            Err(EventError::Order(error)) => {
                let reason = printable(&error.to_string());
                tracing::warn!(reason, "the ACME authority gave no certificate; it is asked again");
            }
            Err(error) => {
                let reason = printable(&error.to_string());
                tracing::warn!(
                    reason,
                    "the ACME cache cannot be used; check that the service may write to it"
                );
            }
        }
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(MAX_REASON).collect()
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acme").field("validity", &self.validity()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(change: impl FnOnce(&mut AcmeConfig)) -> String {
        let directory = tempfile::TempDir::new().unwrap();
        let mut config = AcmeConfig::new(["cable.example.com"], directory.path());
        change(&mut config);
        crate::TlsConfig::from_acme(&config).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn wrong_settings_are_named() {
        assert!(error(|config| config.domains.clear()).contains("host names"));
        assert!(error(|config| config.domains.push("not a name".into())).contains("host names"));
        assert!(error(|config| config.directory = "http://ca".into()).contains("https://"));
        assert!(error(|config| config.cache = "/dev/null/x".into()).contains("/dev/null/x"));
        assert!(error(|config| config.root = Some("/nonexistent".into())).contains("/nonexistent"));
    }

    #[test]
    fn a_contact_is_a_mail_address_or_a_url() {
        let mut config = AcmeConfig::new(["a.example"], "/nonexistent");
        config.contact = vec!["me@a.example".into(), "mailto:you@a.example".into()];
        let contacts: Vec<_> = config.contacts().collect();
        assert_eq!(contacts, ["mailto:me@a.example", "mailto:you@a.example"]);
    }
}
