//! What is wrong with the settings: where it stands, which key, what it is, and what to try.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Variable(String),
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag --{name}"),
        }
    }
}

/// One thing that is wrong with the settings.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum SettingsError {
    #[error("{}: the configuration file cannot be read ({source}); check the path and who may read it", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}, line {line}: this is not TOML ({what}); write lines such as max_tunnels = 2048", path.display())]
    Syntax { path: PathBuf, line: usize, what: String },
    #[error("{origin}: there is no setting {key}{}", suggestion(near))]
    Unknown { origin: Origin, key: String, near: Option<&'static str> },
    #[error("{origin}: {key}: {what}; write {hint}")]
    Value { origin: Origin, key: &'static str, what: String, hint: &'static str },
    #[error("the settings do not fit together: {what}; set fewer of them")]
    Together { what: String },
    #[error("{origin}: {key}: {what}")]
    Rule { origin: Origin, key: &'static str, what: String },
}

impl SettingsError {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}

fn suggestion(near: &Option<&'static str>) -> String {
    match near {
        Some(name) => format!("; did you mean {name}?"),
        None => "; hybridge-relay --print-config lists all".to_owned(),
    }
}
