//! The section `acme`: certificates that the service gets for itself.

use std::path::PathBuf;

use hybridge_relay::AcmeConfig;
use serde::{Deserialize, Serialize};

/// An ACME authority, and what to ask it for. Nothing is asked for without names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AcmeSettings {
    pub(crate) names: Vec<String>,
    pub(crate) contact: Vec<String>,
    pub(crate) directory: String,
    pub(crate) cache: PathBuf,
    pub(crate) root: Option<PathBuf>,
}

impl Default for AcmeSettings {
    fn default() -> Self {
        let AcmeConfig { directory, cache, .. } = AcmeConfig::new([""; 0], "/var/lib/hybridge-relay/acme");
        Self { names: Vec::new(), contact: Vec::new(), directory, cache, root: None }
    }
}

impl AcmeSettings {
    /// What the library is told; none where no certificate is asked for.
    pub(crate) fn config(&self) -> Option<AcmeConfig> {
        let mut config = AcmeConfig::new(&self.names, &self.cache);
        config.directory.clone_from(&self.directory);
        config.contact.clone_from(&self.contact);
        config.root.clone_from(&self.root);
        (!self.names.is_empty()).then_some(config)
    }
}
