//! Made-up devices and processes in a folder.

use std::{
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, fs::symlink},
};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const OURS: &str = "DRIVER=hid-generic\nHID_ID=0003:00001209:0000000F\nHID_NAME=Hybridge virtual security key\n\
                    HID_PHYS=hybridge\nHID_UNIQ=\nMODALIAS=hid:b0003g0001v00001209p0000000F\n";

/// A computer.
struct World(TempDir);

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sys")).unwrap();
        fs::create_dir(folder.path().join("proc")).unwrap();
        fs::write(folder.path().join("proc/uptime"), "1").unwrap();
        Self(folder)
    }

    fn device(&self, name: &str, uevent: &str) {
        let folder = self.0.path().join("sys").join(name).join("device");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("uevent"), uevent).unwrap();
    }

    fn process(&self, pid: u32, file: Option<&str>, own_name: &str, open: &[&str]) {
        let folder = self.0.path().join("proc").join(pid.to_string());
        fs::create_dir_all(folder.join("fd")).unwrap();
        fs::write(folder.join("comm"), own_name).unwrap();
        if let Some(file) = file {
            symlink(file, folder.join("exe")).unwrap();
        }
        for (number, target) in open.iter().enumerate() {
            symlink(target, folder.join("fd").join(number.to_string())).unwrap();
        }
    }

    fn places(&self, test: impl FnOnce(Places<'_>)) {
        let (devices, processes) = (self.0.path().join("sys"), self.0.path().join("proc"));
        test(Places { devices: &devices, processes: &processes });
    }

    fn openers(&self) -> Vec<(String, u32)> {
        let mut found = Vec::new();
        self.places(|places| found = places.openers(1, None));
        let mut found: Vec<_> = found.into_iter().map(|Program { name, pid }| (name, pid)).collect();
        found.sort_by_key(|(_, pid)| *pid);
        found
    }
}

#[test]
fn who_has_the_key_open_is_found() {
    let world = World::new();
    world.device("hidraw0", "HID_ID=0003:00001050:00000407\nHID_NAME=Yubico YubiKey\n");
    world.device("hidraw3", OURS);
    world.process(1, Some("/usr/bin/hybridge"), "hybridge\n", &["/dev/hidraw3"]);
    world.process(20, Some("/usr/lib/firefox/firefox"), "Isolated Web Co\n", &["/dev/null", "/dev/hidraw3"]);
    world.process(30, Some("/usr/bin/ssh (deleted)"), "ssh\n", &["/dev/hidraw3"]);
    world.process(40, None, "hidden\n", &["socket:[1]", "/dev/hidraw3"]);
    world.process(50, Some("/usr/bin/other"), "other\n", &["/dev/hidraw0", "/dev/hidraw33", "/home/hidraw3"]);
    let expected = [("firefox", 20), ("ssh", 30), ("hidden", 40)].map(|(name, pid)| (name.to_owned(), pid));
    assert_eq!(world.openers(), expected);
    world.places(|places| {
        assert_eq!(places.program(50).unwrap().name, "other");
        assert_eq!(places.program(60), None);
    });
}

#[test]
fn without_a_key_or_time_nobody_is_looked_through() {
    let world = World::new();
    world.process(20, Some("/usr/bin/firefox"), "firefox\n", &["/dev/hidraw3"]);
    assert_eq!(world.openers(), []);
    world.device("hidraw3", OURS);
    assert_eq!(world.openers().len(), 1);
    world.places(|places| assert_eq!(places.openers(1, Some(Instant::now())), []));
    let nowhere = Path::new("/nonexistent");
    assert_eq!(Places { devices: nowhere, processes: nowhere }.openers(1, None), []);
}

#[test]
fn what_is_told_has_bounds() {
    let world = World::new();
    world.device("hidraw0", OURS);
    for pid in 100..130 {
        world.process(pid, None, &"n".repeat(10_000), &["/dev/hidraw0"]);
    }
    let found = world.openers();
    assert_eq!(found.len(), MAX_PROGRAMS);
    assert!(found.iter().all(|(name, _)| name.len() == MAX_NAME));
    let odd = OsStr::from_bytes(b"/bin/\xff\xfe");
    fs::remove_dir_all(world.0.path().join("proc")).unwrap();
    world.process(7, None, "", &["/dev/hidraw0"]);
    symlink(odd, world.0.path().join("proc/7/exe")).unwrap();
    assert_eq!(world.openers(), [("\u{fffd}\u{fffd}".to_owned(), 7)]);
}

#[test]
fn this_computer_is_looked_through_in_time() {
    let begun = Instant::now();
    let found = openers();
    assert!(found.len() <= MAX_PROGRAMS && begun.elapsed() < LIMIT * 20, "{found:?}");
    assert!(program(std::process::id()).unwrap().name.starts_with("hybridge_security_key"));
}

proptest! {
    #[test]
    fn any_description_of_a_device_is_read(text in "(HID_ID=[0-9A-F:]{0,22}\n|HID_NAME=\\PC{0,9}\n|\\PC{0,9}\n){0,6}") {
        prop_assert!(!is_virtual_key(&text), "the name is longer");
        let mixed = [text.as_str(), OURS].concat();
        let first = |key: &str| text.lines().any(|line| line.starts_with(key));
        prop_assert_eq!(is_virtual_key(&mixed), !first("HID_ID=") && !first("HID_NAME="));
    }
}
