//! Small files of the kernel and of services.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

/// More than any of these files has, in bytes, the list of sockets apart.
const MAX: u64 = 4 * 1024 * 1024;

/// The folder that paths start from: `/`, or another one in tests.
#[derive(Debug, Clone)]
pub(super) struct Root(PathBuf);

impl Root {
    pub(super) fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// A path below it, with or without a slash at its start.
    pub(super) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    pub(super) fn has(&self, path: impl AsRef<Path>) -> bool {
        self.at(path).exists()
    }

    /// What a file has, cut off where it is far too long.
    pub(super) fn bytes(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.at(path)).ok()?.take(MAX).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The same as text, with a sign in the place of what is none.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        self.bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The names in a folder, in order. `None` if there is no such folder, or it may not be read.
    pub(super) fn names(&self, folder: impl AsRef<Path>) -> Option<Vec<String>> {
        let entries = fs::read_dir(self.at(folder)).ok()?;
        let name = |entry: std::io::Result<fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
        let mut names: Vec<_> = entries.filter_map(name).collect();
        names.sort();
        Some(names)
    }

    /// The first of these folders that has a file of this name, by the file's path.
    pub(super) fn first(&self, folders: &[&str], name: &str) -> Option<PathBuf> {
        folders.iter().map(|folder| self.at(folder).join(name)).find(|path| path.symlink_metadata().is_ok())
    }

    /// Whether this user may do so with a file.
    pub(super) fn allows(&self, path: impl AsRef<Path>, what: Access) -> bool {
        access(self.at(path), what).is_ok()
    }
}

/// The value of a line `NAME=value`, the last one if there are several.
pub(super) fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::trim)
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A folder with these files in it.
    pub(in crate::doctor::probe) fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        for (path, text) in files {
            let path = root.at(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        (folder, root)
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::tree, *};

    #[test]
    fn files_are_found_below_the_root() {
        let (_folder, root) = tree(&[("sys/b", "2"), ("sys/a", "1"), ("etc/rule", "")]);
        assert_eq!(root.text("/sys/a").as_deref(), Some("1"));
        assert_eq!(root.names("sys"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!((root.names("nothing"), root.text("nothing")), (None, None));
        assert_eq!(root.first(&["/run", "/etc"], "rule"), Some(root.at("etc/rule")));
        assert!(root.allows("sys/a", Access::READ_OK) && !root.allows("sys/c", Access::EXISTS));
    }

    #[test]
    fn values_are_found_by_their_whole_name() {
        let text = "UID=1000\nXUID=7\nSEAT=seat0 \nSEAT=seat1\nEMPTY=\n";
        assert_eq!(value(text, "UID"), Some("1000"));
        assert_eq!(value(text, "SEAT"), Some("seat1"));
        assert_eq!(value(text, "EMPTY"), Some(""));
        assert_eq!(value(text, "U"), None);
    }
}
