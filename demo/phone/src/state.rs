//! What the phone keeps between runs: passkeys and the hash of a passphrase, in one file of one directory.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{fs::OFlags, process::geteuid};
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
    /// Another user could put files in it, or take them away.
    #[error("the state directory {} belongs to another user; choose one of your own", .0.display())]
    NotYours(PathBuf),
    /// Its permissions let others put files in it, or take them away.
    #[error("other users can write to the state directory {dir}; make it yours with: chmod -R go= {dir}", dir = .0.display())]
    OpenToWriters(PathBuf),
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
    /// it, for as long as `patience`, and reads the state in it: an empty one if it has none yet. A directory that
    /// another user has made or can write to is not used. Links in it are not followed.
    ///
    /// # Errors
    /// [`StateError`], but never [`StateError::Write`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves the directory unlocked.
    pub async fn open(path: &Path, patience: Duration) -> Result<(Self, State), StateError> {
        let unusable = |error| StateError::Directory(path.to_owned(), error);
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        safe(path, &fs::metadata(path).map_err(unusable)?, geteuid().as_raw())?;
        let lock = no_link(OpenOptions::new().write(true).create(true).truncate(false))
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
        let file = match no_link(OpenOptions::new().read(true)).open(&path) {
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
        self.write_and_settle(state, |directory| File::open(directory)?.sync_all())
    }

    /// After an error, the former state is there. `settle` makes what the directory says last.
    fn write_and_settle(
        &self,
        state: &State,
        settle: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<(), StateError> {
        let path = self.path.join(STATE_FILE);
        let replace = || {
            let new = self.path.join(NEW_FILE);
            // What a crash has left, or somebody has put there, lends the new file neither its mode nor its owner.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = no_link(OpenOptions::new().write(true).create_new(true)).open(&new)?;
            file.write_all(&state.encode())?;
            file.sync_all()?;
            fs::rename(&new, &path)
        };
        replace().map_err(|error| StateError::Write(path, error))?;
        // The new state is in place: some file systems cannot do this, and a power cut at worst brings the former back.
        if let Err(error) = settle(&self.path) {
            tracing::warn!(%error, "the state directory could not be flushed to the disk");
        }
        Ok(())
    }
}

/// Whether only this user can put files into the directory. What others may read is another matter.
fn safe(path: &Path, directory: &fs::Metadata, user: u32) -> Result<(), StateError> {
    if directory.uid() != user {
        return Err(StateError::NotYours(path.to_owned()));
    }
    match directory.mode() & 0o022 {
        0 => Ok(()),
        _ => Err(StateError::OpenToWriters(path.to_owned())),
    }
}

/// Opens or makes a file that only its owner may read, and no other in its place.
fn no_link(options: &mut OpenOptions) -> &mut OpenOptions {
    let flags = OFlags::NOFOLLOW.bits();
    options.mode(0o600).custom_flags(flags.cast_signed())
}

#[cfg(test)]
mod tests;
