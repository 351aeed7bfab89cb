//! What the phone keeps between runs: passkeys and the hash of a passphrase, in one file of one directory.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use thiserror::Error;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

mod format;
mod passkey;
mod store;

pub use self::{
    format::{FormatError, State},
    passkey::StoredPasskey,
    store::Passkeys,
};

const STATE_FILE: &str = "state.json";
/// Takes the state file's place once it is whole.
const NEW_FILE: &str = "state.json.new";
const LOCK_FILE: &str = "lock";

/// How long another phone with the same state is waited for.
pub const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// How often the lock is tried.
const LOCK_RETRY: Duration = Duration::from_millis(100);

/// Why the state cannot be used. What is on the disk was left as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// The directory could not be made or opened.
    #[error("the state directory {} cannot be used; check that it is a directory of yours", .0.display())]
    Directory(PathBuf, #[source] io::Error),
    /// Another process uses it, and still did after the wait.
    #[error("another hybridge-phone is using the state {}; end it, or choose another directory", .0.display())]
    Locked(PathBuf),
    /// The file could not be read.
    #[error("the state file {} could not be read; check its permissions", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The file is damaged or not a state file.
    #[error("the state file {} is damaged: {}; put a copy in its place, or choose another directory", .0.display(), .1)]
    Damaged(PathBuf, FormatError),
    /// The file comes from a newer version of this program.
    #[error("the state file {} was written by another version of this program ({}); use that one", .0.display(), .1)]
    OtherVersion(PathBuf, FormatError),
    /// The file could not be written. The former one is still there.
    #[error("the state file {} could not be written, so nothing new was kept; check the disk", .0.display())]
    Write(PathBuf, #[source] io::Error),
}

/// A state directory that no other process uses at the same time. Dropping it lets the next one in.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl StateDirectory {
    /// Opens the directory, which is made with access for its owner only if there is none, waits for whoever uses
    /// it, for as long as `patience`, and reads the state in it: an empty one if it has none yet.
    ///
    /// # Errors
    /// [`StateError`], but never [`StateError::Write`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves the directory unlocked.
    pub async fn open(path: &Path, patience: Duration) -> Result<(Self, State), StateError> {
        let unusable = |error| StateError::Directory(path.to_owned(), error);
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(path.join(LOCK_FILE))
            .map_err(unusable)?;
        let until = Instant::now() + patience;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => sleep(LOCK_RETRY).await,
                Err(TryLockError::WouldBlock) => return Err(StateError::Locked(path.to_owned())),
                Err(TryLockError::Error(error)) => return Err(unusable(error)),
            }
        }
        let directory = Self { path: path.to_owned(), _lock: lock };
        let state = directory.read()?;
        Ok((directory, state))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether others than the owner may look into the directory or the state file.
    pub fn is_open_to_others(&self) -> bool {
        [self.path.clone(), self.path.join(STATE_FILE)]
            .iter()
            .filter_map(|path| fs::metadata(path).ok())
            .any(|found| found.permissions().mode() & 0o077 != 0)
    }

    fn read(&self) -> Result<State, StateError> {
        let path = self.path.join(STATE_FILE);
        let unreadable = |error| StateError::Read(path.clone(), error);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            Err(error) => return Err(unreadable(error)),
        };
        // One byte more than the limit shows that the file is longer.
        let limit = u64::try_from(format::MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
        let length = file.metadata().map_err(unreadable)?.len().min(limit);
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default()));
        file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
        State::parse(&bytes).map_err(|error| match error {
            FormatError::Version(_) => StateError::OtherVersion(path.clone(), error),
            error => StateError::Damaged(path.clone(), error),
        })
    }

    /// Replaces the state on the disk at one stroke: after a crash there is either the former state or this one.
    pub(crate) fn write(&self, state: &State) -> Result<(), StateError> {
        let path = self.path.join(STATE_FILE);
        let replace = || {
            let new = self.path.join(NEW_FILE);
            let mut file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(&new)?;
            file.write_all(&state.encode())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(&self.path)?.sync_all()
        };
        replace().map_err(|error| StateError::Write(path.clone(), error))
    }
}

/// Opens or makes a file that only its owner may read.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

#[cfg(test)]
mod tests;
