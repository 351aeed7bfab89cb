//! Which programs have the virtual security key open: those that may be the ones that ask.
//!
//! The kernel tells the device of no program, so the user's own processes are looked through. Programs of other users, and
//! those that hide what they have open, are not seen; several may have it open at once. It is a hint for a person, and
//! nothing is decided by it.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::uhid::{BUS_USB, NAME, PRODUCT, VENDOR};

#[cfg(test)]
mod tests;

/// How many programs are named at most.
pub const MAX_PROGRAMS: usize = 8;
/// Characters of a name at most; the rest is left out.
pub const MAX_NAME: usize = 100;
/// How long looking takes at most. On a desktop with hundreds of processes it takes some 10 ms.
const LIMIT: Duration = Duration::from_millis(150);
/// How many devices, processes, and open files of a process are looked at.
const MAX_ENTRIES: usize = 16_384;
/// Bytes of a file of the kernel that are read.
const MAX_FILE: u64 = 4096;

/// A program that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Program {
    /// The name of its file, or if that is not told the name it gives itself: any characters, up to [`MAX_NAME`].
    pub name: String,
    /// Its process.
    pub pid: u32,
}

/// The programs of this user that have the virtual security key open now, at most [`MAX_PROGRAMS`]. This program is left
/// out. Blocks for up to some 150 ms. What cannot be read is passed over.
pub fn openers() -> Vec<Program> {
    Places { devices: Path::new("/sys/class/hidraw"), processes: Path::new("/proc") }
        .openers(std::process::id(), Instant::now().checked_add(LIMIT))
}

/// The program of a process, or nothing if it is none that this user may see. Reads two small files of the kernel.
pub fn program(pid: u32) -> Option<Program> {
    Places { devices: Path::new("/sys/class/hidraw"), processes: Path::new("/proc") }.program(pid)
}

/// Where the kernel tells it.
#[derive(Clone, Copy)]
struct Places<'a> {
    devices: &'a Path,
    processes: &'a Path,
}

impl Places<'_> {
    fn openers(self, own: u32, until: Option<Instant>) -> Vec<Program> {
        let nodes = self.nodes();
        if nodes.is_empty() {
            return Vec::new();
        }
        let in_time = |_: &u32| until.is_none_or(|until| Instant::now() < until);
        let pids = entries(self.processes).filter_map(|name| name.parse().ok());
        pids.filter(|pid| *pid != own)
            .take_while(in_time)
            .filter(|pid| self.has_open(*pid, &nodes))
            .filter_map(|pid| self.program(pid))
            .take(MAX_PROGRAMS)
            .collect()
    }

    /// The files of the virtual security keys of this computer.
    fn nodes(self) -> Vec<PathBuf> {
        let is_ours = |name: &String| {
            let about = read(&self.devices.join(name).join("device/uevent"));
            about.is_some_and(|about| is_virtual_key(&about))
        };
        entries(self.devices).filter(is_ours).map(|name| Path::new("/dev").join(name)).collect()
    }

    fn has_open(self, pid: u32, nodes: &[PathBuf]) -> bool {
        let folder = self.processes.join(pid.to_string()).join("fd");
        entries(&folder)
            .filter_map(|descriptor| fs::read_link(folder.join(descriptor)).ok())
            .any(|target| nodes.contains(&target))
    }

    fn program(self, pid: u32) -> Option<Program> {
        let folder = self.processes.join(pid.to_string());
        let file = fs::read_link(folder.join("exe")).ok();
        let file = file.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let own_name = || read(&folder.join("comm")).map(|name| name.trim_end_matches('\n').to_owned());
        let name = file.or_else(own_name)?;
        // A program that was replaced by a newer one while it runs.
        let name = name.strip_suffix(" (deleted)").unwrap_or(&name);
        Some(Program { name: name.chars().take(MAX_NAME).collect(), pid })
    }
}

/// The names in a folder that are UTF-8, as those of the kernel are. None if it cannot be read.
fn entries(folder: &Path) -> impl Iterator<Item = String> {
    let names = fs::read_dir(folder).into_iter().flatten().take(MAX_ENTRIES);
    names.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
}

/// The beginning of a file, whatever bytes are in it.
fn read(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(MAX_FILE).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether this is what the kernel says of a virtual security key of this project. Others can make devices that say the
/// same, if they may use `/dev/uhid`.
fn is_virtual_key(uevent: &str) -> bool {
    let value = |key: &str| uevent.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let id = format!("{BUS_USB:04X}:{VENDOR:08X}:{PRODUCT:08X}");
    value("HID_ID") == Some(&id) && value("HID_NAME") == Some(NAME)
}
