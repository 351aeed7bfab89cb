//! One service for each user.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::OFlags;

use super::error::Error;

/// The file in the user's folder for what runs.
const FILE: &str = "hybridge-desktop.lock";

/// Held as long as the service runs. The kernel lets go of it however the program ends, so the file may stay.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "it is held")] File);

impl Lock {
    /// Takes it, unless another program has it.
    pub(crate) fn take(folder: Option<&Path>) -> Result<Self, Error> {
        let folder = folder.filter(|folder| folder.is_absolute()).ok_or(Error::NoRuntimeFolder)?;
        let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600).custom_flags(no_follow);
        let file = options.open(folder.join(FILE)).map_err(Error::Lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::RunsAlready),
            Err(TryLockError::Error(error)) => Err(Error::Lock(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(Some(folder.path())).unwrap();
        assert!(matches!(Lock::take(Some(folder.path())), Err(Error::RunsAlready)));
        drop(first);
        Lock::take(Some(folder.path())).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_told() {
        assert!(matches!(Lock::take(None), Err(Error::NoRuntimeFolder)));
        assert!(matches!(Lock::take(Some(Path::new("relative"))), Err(Error::NoRuntimeFolder)));
        assert!(matches!(Lock::take(Some(Path::new("/nonexistent"))), Err(Error::Lock(_))));
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/nonexistent", folder.path().join(FILE)).unwrap();
        assert!(matches!(Lock::take(Some(folder.path())), Err(Error::Lock(_))), "no link is followed");
    }
}
