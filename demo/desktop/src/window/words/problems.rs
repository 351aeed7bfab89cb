//! What went wrong, and what to do about it.

use super::{Asker, Words, words};
use crate::window::page::{Bluetooth, Kind, Problem};

/// Headings and advice that stay the same whoever asks.
const FIXED: &[(Kind, &str, &str)] = &[
    (
        Kind::BluetoothOff,
        "Bluetooth is off",
        "Bluetooth is how this computer knows that your phone is near. Nothing is paired.",
    ),
    (
        Kind::NoAdapter,
        "No Bluetooth adapter",
        "Plug one in. Any small USB adapter with Bluetooth 4.0 or later will do.",
    ),
    (
        Kind::BluetoothPermission,
        "Bluetooth is not yours to use",
        "Log in at this computer itself, or ask its owner to add you to the group bluetooth.",
    ),
    (
        Kind::BluetoothService,
        "Bluetooth is not running",
        "Install the package bluez, then start it: sudo systemctl enable --now bluetooth",
    ),
    (
        Kind::Radio,
        "Bluetooth cannot be used",
        "Turn Bluetooth off and on again in the settings of this computer.",
    ),
    (
        Kind::TunnelNotReached,
        "No way to your phone",
        "The service that connects to phones was not reached. Check the internet connection here.",
    ),
    (
        Kind::TunnelRefused,
        "The connection was refused",
        "The service that connects to your phone turns connections away. Wait a minute, then try again.",
    ),
    (
        Kind::TunnelCertificate,
        "The connection is not safe",
        "The service that connects to phones has a wrong certificate. Check the clock here, and whether a network login \
         page is in the way.",
    ),
    (
        Kind::Tunnel,
        "No way to your phone",
        "The service that connects to phones cannot be used. Check the internet connection here and on the phone.",
    ),
    (
        Kind::TimedOut,
        "Time is up",
        "Nobody approved on a phone in time. Begin once more, with the phone in your hand.",
    ),
    (
        Kind::Protocol,
        "The phone was not understood",
        "It, or somebody in between, broke the rules. Update the phone, then try again.",
    ),
    (
        Kind::Refused,
        "The phone said no",
        "It was declined on the phone, or the phone cannot do it. Nothing was signed.",
    ),
    (Kind::Cancelled, "Cancelled", "The program does not wait any more. Nothing was signed."),
    (
        Kind::Request,
        "The request cannot be used",
        "The program asked for something that makes no sense. Nobody was asked.",
    ),
    (
        Kind::KeyGone,
        "The security key went away",
        "It is made again by itself. Begin once more in the program that asked.",
    ),
    (
        Kind::NotDrawn,
        "The code cannot be drawn",
        "It is too long for a QR code. Update this program, or report it as a mistake in it.",
    ),
    (Kind::Other, "That did not work", "Begin once more in the program that asked."),
];

pub(super) fn of_problem(problem: &Problem, asker: &Asker) -> Words {
    match (problem.kind, problem.bluetooth) {
        (Kind::BluetoothOff, Bluetooth::On) if problem.retry => {
            words("Bluetooth is on", "Your phone can be found now. Try again.")
        }
        (Kind::BluetoothOff, Bluetooth::On) => words(
            "Bluetooth is on",
            "Your phone can be found now. Begin once more in the program that asked.",
        ),
        (Kind::BluetoothOff, Bluetooth::Asked) => words("Turning Bluetooth on", "This takes a moment."),
        (Kind::BluetoothOff, Bluetooth::Refused) => words(
            "Bluetooth could not be turned on",
            "Turn it on in the settings of this computer, or with its switch, then try again.",
        ),
        (kind, _) => of_kind(kind, asker),
    }
}

fn of_kind(kind: Kind, asker: &Asker) -> Words {
    let site = asker.rp_id.as_ref().map_or("this website", |site| site.as_str());
    match kind {
        Kind::NoPasskey => words(
            "No passkey on that phone",
            format!("That phone has no passkey for {site}. Use another phone, or another way to sign in."),
        ),
        Kind::Excluded => words(
            "Your phone has a passkey already",
            format!("It has one for this account at {site}. Sign in with it instead of making another."),
        ),
        kind => {
            let fixed = FIXED.iter().find(|(of, ..)| *of == kind).or(FIXED.last());
            fixed.map_or_else(|| words("", ""), |(_, heading, advice)| words(*heading, *advice))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_its_own_advice() {
        let asker = Asker::default();
        let all: HashSet<String> = Kind::ALL.iter().map(|kind| of_kind(*kind, &asker).advice).collect();
        assert_eq!(all.len(), Kind::ALL.len());
    }
}
