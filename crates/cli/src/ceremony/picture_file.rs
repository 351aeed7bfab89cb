//! The code as a picture in a file: there while it is to be shown, and gone afterwards.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A file that exists as long as a code is shown. Dropping it removes the file.
pub(crate) struct PictureFile {
    path: PathBuf,
    written: bool,
}

impl PictureFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, written: false }
    }

    /// Puts a picture there, readable by the user alone, in place of what is there. Nobody sees half of it.
    pub(crate) fn show(&mut self, png: &[u8]) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| *folder != Path::new(""));
        // Made with mode 0600.
        let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(png)?;
        file.persist(&self.path).map_err(|error| error.error)?;
        self.written = true;
        Ok(())
    }

    /// Removes the picture, if there is one of ours.
    pub(crate) fn hide(&mut self) {
        if std::mem::take(&mut self.written) {
            // It may have been removed by whoever showed it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for PictureFile {
    fn drop(&mut self) {
        self.hide();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_picture_is_there_while_it_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.png");
        let mut file = PictureFile::new(path.clone());
        file.hide();
        for picture in [&b"first"[..], b"second, longer", b"3"] {
            file.show(picture).unwrap();
            assert_eq!(fs::read(&path).unwrap(), picture);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        }
        file.hide();
        assert!(!path.exists());
        file.show(b"again").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_somebody_else_put_there_is_replaced_and_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("code.png"), folder.path().join("precious"));
        fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        let mut file = PictureFile::new(path.clone());
        file.show(b"picture").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert!(path.symlink_metadata().unwrap().is_file());
        drop(file);
        assert!(target.exists() && !path.exists());
    }

    #[test]
    fn a_file_that_was_not_written_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.png");
        fs::write(&path, "precious").unwrap();
        drop(PictureFile::new(path.clone()));
        assert!(path.exists());
        assert!(PictureFile::new(folder.path().join("missing/code.png")).show(b"picture").is_err());
        fs::create_dir(folder.path().join("folder")).unwrap();
        assert!(PictureFile::new(folder.path().join("folder")).show(b"picture").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
    }
}
