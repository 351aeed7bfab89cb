//! Whether phones can be heard.

use super::super::{
    facts::{Adapter, Bluetooth, Bluez, RadioSwitch, Version},
    finding::{Check, Finding},
};

/// The oldest BlueZ that the tests have run with.
const TESTED: Version = Version { major: 5, minor: 66 };
/// What starts BlueZ now and later.
const START: &str = "sudo systemctl enable --now bluetooth";

pub(super) fn findings(facts: &Bluetooth) -> Vec<Finding> {
    let mut findings = vec![service(facts)];
    findings.extend(permission(&facts.bluez));
    findings.push(version(facts.version));
    findings.push(adapter(facts));
    findings.push(switches(facts.switches.as_deref()));
    if let Bluez::Adapters(adapters) = &facts.bluez
        && !adapters.is_empty()
    {
        findings.push(power(adapters, facts.switches.as_deref().unwrap_or_default()));
        findings.push(central(adapters));
        findings.push(advertising(adapters));
    }
    findings
}

fn service(facts: &Bluetooth) -> Finding {
    let check = Check::BluetoothService;
    match &facts.bluez {
        Bluez::Adapters(_) => Finding::ok(check, "The Bluetooth service answers"),
        // Whoever is turned away does not learn whether anybody is behind the door.
        Bluez::Denied => Finding::ok(check, "There is a system bus for the Bluetooth service"),
        Bluez::NoBus => Finding::fail(
            check,
            "There is no Bluetooth service: the system bus cannot be reached",
            "start the system bus (dbus), or run this on the system itself and not in a container",
        ),
        Bluez::Gone if facts.version.is_none() => Finding::fail(
            check,
            "There is no Bluetooth service: bluetoothd is not installed or cannot be found",
            "install BlueZ and start it",
        )
        .with("sudo apt install bluez"),
        Bluez::Gone => Finding::fail(
            check,
            "There is no Bluetooth service: bluetoothd does not run",
            "start it, with an adapter plugged in",
        )
        .with(START),
        Bluez::Failed(reason) => Finding::fail(
            check,
            format!("The Bluetooth service fails: {reason}"),
            "start it again, and look into its log if that does not help",
        )
        .with("sudo systemctl restart bluetooth"),
    }
}

/// Nothing to say where there is nobody to give a permission.
fn permission(bluez: &Bluez) -> Option<Finding> {
    let check = Check::BluetoothPermission;
    match bluez {
        Bluez::Adapters(_) => Some(Finding::ok(check, "This user may use Bluetooth")),
        Bluez::Denied => Some(
            Finding::fail(
                check,
                "This user may not use Bluetooth: the system bus forbids it",
                "log in at this computer's screen, or join the group bluetooth and log in again",
            )
            .with("sudo usermod --append --groups bluetooth \"$USER\""),
        ),
        Bluez::NoBus | Bluez::Gone | Bluez::Failed(_) => None,
    }
}

fn version(version: Option<Version>) -> Finding {
    let check = Check::BluetoothVersion;
    match version {
        None => Finding::unknown(
            check,
            "The version of bluetoothd is not known",
            "nothing to do if the Bluetooth service answers",
        ),
        Some(Version { major, minor }) if Version { major, minor } < TESTED => Finding::warn(
            check,
            format!("bluetoothd is version {major}.{minor}, older than any that this was tested with"),
            format!("update BlueZ to {}.{} or later if phones are not found", TESTED.major, TESTED.minor),
        ),
        Some(Version { major, minor }) => {
            Finding::ok(check, format!("bluetoothd is version {major}.{minor}"))
        }
    }
}

fn adapter(facts: &Bluetooth) -> Finding {
    let check = Check::BluetoothAdapter;
    let none = || {
        Finding::fail(
            check,
            "There is no Bluetooth adapter",
            "plug one in, or switch it on in the firmware's settings; in a virtual machine, pass one through",
        )
    };
    match (&facts.bluez, &facts.kernel) {
        (Bluez::Adapters(adapters), _) if !adapters.is_empty() => {
            let names: Vec<_> = adapters.iter().map(|adapter| adapter.name.as_str()).collect();
            Finding::ok(check, format!("There is a Bluetooth adapter: {}", names.join(", ")))
        }
        (Bluez::Adapters(_), Some(names)) if !names.is_empty() => Finding::fail(
            check,
            format!("The kernel has {}, and the Bluetooth service does not take it", names.join(", ")),
            "start the service again, and look into its log if that does not help",
        )
        .with("sudo systemctl restart bluetooth"),
        (_, Some(names)) if !names.is_empty() => {
            Finding::ok(check, format!("The kernel has a Bluetooth adapter: {}", names.join(", ")))
        }
        (Bluez::Adapters(_), _) | (_, Some(_)) => none(),
        (_, None) => Finding::unknown(
            check,
            "Whether there is a Bluetooth adapter is not known",
            "mend the Bluetooth service first",
        ),
    }
}

fn switches(switches: Option<&[RadioSwitch]>) -> Finding {
    let check = Check::BluetoothSwitches;
    let Some(switches) = switches else {
        return Finding::unknown(
            check,
            "Whether Bluetooth is blocked is not known: the kernel has no rfkill",
            "nothing to do if Bluetooth is on",
        );
    };
    let off = |by: fn(&&RadioSwitch) -> bool| switches.iter().find(by);
    let free = switches.iter().any(|switch| !switch.soft && !switch.hard);
    match (off(|switch| switch.hard), off(|switch| switch.soft)) {
        // One that is blocked does no harm while another is free.
        _ if free || switches.is_empty() => Finding::ok(check, "Bluetooth is not blocked"),
        (Some(switch), _) => Finding::fail(
            check,
            format!("Bluetooth is blocked by a switch of the computer ({})", switch.name),
            "use the switch or key for wireless at the computer, or the firmware's settings",
        ),
        (None, Some(switch)) => Finding::fail(
            check,
            format!("Bluetooth is blocked by a program or by flight mode ({})", switch.name),
            "end flight mode, or unblock it",
        )
        .with("sudo rfkill unblock bluetooth"),
        (None, None) => Finding::ok(check, "Bluetooth is not blocked"),
    }
}

fn power(adapters: &[Adapter], switches: &[RadioSwitch]) -> Finding {
    let check = Check::BluetoothPower;
    match adapters.iter().find(|adapter| adapter.powered) {
        Some(adapter) => Finding::ok(check, format!("Bluetooth is on: {}", adapter.name)),
        None if switches.iter().any(|switch| switch.soft || switch.hard) => {
            Finding::fail(check, "Bluetooth is off", "unblock it first, then switch it on")
                .with("rfkill unblock bluetooth && bluetoothctl power on")
        }
        None => Finding::fail(check, "Bluetooth is off", "switch it on").with("bluetoothctl power on"),
    }
}

fn central(adapters: &[Adapter]) -> Finding {
    let check = Check::BluetoothCentral;
    let can = |adapter: &&Adapter| adapter.central == Some(true);
    // The first that is on is the one that is used.
    let used = adapters.iter().find(|adapter| adapter.powered).or(adapters.first());
    match used.filter(can).or_else(|| adapters.iter().find(can)) {
        Some(adapter) if used == Some(adapter) => {
            Finding::ok(check, format!("{} can listen for phones (Bluetooth LE)", adapter.name))
        }
        Some(adapter) => Finding::warn(
            check,
            format!("The adapter that is used first cannot listen for phones, {} can", adapter.name),
            format!("name it with --adapter {}, or switch the other off", adapter.name),
        ),
        None if adapters.iter().any(|adapter| adapter.central.is_none()) => Finding::unknown(
            check,
            "Whether the adapter can listen for phones is not known: BlueZ does not say",
            "try to sign in; if no phone is found, use an adapter with Bluetooth 4.0 or later",
        ),
        None => Finding::fail(
            check,
            "The adapter cannot listen for phones: it has no central role of Bluetooth LE",
            "use an adapter with Bluetooth 4.0 or later",
        ),
    }
}

fn advertising(adapters: &[Adapter]) -> Finding {
    let check = Check::BluetoothAdvertising;
    match adapters.iter().filter_map(|adapter| adapter.free_adverts).max() {
        Some(free @ 1..) => {
            Finding::ok(check, format!("This computer could be a phone too: {free} adverts can be sent"))
        }
        _ => Finding::warn(
            check,
            "This computer cannot send adverts, which only hybridge-phone does",
            "nothing to do for signing in with a phone; hybridge-phone needs another adapter",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::samples, *};
    use crate::doctor::finding::Status;

    /// The status that this check has with these facts.
    fn status(facts: &Bluetooth, check: Check) -> Option<Status> {
        findings(facts).into_iter().find(|finding| finding.check == check).map(|finding| finding.status)
    }

    fn with(bluez: Bluez) -> Bluetooth {
        Bluetooth { bluez, ..samples::bluetooth() }
    }

    fn adapters(change: fn(&mut Adapter)) -> Bluetooth {
        let mut adapter = samples::adapter();
        change(&mut adapter);
        with(Bluez::Adapters(vec![adapter]))
    }

    #[test]
    fn all_is_well() {
        let findings = findings(&samples::bluetooth());
        assert_eq!(findings.len(), 8);
        assert!(findings.iter().all(|finding| finding.status == Status::Ok), "{findings:?}");
    }

    #[test]
    fn the_service() {
        let check = Check::BluetoothService;
        for bluez in [Bluez::NoBus, Bluez::Gone, Bluez::Failed("odd".to_owned())] {
            let facts = with(bluez);
            assert_eq!(status(&facts, check), Some(Status::Fail));
            assert_eq!(status(&facts, Check::BluetoothPermission), None);
            assert_eq!(status(&facts, Check::BluetoothPower), None);
        }
        let command = |version| service(&Bluetooth { version, ..with(Bluez::Gone) }).command;
        assert_eq!(command(None), Some("sudo apt install bluez"));
        assert_eq!(command(samples::bluetooth().version), Some(START));
    }

    #[test]
    fn the_permission() {
        let facts = with(Bluez::Denied);
        assert_eq!(status(&facts, Check::BluetoothService), Some(Status::Ok));
        assert_eq!(status(&facts, Check::BluetoothPermission), Some(Status::Fail));
    }

    #[test]
    fn the_version() {
        let of = |major, minor| version(Some(Version { major, minor })).status;
        assert_eq!((of(5, 66), of(5, 82), of(6, 0)), (Status::Ok, Status::Ok, Status::Ok));
        assert_eq!((of(5, 65), of(4, 99)), (Status::Warn, Status::Warn));
        assert_eq!(version(None).status, Status::Unknown);
    }

    #[test]
    fn the_adapter() {
        let of = |bluez: Bluez, kernel: Option<&[&str]>| {
            let kernel = kernel.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            adapter(&Bluetooth { bluez, kernel, ..samples::bluetooth() }).status
        };
        assert_eq!(of(Bluez::Adapters(Vec::new()), Some(&[])), Status::Fail);
        assert_eq!(of(Bluez::Adapters(Vec::new()), None), Status::Fail);
        assert_eq!(of(Bluez::Adapters(Vec::new()), Some(&["hci0"])), Status::Fail);
        assert_eq!(of(Bluez::Gone, Some(&[])), Status::Fail);
        assert_eq!(of(Bluez::Gone, Some(&["hci0"])), Status::Ok);
        assert_eq!(of(Bluez::NoBus, None), Status::Unknown);
        assert_eq!(of(samples::bluetooth().bluez, None), Status::Ok);
    }

    #[test]
    fn the_switches() {
        let switch = |soft, hard| RadioSwitch { name: "hci0".to_owned(), soft, hard };
        let of = |all: &[RadioSwitch]| switches(Some(all)).status;
        assert_eq!(of(&[]), Status::Ok);
        assert_eq!(of(&[switch(false, false)]), Status::Ok);
        assert_eq!(of(&[switch(true, false)]), Status::Fail);
        assert_eq!(of(&[switch(false, true)]), Status::Fail);
        assert_eq!(of(&[switch(true, true), switch(false, false)]), Status::Ok, "another is free");
        assert_eq!(switches(None).status, Status::Unknown);
        assert_eq!(switches(Some(&[switch(true, true)])).command, None, "no command turns a hard switch");
        assert!(switches(Some(&[switch(true, false)])).command.is_some());
    }

    #[test]
    fn the_power() {
        let off = adapters(|adapter| adapter.powered = false);
        assert_eq!(status(&off, Check::BluetoothPower), Some(Status::Fail));
        let Bluez::Adapters(mut all) = off.bluez else { unreachable!() };
        let blocked = [RadioSwitch { name: "hci0".to_owned(), soft: true, hard: false }];
        assert!(power(&all, &blocked).command.unwrap().starts_with("rfkill"));
        all.push(samples::adapter());
        assert_eq!(power(&all, &[]).status, Status::Ok, "one that is on is enough");
    }

    #[test]
    fn the_roles() {
        let of = |change: fn(&mut Adapter), check| status(&adapters(change), check);
        assert_eq!(of(|adapter| adapter.central = Some(false), Check::BluetoothCentral), Some(Status::Fail));
        assert_eq!(of(|adapter| adapter.central = None, Check::BluetoothCentral), Some(Status::Unknown));
        let advertising = Check::BluetoothAdvertising;
        assert_eq!(of(|adapter| adapter.free_adverts = None, advertising), Some(Status::Warn));
        assert_eq!(of(|adapter| adapter.free_adverts = Some(0), advertising), Some(Status::Warn));
        let deaf = Adapter { name: "hci0".to_owned(), central: Some(false), ..samples::adapter() };
        let other = Adapter { name: "hci1".to_owned(), ..samples::adapter() };
        let found = central(&[deaf, other]);
        assert_eq!((found.status, found.fix.unwrap().contains("--adapter hci1")), (Status::Warn, true));
    }
}
