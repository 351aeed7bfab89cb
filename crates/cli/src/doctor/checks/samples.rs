//! A computer where all is well.

use std::time::{Duration, SystemTime};

use super::super::facts::{
    Adapter, Autostart, Bluetooth, Bluez, Clock, Desktop, Device, Helper, Key, RadioSwitch, Rule, Session,
    System, Uhid, Version,
};

pub(in crate::doctor) fn system() -> System {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let clock = Clock { now, program: Some(now - Duration::from_secs(86_400)) };
    System { bluetooth: bluetooth(), key: key(), tunnels: Vec::new(), clock, desktop: desktop() }
}

pub(super) fn adapter() -> Adapter {
    Adapter { name: "hci0".to_owned(), powered: true, central: Some(true), free_adverts: Some(5) }
}

pub(super) fn bluetooth() -> Bluetooth {
    Bluetooth {
        kernel: Some(vec!["hci0".to_owned()]),
        bluez: Bluez::Adapters(vec![adapter()]),
        version: Some(Version { major: 5, minor: 82 }),
        switches: Some(vec![RadioSwitch { name: "hci0".to_owned(), soft: false, hard: false }]),
    }
}

pub(super) fn key() -> Key {
    Key {
        uhid: Uhid::Present,
        helper: Helper::Listening,
        session: Some(Session::AtTheScreen),
        devices: vec![Device { node: "hidraw3".to_owned(), ours: true, usable: true }],
        rule: Rule::Ours,
    }
}

pub(super) fn desktop() -> Desktop {
    Desktop {
        program: true,
        session_bus: true,
        autostart: Autostart::On,
        session_type: Some("wayland".to_owned()),
        display: true,
    }
}
