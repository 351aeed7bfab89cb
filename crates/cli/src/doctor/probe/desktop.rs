//! The desktop's program, bus, screen, and what starts with it.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    super::facts::{Autostart, Desktop},
    files::{Root, value},
};

const PROGRAM: &str = "hybridge-desktop";
/// The entry that starts the program with the desktop, and the unit that does so in its place.
const ENTRY: &str = "autostart/hybridge-desktop.desktop";
const UNIT: &str = "hybridge-desktop.service";
/// The most letters of a session's type that are repeated.
const MAX_TYPE: usize = 16;

/// An environment variable by its name.
type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

pub(super) fn facts(root: &Root, variable: Variables<'_>) -> Desktop {
    Desktop {
        program: program(root, variable),
        session_bus: session_bus(root, variable),
        autostart: autostart(root, variable),
        session_type: session_type(variable),
        display: ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|name| set(variable, name).is_some()),
    }
}

/// The value of a variable that is there and not empty.
fn set(variable: Variables<'_>, name: &str) -> Option<OsString> {
    variable(name).filter(|value| !value.is_empty())
}

/// In the PATH, or beside this program.
fn program(root: &Root, variable: Variables<'_>) -> bool {
    let beside = env::current_exe().ok().and_then(|program| Some(program.parent()?.join(PROGRAM)));
    let path = set(variable, "PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| root.at(folder.join(PROGRAM)).is_file())
        || beside.is_some_and(|program| program.is_file())
}

fn session_bus(root: &Root, variable: Variables<'_>) -> bool {
    set(variable, "DBUS_SESSION_BUS_ADDRESS").is_some()
        || set(variable, "XDG_RUNTIME_DIR").is_some_and(|folder| root.has(Path::new(&folder).join("bus")))
}

/// Folders of settings, the user's own first (XDG Base Directory Specification).
fn settings(variable: Variables<'_>) -> Vec<PathBuf> {
    let own = set(variable, "XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&set(variable, "HOME")?).join(".config")));
    let everybodys = set(variable, "XDG_CONFIG_DIRS").unwrap_or_else(|| "/etc/xdg".into());
    own.into_iter().chain(env::split_paths(&everybodys)).collect()
}

/// By an entry of XDG autostart, of which the user's own wins, or an enabled unit of the user's service manager.
fn autostart(root: &Root, variable: Variables<'_>) -> Autostart {
    let folders = settings(variable);
    let entry = folders.iter().find_map(|folder| root.text(folder.join(ENTRY)));
    match entry {
        _ if has_unit(root, &folders) => Autostart::On,
        None => Autostart::Missing,
        Some(entry) if is_off(&entry) => Autostart::Off,
        Some(_) => Autostart::On,
    }
}

fn is_off(entry: &str) -> bool {
    value(entry, "Hidden") == Some("true") || value(entry, "X-GNOME-Autostart-enabled") == Some("false")
}

/// Whether a target of the user's service manager wants the unit.
fn has_unit(root: &Root, folders: &[PathBuf]) -> bool {
    let own = folders.first().map(|folder| folder.join("systemd/user"));
    own.into_iter().chain([PathBuf::from("/etc/systemd/user")]).any(|folder| {
        let wants = root.names(&folder).unwrap_or_default();
        let wants = wants.iter().filter(|name| name.ends_with(".wants"));
        wants.map(|name| root.at(folder.join(name)).join(UNIT)).any(|unit| unit.symlink_metadata().is_ok())
    })
}

/// Letters and digits only, as it is repeated to a terminal.
fn session_type(variable: Variables<'_>) -> Option<String> {
    let kind = set(variable, "XDG_SESSION_TYPE")?.into_string().ok()?;
    let plain = kind.len() <= MAX_TYPE && kind.chars().all(|letter| letter.is_ascii_alphanumeric());
    plain.then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::{super::files::testing::tree, *};

    const NONE: &[(&str, &str)] = &[];
    const ENTRY_TEXT: &str = "[Desktop Entry]\nType=Application\nExec=hybridge-desktop\n";

    fn facts_of(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Desktop {
        let (_folder, root) = tree(files);
        let find = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        facts(&root, &find)
    }

    fn autostart_of(files: &[(&str, &str)]) -> Autostart {
        facts_of(files, &[("HOME", "/home/ada")]).autostart
    }

    #[test]
    fn a_bare_system_has_nothing() {
        let facts = facts_of(NONE, NONE);
        assert!(!facts.session_bus && !facts.display && facts.session_type.is_none());
        assert_eq!(facts.autostart, Autostart::Missing);
    }

    #[test]
    fn programs_are_found_in_the_path() {
        let path = [("PATH", "/bin:/usr/bin")];
        assert!(!facts_of(NONE, &path).program);
        assert!(facts_of(&[("usr/bin/hybridge-desktop", "")], &path).program);
        assert!(!facts_of(&[("opt/hybridge-desktop", "")], &path).program);
    }

    #[test]
    fn the_session_is_known_by_its_variables() {
        let bus = |variables: &[(&str, &str)]| facts_of(&[("run/user/7/bus", "")], variables).session_bus;
        assert!(bus(&[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/bus")]));
        assert!(bus(&[("XDG_RUNTIME_DIR", "/run/user/7")]));
        assert!(!bus(&[("XDG_RUNTIME_DIR", "/run/user/8"), ("DBUS_SESSION_BUS_ADDRESS", "")]));
        let kind = |value| facts_of(NONE, &[("XDG_SESSION_TYPE", value)]).session_type;
        assert_eq!(kind("wayland").as_deref(), Some("wayland"));
        assert_eq!((kind(""), kind("\u{1b}[2J"), kind("far-too-long-for-a-type")), (None, None, None));
        assert!(facts_of(NONE, &[("DISPLAY", ":0")]).display);
        assert!(facts_of(NONE, &[("WAYLAND_DISPLAY", "wayland-0")]).display);
    }

    #[test]
    fn the_users_own_entry_wins() {
        let everybodys = ("etc/xdg/autostart/hybridge-desktop.desktop", ENTRY_TEXT);
        let own = "home/ada/.config/autostart/hybridge-desktop.desktop";
        assert_eq!(autostart_of(&[everybodys]), Autostart::On);
        assert_eq!(autostart_of(&[everybodys, (own, "[Desktop Entry]\nHidden=true\n")]), Autostart::Off);
        let gnome = format!("{ENTRY_TEXT}X-GNOME-Autostart-enabled=false\n");
        assert_eq!(autostart_of(&[everybodys, (own, &gnome)]), Autostart::Off);
        assert_eq!(autostart_of(&[(own, ENTRY_TEXT)]), Autostart::On);
    }

    #[test]
    fn an_enabled_unit_will_do() {
        let unit = "etc/systemd/user/graphical-session.target.wants/hybridge-desktop.service";
        assert_eq!(autostart_of(&[(unit, "")]), Autostart::On);
        let own = "home/ada/.config/systemd/user/default.target.wants/hybridge-desktop.service";
        assert_eq!(autostart_of(&[(own, "")]), Autostart::On);
        assert_eq!(autostart_of(&[("etc/systemd/user/hybridge-desktop.service", "")]), Autostart::Missing);
    }
}
