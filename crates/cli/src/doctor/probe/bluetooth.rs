//! Adapters, BlueZ, and the kernel's switches.

use std::time::Duration;

use hybridge_ble::{
    RadioError,
    bluez::{InspectError, inspect},
};
use tokio::{process::Command, time::timeout};

use super::{
    super::facts::{Adapter, Bluetooth, Bluez, RadioSwitch, Version},
    files::Root,
};

/// Where distributions put bluetoothd, which is in nobody's PATH.
const PROGRAMS: [&str; 4] = [
    "/usr/libexec/bluetooth/bluetoothd",
    "/usr/lib/bluetooth/bluetoothd",
    "/usr/lib64/bluetooth/bluetoothd",
    "/usr/sbin/bluetoothd",
];
/// How long it may take to say its version.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the system bus and BlueZ may take together.
const BLUEZ: Duration = Duration::from_secs(12);

pub(super) async fn facts(root: &Root) -> Bluetooth {
    let (bluez, version) = tokio::join!(bluez(), version(root));
    Bluetooth { kernel: adapters(root), bluez, version, switches: switches(root) }
}

async fn bluez() -> Bluez {
    let Ok(inspected) = timeout(BLUEZ, inspect()).await else {
        return Bluez::Failed("it does not answer in time".to_owned());
    };
    match inspected {
        Ok(reports) => {
            let adapter = |report: hybridge_ble::bluez::AdapterReport| Adapter {
                name: report.name,
                powered: report.powered,
                central: report.central,
                free_adverts: report.free_adverts,
            };
            Bluez::Adapters(reports.into_iter().map(adapter).collect())
        }
        Err(
            InspectError::Bus(RadioError::PermissionDenied)
            | InspectError::Bluez(RadioError::PermissionDenied),
        ) => Bluez::Denied,
        Err(InspectError::Bus(_)) => Bluez::NoBus,
        Err(InspectError::Bluez(RadioError::ServiceGone)) => Bluez::Gone,
        Err(InspectError::Bluez(RadioError::Driver { source, .. })) => Bluez::Failed(source.to_string()),
        Err(error) => Bluez::Failed(error.to_string()),
    }
}

async fn version(root: &Root) -> Option<Version> {
    let program = PROGRAMS.into_iter().find(|program| root.has(program))?;
    let output = Command::new(root.at(program)).arg("--version").kill_on_drop(true).output();
    let output = timeout(PATIENCE, output).await.ok()?.ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// The first word that is two numbers with a dot between them.
fn parse_version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let (major, minor) = word.split_once('.')?;
        Some(Version { major: major.parse().ok()?, minor: minor.parse().ok()? })
    })
}

/// The adapters that the kernel has, switched off or on. A kernel without the folder has none.
fn adapters(root: &Root) -> Option<Vec<String>> {
    if !root.has("/sys/class") {
        return None;
    }
    let names = root.names("/sys/class/bluetooth").unwrap_or_default();
    // Connections are there too, as hci0:64.
    Some(names.into_iter().filter(|name| name.starts_with("hci") && !name.contains(':')).collect())
}

fn switches(root: &Root) -> Option<Vec<RadioSwitch>> {
    let folder = "/sys/class/rfkill";
    let one = |entry: &String| {
        let read = |file: &str| root.text(format!("{folder}/{entry}/{file}"));
        if read("type")?.trim() != "bluetooth" {
            return None;
        }
        let name = read("name").map_or_else(|| entry.clone(), |name| name.trim().to_owned());
        Some(RadioSwitch { name, soft: read("soft")?.trim() == "1", hard: read("hard")?.trim() == "1" })
    };
    Some(root.names(folder)?.iter().filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::files::testing::tree, *};

    #[test]
    fn adapters_are_those_of_the_kernel() {
        let (_folder, root) = tree(&[
            ("sys/class/bluetooth/hci1/uevent", ""),
            ("sys/class/bluetooth/hci0/uevent", ""),
            ("sys/class/bluetooth/hci0:64/uevent", ""),
        ]);
        assert_eq!(adapters(&root), Some(vec!["hci0".to_owned(), "hci1".to_owned()]));
        let (_folder, root) = tree(&[("sys/class/net/lo", "")]);
        assert_eq!(adapters(&root), Some(Vec::new()));
        let (_folder, root) = tree(&[("proc/version", "")]);
        assert_eq!(adapters(&root), None, "no sysfs at all");
    }

    #[test]
    fn only_the_switches_of_bluetooth_count() {
        let (_folder, root) = tree(&[
            ("sys/class/rfkill/rfkill0/type", "wlan\n"),
            ("sys/class/rfkill/rfkill0/soft", "1\n"),
            ("sys/class/rfkill/rfkill0/hard", "1\n"),
            ("sys/class/rfkill/rfkill1/type", "bluetooth\n"),
            ("sys/class/rfkill/rfkill1/name", "hci0\n"),
            ("sys/class/rfkill/rfkill1/soft", "1\n"),
            ("sys/class/rfkill/rfkill1/hard", "0\n"),
        ]);
        let switch = RadioSwitch { name: "hci0".to_owned(), soft: true, hard: false };
        assert_eq!(switches(&root), Some(vec![switch]));
        assert_eq!(switches(&tree(&[]).1), None);
    }

    #[test]
    fn versions_are_read() {
        let read = |text| parse_version(text).map(|version| (version.major, version.minor));
        assert_eq!(read("5.66\n"), Some((5, 66)));
        assert_eq!(read("bluetoothd 5.82"), Some((5, 82)));
        assert_eq!(read("five.sixty"), None);
        assert_eq!(read("70000.1"), None);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_program_is_asked_and_not_waited_for_long() {
        use std::{fs, os::unix::fs::PermissionsExt};
        let script = |text| {
            let (folder, root) = tree(&[(PROGRAMS[1], text)]);
            fs::set_permissions(root.at(PROGRAMS[1]), fs::Permissions::from_mode(0o755)).unwrap();
            (folder, root)
        };
        let (_folder, root) = script("#!/bin/sh\necho 5.66\n");
        assert_eq!(version(&root).await, Some(Version { major: 5, minor: 66 }));
        let (_folder, root) = script("#!/bin/sh\nexec sleep 60\n");
        let asked = tokio::time::Instant::now();
        assert_eq!(version(&root).await, None);
        assert!(asked.elapsed() < 3 * PATIENCE);
    }

    proptest! {
        #[test]
        fn any_text_has_a_version_or_none(text in ".*") {
            parse_version(&text);
        }
    }
}
