//! Where the programs are that the service starts.

use std::{
    env,
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The program that is the key.
const KEY: &str = "hybridge";
/// What the kernel puts behind the name of a file that was replaced by a newer one.
const REPLACED: &[u8] = b" (deleted)";

/// The program that is the key: the one beside this one, which is of the same version, or else the one in `PATH`.
pub(crate) fn key() -> PathBuf {
    let beside = own().map(|own| own.with_file_name(KEY)).filter(|file| file.is_file());
    beside.unwrap_or_else(|| PathBuf::from(KEY))
}

/// The program with the window: this one.
pub(crate) fn window() -> PathBuf {
    own().unwrap_or_else(|| PathBuf::from("hybridge-desktop"))
}

/// The file of this program, or that which has taken its place.
fn own() -> Option<PathBuf> {
    env::current_exe().ok().map(|file| without_mark(&file))
}

fn without_mark(file: &Path) -> PathBuf {
    let bytes = file.as_os_str().as_bytes();
    PathBuf::from(OsStr::from_bytes(bytes.strip_suffix(REPLACED).unwrap_or(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_replaced_is_found() {
        for file in ["/usr/bin/hybridge-desktop (deleted)", "/usr/bin/hybridge-desktop"] {
            assert_eq!(without_mark(Path::new(file)), Path::new("/usr/bin/hybridge-desktop"));
        }
        assert!(window().is_file(), "the test's own file");
    }
}
