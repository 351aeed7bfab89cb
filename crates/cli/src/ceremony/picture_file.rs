//! The code as a picture in a file: there while it is to be shown, and gone afterwards.

use std::{
    fs::{self, File, Metadata},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A file that exists as long as a code is shown. Dropping it removes the file.
pub(crate) struct PictureFile {
    path: PathBuf,
    /// The picture that is there. As long as it is open, no other file can get its inode number.
    written: Option<File>,
}

/// Fails with [`io::ErrorKind::AlreadyExists`] if there is anything of this name.
pub(crate) fn check_free(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

impl PictureFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, written: None }
    }

    /// Puts a picture there, readable by the user alone, in place of an earlier one of ours. Nobody sees half of it.
    /// Fails with [`io::ErrorKind::AlreadyExists`] if something else is there.
    pub(crate) fn show(&mut self, png: &[u8]) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| *folder != Path::new(""));
        // Made with mode 0600.
        let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(png)?;
        let put = match self.is_ours() {
            true => file.persist(&self.path),
            false => file.persist_noclobber(&self.path),
        };
        self.written = Some(put.map_err(|error| error.error)?);
        Ok(())
    }

    /// Removes the picture, if the one that is there is ours.
    pub(crate) fn hide(&mut self) {
        if self.is_ours() {
            // Whoever showed it may remove it at the same time.
            let _ = fs::remove_file(&self.path);
        }
        self.written = None;
    }

    fn is_ours(&self) -> bool {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let ours = self.written.as_ref().and_then(|file| file.metadata().ok()).map(identity);
        ours.is_some() && ours == self.path.symlink_metadata().ok().map(identity)
    }
}

impl Drop for PictureFile {
    fn drop(&mut self) {
        self.hide();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

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
    fn what_somebody_else_put_there_is_neither_replaced_nor_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("precious");
        fs::write(&target, "precious").unwrap();
        let [link, dangling, directory] =
            ["link", "dangling", "directory"].map(|name| folder.path().join(name));
        symlink(&target, &link).unwrap();
        symlink("nowhere", &dangling).unwrap();
        fs::create_dir(&directory).unwrap();
        for path in [&target, &link, &dangling, &directory, Path::new("/dev/null")] {
            let error = check_free(path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{path:?}");
        }
        for path in [&target, &link, &dangling, &directory] {
            let mut file = PictureFile::new(path.clone());
            let error = file.show(b"picture").unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{path:?}");
            drop(file);
            assert!(path.symlink_metadata().is_ok(), "{path:?} stays");
        }
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "nothing is left behind");
    }

    #[test]
    fn what_somebody_else_put_in_its_place_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.png");
        for replace in [
            |path: &Path| fs::remove_file(path).and_then(|()| fs::write(path, "precious")),
            |path: &Path| {
                fs::write(path.with_extension("new"), "precious")?;
                fs::rename(path.with_extension("new"), path)
            },
        ] {
            let mut file = PictureFile::new(path.clone());
            file.show(b"picture").unwrap();
            replace(&path).unwrap();
            assert_eq!(file.show(b"picture").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            file.hide();
            assert_eq!(fs::read(&path).unwrap(), b"precious");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_picture_that_somebody_removed_comes_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.png");
        let mut file = PictureFile::new(path.clone());
        file.show(b"first").unwrap();
        fs::remove_file(&path).unwrap();
        file.show(b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
    }

    #[test]
    fn a_folder_that_does_not_exist_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/code.png");
        assert!(check_free(&path).is_ok());
        assert_eq!(PictureFile::new(path).show(b"picture").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
