//! Why there is no database.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why the accounts cannot be read or kept. `Display` says what to try.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be made or opened.
    #[error("{0} cannot be opened; name another with --database, or see to its permissions")]
    Unusable(PathBuf, #[source] io::Error),
    /// It is no database, or a damaged one.
    #[error(
        "{} is no database or is damaged; move it and the files beside it (-wal, -shm) away to start anew, or \
         put a backup in its place", shown(.0)
    )]
    Damaged(PathBuf),
    /// It is a database of another program.
    #[error("{} is a database of another program; name another file with --database", shown(.0))]
    Foreign(PathBuf),
    /// A newer version of this program has written it.
    #[error(
        "{} is of version {found}, and this program knows versions up to {known}; use the newer program, or \
         another file with --database", shown(.path)
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this program writes.
        known: i64,
    },
    /// Another program has been writing for too long.
    #[error("another program is busy with the database; try again when it is done")]
    Busy(#[source] rusqlite::Error),
    /// There is no room on the disk.
    #[error("the disk is full; make room and try again")]
    Full(#[source] rusqlite::Error),
    /// The database is read-only.
    #[error("the database cannot be written; see to the permissions of its file and folder")]
    ReadOnly(#[source] rusqlite::Error),
    /// Anything else that SQLite says.
    #[error("the database fails: {0}")]
    Other(#[source] rusqlite::Error),
}

fn shown(path: &Path) -> std::borrow::Cow<'_, str> {
    if path.as_os_str().is_empty() { "the database".into() } else { path.to_string_lossy() }
}

impl StoreError {
    /// What SQLite says of the file at a path.
    pub(super) fn of(path: &Path, error: rusqlite::Error) -> Self {
        Self::from(error).at(path)
    }

    /// The same, with the path where it belongs.
    pub(super) fn at(self, path: &Path) -> Self {
        let path = path.to_owned();
        match self {
            Self::Damaged(_) => Self::Damaged(path),
            Self::Foreign(_) => Self::Foreign(path),
            Self::Newer { found, known, .. } => Self::Newer { path, found, known },
            other => other,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged(PathBuf::new()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(error),
            Some(ErrorCode::DiskFull) => Self::Full(error),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ReadOnly(error)
            }
            _ => Self::Other(error),
        }
    }
}
