//! What an error of the bus or of BlueZ means for the user.

use std::error::Error;

use crate::RadioError;

/// Sorts an error by its name on the bus. `action` follows the words "failed to".
pub(crate) fn refusal(action: &'static str, cause: dbus::Error) -> RadioError {
    let name = cause.name().unwrap_or_default().to_owned();
    named(action, &name, cause.into())
}

/// Sorts an error whose name on the bus is known, and keeps it as the cause where there is no better word for it.
pub(crate) fn named(action: &'static str, name: &str, source: Box<dyn Error + Send + Sync>) -> RadioError {
    const BUS: &str = "org.freedesktop.DBus.Error.";
    const BLUEZ: &str = "org.bluez.Error.";
    let own = |prefix| name.strip_prefix(prefix);
    match (own(BUS), own(BLUEZ)) {
        (Some("AccessDenied" | "AuthFailed" | "InteractiveAuthorizationRequired"), _)
        | (_, Some("NotAuthorized")) => RadioError::PermissionDenied,
        // No bus at all, nobody on it who is BlueZ, or one that ended or hangs while it is asked.
        (Some("FileNotFound" | "NoServer" | "Disconnected" | "ServiceUnknown" | "NameHasNoOwner"), _)
        | (Some("NoReply" | "Timeout" | "TimedOut"), _) => RadioError::ServiceGone,
        (Some(failed), _) if failed.starts_with("Spawn.") => RadioError::ServiceGone,
        (Some("UnknownObject"), _) => RadioError::NoAdapter,
        (Some("UnknownInterface" | "UnknownMethod"), _) | (_, Some("NotSupported")) => {
            RadioError::Unsupported { action }
        }
        (_, Some("NotReady")) => RadioError::PoweredOff,
        // A unit that is masked or does not start.
        _ if name.starts_with("org.freedesktop.systemd1.") => RadioError::ServiceGone,
        _ => RadioError::Driver { action, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_the_user_can_do() {
        let sorted = |name| named("scan", name, "cause".into());
        for name in ["org.freedesktop.DBus.Error.AccessDenied", "org.bluez.Error.NotAuthorized"] {
            assert!(matches!(sorted(name), RadioError::PermissionDenied), "{name}");
        }
        for name in [
            "org.freedesktop.DBus.Error.FileNotFound",
            "org.freedesktop.DBus.Error.ServiceUnknown",
            "org.freedesktop.DBus.Error.NoReply",
            "org.freedesktop.DBus.Error.Spawn.ChildExited",
            "org.freedesktop.systemd1.UnitMasked",
        ] {
            assert!(matches!(sorted(name), RadioError::ServiceGone), "{name}");
        }
        assert!(matches!(sorted("org.freedesktop.DBus.Error.UnknownObject"), RadioError::NoAdapter));
        assert!(matches!(sorted("org.bluez.Error.NotReady"), RadioError::PoweredOff));
        let unsupported = sorted("org.freedesktop.DBus.Error.UnknownMethod");
        assert!(matches!(unsupported, RadioError::Unsupported { action: "scan" }));
    }

    #[test]
    fn what_has_no_better_word_keeps_its_cause() {
        for name in ["", "org.bluez.Error.InProgress", "org.bluez.Error.NotPermitted"] {
            let RadioError::Driver { action, source } = named("scan", name, "cause".into()) else {
                panic!("{name}");
            };
            assert_eq!((action, source.to_string().as_str()), ("scan", "cause"));
        }
    }

    #[test]
    fn an_error_of_the_bus_brings_its_name() {
        let denied = dbus::Error::new_custom("org.freedesktop.DBus.Error.AccessDenied", "not you");
        assert!(matches!(refusal("scan", denied), RadioError::PermissionDenied));
    }
}
