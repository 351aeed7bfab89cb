//! The section `access`: who may open tunnels.

use std::{fs, path::PathBuf, time::Duration};

use hybridge_relay::access::{Access, FileError, HmacKeys, Tokens};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::units::Time;

/// Tokens and origins. Secrets stand in files of their own, and only their names stand here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccessSettings {
    pub(crate) tokens: Option<PathBuf>,
    pub(crate) keys: Option<PathBuf>,
    pub(crate) max_token_lifetime: Time,
    pub(crate) origins: Vec<String>,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            tokens: None,
            keys: None,
            max_token_lifetime: Time(Duration::from_secs(24 * 60 * 60)),
            origins: Vec::new(),
        }
    }
}

impl AccessSettings {
    /// Reads the file of tokens or keys.
    ///
    /// # Errors
    /// The name of the setting whose file cannot be used, and why not.
    pub(crate) fn read(&self) -> Result<Access, (&'static str, String)> {
        match (&self.tokens, &self.keys) {
            (None, None) => Ok(Access::Open),
            (Some(path), _) => {
                let tokens = read(path, Tokens::parse).map_err(|what| ("access.tokens", what))?;
                Ok(Access::Bearer(tokens))
            }
            (None, Some(path)) => {
                let keys = read(path, HmacKeys::parse).map_err(|what| ("access.keys", what))?;
                Ok(Access::Hmac(keys.with_max_lifetime(self.max_token_lifetime.0)))
            }
        }
    }

    /// The origins that are let in; none for all.
    pub(crate) fn origins(&self) -> Option<Vec<String>> {
        (!self.origins.is_empty()).then(|| self.origins.clone())
    }
}

/// Reads a file of secrets. The text is wiped afterwards, and no part of it is in an error.
pub(crate) fn read<T>(path: &PathBuf, parse: impl Fn(&str) -> Result<T, FileError>) -> Result<T, String> {
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        format!(
            "cannot read {} ({error}); check the path, and that the user of the service may read it",
            path.display()
        )
    })?;
    parse(&text).map_err(|error| format!("{}, {error}", path.display()))
}
