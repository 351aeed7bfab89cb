//! `/dev/uhid`, the helper's socket, the session, and the devices.

use std::{os::unix::fs::FileTypeExt, path::Path};

use rustix::{
    fs::Access,
    process::{Uid, geteuid},
};

use super::{
    super::facts::{Device, Helper, Key, Rule, Session, Uhid},
    files::{Root, value},
};

const UNIT: &str = "hybridge-key-helper.socket";
const UNIT_FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// In the order in which udev lets one win over the other.
const RULE_FOLDERS: [&str; 5] = [
    "/etc/udev/rules.d",
    "/run/udev/rules.d",
    "/usr/local/lib/udev/rules.d",
    "/usr/lib/udev/rules.d",
    "/lib/udev/rules.d",
];
/// How the kernel calls the virtual key: the bus, the vendor, the product.
const HID_ID: &str = "0003:00001209:0000000F";
/// The usage page of FIDO in a report descriptor (CTAP 2.1 section 11.2.8.2).
const USAGE_PAGE: [u8; 3] = [0x06, 0xd0, 0xf1];

pub(super) fn facts(root: &Root, socket: &Path) -> Key {
    Key {
        uhid: uhid(root, geteuid()),
        helper: helper(root, socket),
        session: session(root, geteuid()),
        devices: devices(root),
        rule: rule(root),
    }
}

fn uhid(root: &Root, user: Uid) -> Uhid {
    if !root.has("/dev/uhid") {
        Uhid::Missing
    } else if !user.is_root() && root.allows("/dev/uhid", Access::WRITE_OK) {
        Uhid::OpenToUser
    } else {
        Uhid::Present
    }
}

/// Looks for whoever listens in the kernel's list, as connecting would start a helper and make a device.
fn helper(root: &Root, socket: &Path) -> Helper {
    let is_socket = root.at(socket).metadata().is_ok_and(|about| about.file_type().is_socket());
    let unit_installed = root.first(&UNIT_FOLDERS, UNIT).is_some();
    match (is_socket, root.text("/proc/net/unix")) {
        (false, _) => Helper::Silent { unit_installed },
        (true, None) => Helper::Unknown,
        (true, Some(sockets)) if !listens(&sockets, &socket.to_string_lossy()) => {
            Helper::Silent { unit_installed }
        }
        (true, Some(_)) if root.allows(socket, Access::WRITE_OK) => Helper::Listening,
        (true, Some(_)) => Helper::Forbidden,
    }
}

/// Whether somebody accepts connections that keep packets apart at this path, by `/proc/net/unix`.
fn listens(sockets: &str, path: &str) -> bool {
    /// `__SO_ACCEPTCON`.
    const ACCEPTS: &str = "00010000";
    /// `SOCK_SEQPACKET`.
    const PACKETS: &str = "0005";
    let own = |line: &&str| line.strip_suffix(path).is_some_and(|rest| rest.ends_with(' '));
    sockets.lines().filter(own).any(|line| {
        let mut fields = line.split_whitespace().skip(3);
        (fields.next(), fields.next()) == (Some(ACCEPTS), Some(PACKETS))
    })
}

/// By the files that the login manager keeps for its library, with the helper's own rule.
fn session(root: &Root, user: Uid) -> Option<Session> {
    if user.is_root() {
        return Some(Session::Root);
    }
    if !root.has("/run/systemd/seats") {
        return Some(Session::NoLoginManager);
    }
    let names = root.names("/run/systemd/sessions")?;
    let texts: Vec<_> =
        names.iter().filter_map(|name| root.text(Path::new("/run/systemd/sessions").join(name))).collect();
    if texts.is_empty() && !names.is_empty() {
        return None;
    }
    let here: Vec<_> = texts.iter().filter(|text| is_at_a_screen(text, user)).collect();
    Some(match here.iter().any(|text| value(text, "ACTIVE") == Some("1")) {
        true => Session::AtTheScreen,
        false if here.is_empty() => Session::Elsewhere,
        false => Session::InTheBackground,
    })
}

/// Whether this is a session of this user at a screen of this computer.
fn is_at_a_screen(session: &str, user: Uid) -> bool {
    value(session, "UID") == Some(user.as_raw().to_string().as_str())
        && value(session, "REMOTE") != Some("1")
        && value(session, "CLASS") == Some("user")
        && value(session, "SEAT").is_some_and(|seat| !seat.is_empty())
}

fn devices(root: &Root) -> Vec<Device> {
    let folder = "/sys/class/hidraw";
    let one = |node: String| {
        let descriptor = root.bytes(format!("{folder}/{node}/device/report_descriptor"))?;
        let about = root.text(format!("{folder}/{node}/device/uevent")).unwrap_or_default();
        let is_fido = descriptor.windows(USAGE_PAGE.len()).any(|bytes| bytes == USAGE_PAGE);
        let usable = root.allows(format!("/dev/{node}"), Access::READ_OK | Access::WRITE_OK);
        is_fido.then_some(Device { ours: value(&about, "HID_ID") == Some(HID_ID), usable, node })
    };
    root.names(folder).unwrap_or_default().into_iter().filter_map(one).collect()
}

fn rule(root: &Root) -> Rule {
    let holds = |name: &str| {
        // An empty file, or /dev/null, takes a rule away.
        let file = root.first(&RULE_FOLDERS, name);
        file.and_then(|file| file.metadata().ok()).is_some_and(|about| about.is_file() && about.len() > 0)
    };
    match (holds("70-hybridge-key.rules"), holds("60-fido-id.rules") && holds("70-uaccess.rules")) {
        (true, _) => Rule::Ours,
        (false, true) => Rule::Systemd,
        (false, false) => Rule::Missing,
    }
}

#[cfg(test)]
mod tests;
