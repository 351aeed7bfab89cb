//! Whether a window can open when a program asks for the key. Sign-in on a terminal works without.

use super::super::{
    facts::{Autostart, Desktop},
    finding::{Check, Finding},
};

pub(super) fn findings(facts: &Desktop) -> Vec<Finding> {
    vec![program(facts.program), bus(facts.session_bus), autostart(facts.autostart), display(facts)]
}

fn program(found: bool) -> Finding {
    let check = Check::DesktopProgram;
    if found {
        return Finding::ok(check, "hybridge-desktop is installed");
    }
    Finding::warn(
        check,
        "hybridge-desktop is not found, so no window opens when a program asks for the key",
        "install the Debian package hybridge, or use the key in a terminal",
    )
    .with("hybridge key")
}

fn bus(found: bool) -> Finding {
    let check = Check::SessionBus;
    if found {
        return Finding::ok(check, "There is a session bus, which the tray needs");
    }
    Finding::warn(
        check,
        "There is no session bus, so no symbol in the tray",
        "log in to a desktop, or start dbus-user-session",
    )
}

fn autostart(autostart: Autostart) -> Finding {
    let check = Check::Autostart;
    match autostart {
        Autostart::On => Finding::ok(check, "The background service starts with the desktop"),
        Autostart::Off => Finding::warn(
            check,
            "The background service does not start with the desktop: this user has switched that off",
            "switch it on among the programs that start with the desktop, or start it when it is needed",
        ),
        Autostart::Missing => Finding::warn(
            check,
            "The background service does not start with the desktop: there is no entry for it",
            "install the Debian package hybridge",
        ),
    }
}

fn display(facts: &Desktop) -> Finding {
    let check = Check::Display;
    let kind = facts.session_type.as_deref();
    match (facts.display, kind) {
        (true, Some(kind @ ("wayland" | "x11"))) => {
            Finding::ok(check, format!("This session has a screen for windows ({kind})"))
        }
        (true, _) => Finding::ok(check, "This session has a screen for windows"),
        (false, _) => Finding::warn(
            check,
            format!("This session has no screen for windows (its type is {})", kind.unwrap_or("not set")),
            "use the key in a terminal, or log in to a desktop",
        )
        .with("hybridge key"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::samples, *};
    use crate::doctor::finding::Status;

    #[test]
    fn all_is_well() {
        let findings = findings(&samples::desktop());
        assert_eq!(findings.len(), 4);
        assert!(findings.iter().all(|finding| finding.status == Status::Ok), "{findings:?}");
    }

    #[test]
    fn nothing_of_it_stops_sign_in() {
        let bare = Desktop {
            program: false,
            session_bus: false,
            autostart: Autostart::Missing,
            session_type: Some("tty".to_owned()),
            display: false,
        };
        let found = findings(&bare);
        assert!(found.iter().all(|finding| finding.status == Status::Warn && finding.fix.is_some()));
        assert!(found.last().unwrap().statement.contains("tty"));
        assert_eq!(autostart(Autostart::Off).status, Status::Warn);
    }

    #[test]
    fn a_display_without_a_type_will_do() {
        let facts = Desktop { session_type: None, ..samples::desktop() };
        assert_eq!(display(&facts).status, Status::Ok);
        let none = Desktop { session_type: None, display: false, ..samples::desktop() };
        assert!(display(&none).statement.contains("not set"));
    }
}
