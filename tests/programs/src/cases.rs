//! All cases.

use std::{future::Future, pin::Pin};

use crate::{failure::Failure, scene::Scene};

mod bad_input;
mod doctor;
mod ends;
mod radio;
mod success;
mod testbed;

type Play = for<'a> fn(&'a mut Scene) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

/// A case, and what has to happen in it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) play: Play,
}

macro_rules! cases {
    ($($name:literal $module:ident::$play:ident)+) => {
        /// In the order in which they are run.
        pub(crate) const CASES: &[Case] =
            &[$(Case { name: $name, play: |scene| Box::pin($module::$play(scene)) }),+];
    };
}

cases! {
    "create" success::create
    "create, then get" success::create_then_get
    "get with allow list" success::get_with_allow_list
    "create with exclude list: 9" success::create_with_exclude_list
    "second phone: the first wins" success::second_phone
    "--l2cap, and a phone without" success::l2cap_falls_back
    "--qr-png, read by zbarimg" success::picture
    "for a person: no events" success::person
    "malformed JSON: 1" bad_input::malformed_json
    "wrong origin: 1" bad_input::wrong_origin
    "unknown hints: ignored" bad_input::unknown_hints
    "relay with a bad certificate: 5" bad_input::bad_certificate
    "relay with a bad certificate, phone: 5" bad_input::bad_certificate_at_the_phone
    "relay that is not there: 5" bad_input::no_relay
    "missing adapter: 4" radio::missing_adapter
    "adapter off: 4" radio::adapter_off
    "no bluetoothd: 4" radio::no_service
    "no permission: 4" radio::no_permission
    "adapter pulled out meanwhile: 4" radio::pulled_out
    "doctor: all is well" doctor::well
    "doctor: tunnel service with a bad certificate" doctor::bad_certificate
    "doctor: adapters off" doctor::off
    "doctor: no adapter" doctor::no_adapter
    "doctor: no permission" doctor::no_permission
    "doctor: no bluetoothd" doctor::no_service
    "phone refuses: 8" ends::refused
    "phone has no passkey: 8" ends::no_passkey
    "nobody scans: 6" ends::nobody_scans
    "nobody approves: 6, phone: 6" ends::nobody_approves
    "Ctrl-C before a phone: 130" ends::interrupted_before
    "Ctrl-C while the phone asks: 130, phone: 6" ends::interrupted_meanwhile
    "testbed: for a shell, until its pipe ends" testbed::shell
    "testbed: --format json, SIGTERM, SIGINT" testbed::json
    "testbed: --settings-file" testbed::settings_file
    "testbed: --answer" testbed::answer
    "testbed: bluez alone" testbed::bluez
    "testbed: exit codes" testbed::exit_codes
    "testbed: what a command has started ends" testbed::children
}
