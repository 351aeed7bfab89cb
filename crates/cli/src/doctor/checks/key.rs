//! Whether programs can use the virtual security key.

use super::super::{
    facts::{Device, Helper, Key, Rule, Session, Uhid},
    finding::{Check, Finding},
};

pub(super) fn findings(facts: &Key) -> Vec<Finding> {
    let mut findings = vec![uhid(facts.uhid), helper(facts.helper), session(facts.session)];
    findings.push(rule(facts.rule));
    findings.push(device(&facts.devices, facts.rule));
    let works = facts.devices.iter().any(|device| device.ours && device.usable);
    let wanted = !matches!(facts.helper, Helper::Silent { unit_installed: false });
    if works || !wanted {
        // There is a key already, or nobody has set one up: `hybridge get` signs in without.
        return findings.into_iter().map(Finding::no_worse_than_a_warning).collect();
    }
    findings
}

fn uhid(uhid: Uhid) -> Finding {
    let check = Check::Uhid;
    match uhid {
        Uhid::Present => Finding::ok(check, "The kernel can make devices (/dev/uhid)"),
        Uhid::OpenToUser => Finding::warn(
            check,
            "Any program of this user may use /dev/uhid, and so pretend to be a keyboard",
            "take the permission away, as the helper does not need it",
        )
        .with("sudo chown root: /dev/uhid && sudo chmod 600 /dev/uhid"),
        Uhid::Missing => Finding::fail(
            check,
            "The kernel can make no devices: there is no /dev/uhid, so programs find no security key",
            "load the kernel's module uhid",
        )
        .with("sudo modprobe uhid"),
    }
}

fn helper(helper: Helper) -> Finding {
    let check = Check::KeyHelper;
    match helper {
        Helper::Listening => Finding::ok(check, "The helper of the virtual security key listens"),
        Helper::Forbidden => Finding::fail(
            check,
            "This user may not connect to the helper of the virtual security key",
            "give the socket the mode that its unit has (0666), by starting it again",
        )
        .with("sudo systemctl restart hybridge-key-helper.socket"),
        Helper::Silent { unit_installed: true } => {
            Finding::fail(check, "The helper of the virtual security key does not listen", "start its socket")
                .with("sudo systemctl enable --now hybridge-key-helper.socket")
        }
        Helper::Silent { unit_installed: false } => Finding::fail(
            check,
            "The helper of the virtual security key is not installed",
            "install the Debian package hybridge, or run the key as root",
        )
        .with("sudo hybridge key --uhid /dev/uhid"),
        Helper::Unknown => Finding::unknown(
            check,
            "Whether the helper of the virtual security key listens is not known",
            "try whether there is a key",
        )
        .with("hybridge key"),
    }
}

fn session(session: Option<Session>) -> Finding {
    let check = Check::KeySession;
    match session {
        Some(Session::AtTheScreen) => {
            Finding::ok(check, "The helper serves this user, who sits at this computer")
        }
        Some(Session::InTheBackground) => Finding::warn(
            check,
            "The helper does not serve this user now: another session is on the screen",
            "switch to this user's session",
        ),
        Some(Session::Root) => Finding::warn(
            check,
            "The helper serves whoever sits at this computer, and this is root",
            "run this as the user who signs in",
        ),
        Some(Session::Elsewhere) => Finding::fail(
            check,
            "The helper does not serve this user, who has no session at this computer's screen",
            "log in at the screen; over ssh and the like there is no virtual security key",
        ),
        Some(Session::NoLoginManager) => Finding::fail(
            check,
            "The helper serves nobody: no login manager says who sits at this computer",
            "install systemd-logind, and log in again",
        ),
        None => Finding::unknown(
            check,
            "Whether the helper serves this user is not known: the login manager's files cannot be read",
            "try whether there is a key",
        )
        .with("hybridge key"),
    }
}

fn rule(rule: Rule) -> Finding {
    let check = Check::UdevRule;
    match rule {
        Rule::Ours => Finding::ok(check, "The udev rule of the virtual security key is installed"),
        Rule::Systemd => Finding::warn(
            check,
            "The udev rule of the virtual security key is not installed; that of systemd may do in its place",
            "install the Debian package hybridge, which has 70-hybridge-key.rules",
        ),
        Rule::Missing => Finding::fail(
            check,
            "No udev rule gives the virtual security key to whoever sits at this computer",
            "install the Debian package hybridge, which has 70-hybridge-key.rules",
        ),
    }
}

fn device(devices: &[Device], rule: Rule) -> Finding {
    let check = Check::KeyDevice;
    let ours = devices.iter().find(|device| device.ours);
    match ours.or_else(|| devices.iter().find(|device| !device.usable)).or(devices.first()) {
        Some(Device { node, ours: true, usable: true }) => {
            Finding::ok(check, format!("Programs of this user may use the virtual security key ({node})"))
        }
        Some(Device { node, usable: true, .. }) => Finding::ok(
            check,
            format!("Programs of this user may use security keys ({node}); there is no virtual one now"),
        ),
        None => Finding::ok(check, "There is no security key now, as nobody runs one"),
        Some(Device { node, ours: false, .. }) => Finding::warn(
            check,
            format!(
                "Programs of this user may not use the security key {node}, which is not the virtual one"
            ),
            "log in at this computer's screen, or see to the udev rules of that key",
        ),
        Some(Device { node, .. }) => {
            let statement = format!("Programs of this user may not use the virtual security key ({node})");
            match rule {
                Rule::Missing => Finding::fail(check, statement, "install its udev rule"),
                Rule::Ours | Rule::Systemd => {
                    Finding::fail(check, statement, "let udev apply its rules, and log in at the screen")
                        .with(
                            "sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=hidraw",
                        )
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::samples, *};
    use crate::doctor::finding::Status;

    #[test]
    fn all_is_well() {
        let findings = findings(&samples::key());
        assert_eq!(findings.len(), 5);
        assert!(findings.iter().all(|finding| finding.status == Status::Ok), "{findings:?}");
    }

    #[test]
    fn what_stops_the_key() {
        assert_eq!(uhid(Uhid::Missing).status, Status::Fail);
        assert_eq!(helper(Helper::Forbidden).status, Status::Fail);
        let silent = |unit_installed| helper(Helper::Silent { unit_installed });
        assert_eq!((silent(true).status, silent(false).status), (Status::Fail, Status::Fail));
        assert!(silent(true).command.unwrap().contains("hybridge-key-helper.socket"));
        assert!(silent(false).fix.unwrap().contains("install"));
        assert_eq!(session(Some(Session::Elsewhere)).status, Status::Fail);
        assert_eq!(session(Some(Session::NoLoginManager)).status, Status::Fail);
        assert_eq!(rule(Rule::Missing).status, Status::Fail);
    }

    #[test]
    fn a_key_that_nobody_has_set_up_or_that_works_stops_nothing() {
        let none = Key {
            uhid: Uhid::Missing,
            helper: Helper::Silent { unit_installed: false },
            session: Some(Session::Elsewhere),
            rule: Rule::Missing,
            ..samples::key()
        };
        let root = Key {
            helper: Helper::Silent { unit_installed: true },
            devices: vec![Device { node: "hidraw0".to_owned(), ours: true, usable: true }],
            ..samples::key()
        };
        for (facts, warnings) in [(none, 4), (root, 1)] {
            let all = findings(&facts);
            assert!(all.iter().all(|finding| finding.status != Status::Fail), "{all:?}");
            assert_eq!(
                all.iter().filter(|finding| finding.status == Status::Warn).count(),
                warnings,
                "{all:?}"
            );
        }
        let broken =
            Key { helper: Helper::Silent { unit_installed: true }, devices: Vec::new(), ..samples::key() };
        assert!(findings(&broken).iter().any(|finding| finding.status == Status::Fail));
    }

    #[test]
    fn what_does_not_stop_it() {
        assert_eq!(uhid(Uhid::OpenToUser).status, Status::Warn);
        assert_eq!(session(Some(Session::InTheBackground)).status, Status::Warn);
        assert_eq!(session(Some(Session::Root)).status, Status::Warn);
        assert_eq!(rule(Rule::Systemd).status, Status::Warn);
    }

    #[test]
    fn what_is_not_known() {
        assert!(helper(Helper::Unknown).is_essential_and_unknown());
        assert_eq!(session(None).status, Status::Unknown);
    }

    #[test]
    fn the_device() {
        let key = |ours, usable| Device { node: "hidraw0".to_owned(), ours, usable };
        let of = |devices: &[Device]| device(devices, Rule::Ours).status;
        assert_eq!(of(&[]), Status::Ok);
        assert_eq!(of(&[key(true, true)]), Status::Ok);
        assert_eq!(of(&[key(true, false)]), Status::Fail);
        assert_eq!(of(&[key(false, true)]), Status::Ok);
        assert_eq!(of(&[key(false, false)]), Status::Warn);
        assert_eq!(of(&[key(false, false), key(true, true)]), Status::Ok, "the virtual one counts");
        assert_eq!(of(&[key(false, true), key(true, false)]), Status::Fail);
        assert_eq!(device(&[key(true, false)], Rule::Missing).command, None);
    }
}
