//! Accounts on disk, in SQLite.

mod accounts;
mod error;
mod groups;
mod schema;

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub(crate) use self::accounts::{Account, MAX_PASSKEYS};
pub use self::error::StoreError;
pub(crate) use self::groups::assigned;
use crate::error::SiteError;

/// How long a write waits for one of another program.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database of accounts. Several programs may have the same file open.
#[derive(Clone)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
}

impl Store {
    /// Accounts that are forgotten with the program.
    ///
    /// # Errors
    /// [`StoreError`] without memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory().map_err(StoreError::from)?;
        Self::prepared(connection)
    }

    /// The accounts in a file, which is made if there is none, with its folder, for its owner's eyes only. A file of an
    /// older version of this program is brought up to date.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        claim(path).map_err(|error| StoreError::Unusable(path.to_owned(), error))?;
        let connection = Connection::open(path).map_err(|error| StoreError::of(path, error))?;
        let store = Self::prepared(connection).map_err(|error| error.at(path))?;
        hide(path).map_err(|error| StoreError::Unusable(path.to_owned(), error))?;
        Ok(store)
    }

    fn prepared(mut connection: Connection) -> Result<Self, StoreError> {
        connection.busy_timeout(PATIENCE)?;
        schema::prepare(&mut connection)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Does something in one transaction, and waits for it.
    ///
    /// # Errors
    /// That of the work, after which nothing is changed.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, SiteError>,
    ) -> Result<T, SiteError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// The same on a thread that may wait. When the caller goes away, the work is done nevertheless.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, SiteError> + Send + 'static,
    ) -> Result<T, SiteError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || store.write(work)).await;
        done.map_err(|_| SiteError::Broken)?
    }
}

/// Makes the file and its folder if they are missing. SQLite gives its other files the same permissions.
fn claim(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::metadata(path)?.is_file() {
                Ok(())
            } else {
                Err(io::Error::other("it is no file"))
            }
        }
        other => other.map(drop),
    }
}

/// Takes a file that is known to be this program's out of the sight of others, with those that SQLite keeps beside it.
fn hide(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::metadata(&name) {
            Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
                fs::set_permissions(&name, Permissions::from_mode(0o600))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where the accounts are unless somebody says otherwise: in the user's folder for the state of programs. `None` without
/// a home.
pub fn usual_path() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("hybridge-website").join("accounts.sqlite"))
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

#[cfg(test)]
mod tests;
