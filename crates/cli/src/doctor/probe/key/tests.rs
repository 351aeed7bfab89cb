//! The probes of the virtual key, over folders that look like a computer.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
};

use hybridge_security_key::helper::Listener;
use proptest::prelude::*;

use super::{super::files::testing::tree, *};

fn user() -> Uid {
    Uid::from_raw(1000)
}

#[test]
fn uhid_belongs_to_root() {
    assert_eq!(uhid(&tree(&[]).1, user()), Uhid::Missing);
    let (_folder, root) = tree(&[("dev/uhid", "")]);
    assert_eq!(uhid(&root, user()), Uhid::OpenToUser, "this user may write the file");
    assert_eq!(uhid(&root, Uid::ROOT), Uhid::Present);
}

#[tokio::test]
async fn a_helper_that_listens_is_seen_without_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.sock");
    let system = Root::new("/");
    assert!(matches!(helper(&system, &path), Helper::Silent { .. }));
    let listener = Listener::bind(&path, 0o600).unwrap();
    assert_eq!(helper(&system, &path), Helper::Listening);
    let none = tokio::time::timeout(std::time::Duration::from_millis(20), listener.accept()).await;
    assert!(none.is_err(), "nobody connects");
    drop(listener);
    assert!(matches!(helper(&system, &path), Helper::Silent { .. }), "the file is left, and nobody listens");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    assert!(matches!(helper(&system, &path), Helper::Silent { .. }), "a file is no socket");
}

#[test]
fn the_unit_is_looked_for() {
    let socket = Path::new("/run/hybridge/key.sock");
    assert_eq!(helper(&tree(&[]).1, socket), Helper::Silent { unit_installed: false });
    let (_folder, root) = tree(&[("usr/lib/systemd/system/hybridge-key-helper.socket", "[Socket]")]);
    assert_eq!(helper(&root, socket), Helper::Silent { unit_installed: true });
}

const SOCKETS: &str = "\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0005 01 21711 /run/hybridge/key.sock
0000000000000000: 00000003 00000000 00000000 0005 03 21712 /run/hybridge/connected.sock
0000000000000000: 00000002 00000000 00010000 0001 01 21713 /run/stream.sock
";

#[test]
fn the_kernels_list_is_read() {
    assert!(listens(SOCKETS, "/run/hybridge/key.sock"));
    for other in ["/run/hybridge/connected.sock", "/run/stream.sock", "/key.sock", "key.sock", ""] {
        assert!(!listens(SOCKETS, other), "{other}");
    }
}

fn session_file(change: (&str, &str)) -> String {
    let file = "UID=1000\nUSER=ada\nACTIVE=1\nSTATE=active\nREMOTE=0\nTYPE=wayland\nCLASS=user\nSEAT=seat0\n";
    file.replace(change.0, change.1)
}

fn session_of(file: &str) -> Option<Session> {
    let (_folder, root) = tree(&[("run/systemd/seats/seat0", ""), ("run/systemd/sessions/2", file)]);
    session(&root, user())
}

#[test]
fn the_session_has_to_be_on_the_screen() {
    let of = |from, to| session_of(&session_file((from, to)));
    assert_eq!(of("", ""), Some(Session::AtTheScreen));
    assert_eq!(of("ACTIVE=1", "ACTIVE=0"), Some(Session::InTheBackground));
    for (from, to) in [
        ("UID=1000", "UID=1001"),
        ("UID=1000", "UID=10000"),
        ("REMOTE=0", "REMOTE=1"),
        ("CLASS=user", "CLASS=greeter"),
        ("SEAT=seat0\n", ""),
        ("SEAT=seat0", "SEAT="),
    ] {
        assert_eq!(of(from, to), Some(Session::Elsewhere), "{to}");
    }
    assert_eq!(session(&tree(&[]).1, user()), Some(Session::NoLoginManager));
    assert_eq!(session(&tree(&[]).1, Uid::ROOT), Some(Session::Root));
    let (_folder, root) = tree(&[("run/systemd/seats/seat0", "")]);
    assert_eq!(session(&root, user()), None, "there is no folder of sessions");
}

#[test]
fn fido_devices_are_found_by_their_descriptor() {
    let (_folder, root) = tree(&[
        ("sys/class/hidraw/hidraw0/device/uevent", "HID_ID=0003:00001209:0000000F\nHID_NAME=Hybridge\n"),
        ("sys/class/hidraw/hidraw1/device/uevent", "HID_ID=0003:0000046D:0000C52B\n"),
        ("sys/class/hidraw/hidraw2/device/uevent", "HID_ID=0003:00001050:00000407\n"),
        ("dev/hidraw0", ""),
    ]);
    let descriptor = |node: &str, bytes: &[u8]| {
        fs::write(root.at(format!("sys/class/hidraw/{node}/device/report_descriptor")), bytes).unwrap();
    };
    descriptor("hidraw0", &[0x06, 0xd0, 0xf1, 0x09, 0x01]);
    descriptor("hidraw1", &[0x05, 0x01, 0x09, 0x06]);
    descriptor("hidraw2", &[0x06, 0xd0, 0xf1, 0x09, 0x01]);
    let device = |node: &str, ours, usable| Device { node: node.to_owned(), ours, usable };
    assert_eq!(devices(&root), [device("hidraw0", true, true), device("hidraw2", false, false)]);
}

#[test]
fn rules_are_found_unless_they_are_taken_away() {
    let ours = "usr/lib/udev/rules.d/70-hybridge-key.rules";
    assert_eq!(rule(&tree(&[(ours, "SUBSYSTEM")]).1), Rule::Ours);
    assert_eq!(rule(&tree(&[]).1), Rule::Missing);
    let of_systemd = [("lib/udev/rules.d/60-fido-id.rules", "x"), ("lib/udev/rules.d/70-uaccess.rules", "x")];
    assert_eq!(rule(&tree(&of_systemd).1), Rule::Systemd);
    assert_eq!(rule(&tree(&of_systemd[..1]).1), Rule::Missing);

    let (_folder, root) = tree(&[(ours, "SUBSYSTEM"), ("etc/udev/rules.d/other", "")]);
    symlink("/dev/null", root.at("etc/udev/rules.d/70-hybridge-key.rules")).unwrap();
    assert_eq!(rule(&root), Rule::Missing);
}

#[test]
fn files_that_may_not_be_read_are_no_answer() {
    let (_folder, root) = tree(&[("run/systemd/seats/seat0", ""), ("run/systemd/sessions/2", "UID=1000")]);
    let file: PathBuf = root.at("run/systemd/sessions/2");
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    // Root reads it all the same.
    let expected = if geteuid().is_root() { Some(Session::Elsewhere) } else { None };
    assert_eq!(session(&root, user()), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn anything_in_these_files_is_taken(text in "(?s).*", path in "[ -~]*") {
        listens(&text, &path);
        is_at_a_screen(&text, user());
        session_of(&text);
    }

    #[test]
    fn of_any_lines_only_the_whole_path_counts(path in "/[a-z]{1,8}", other in "[a-z]{0,4}") {
        let line = format!("0: 00000002 00000000 00010000 0005 01 1 {path}\n");
        prop_assert!(listens(&line, &path));
        let longer = format!("{path}{other}x");
        prop_assert!(!listens(&line, &longer));
    }
}
