//! The words of the pages.

use super::{
    event::{Operation, Program},
    model::{Asker, Model},
    page::{Bluetooth, Done, Kind, Page, Problem, Progress},
};

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What is the matter.
    pub heading: String,
    /// What to do.
    pub advice: String,
}

fn words(heading: impl Into<String>, advice: impl Into<String>) -> Words {
    Words { heading: heading.into(), advice: advice.into() }
}

/// What the page says.
pub fn of_page(model: &Model) -> Words {
    match model.page() {
        Page::Waiting => words("One moment", "A program is getting ready to ask for your phone."),
        Page::Touch => words(
            "Use your phone?",
            "A program asks for a security key. Say yes if you began this and want to use a passkey on your phone.",
        ),
        Page::Chosen => {
            words("Your phone it is", "The program goes on. If it needs your phone, a code appears here.")
        }
        Page::Preparing => words(purpose(model.asker()), "One moment: Bluetooth is being made ready."),
        Page::Code(_) => words(purpose(model.asker()), "Scan this code with your phone's camera."),
        Page::Searching => words(
            "Looking for your phone",
            "Keep the phone near, with Bluetooth on and with internet access.",
        ),
        Page::Progress(progress) => of_progress(progress),
        Page::Done(done) => of_done(*done, model.asker()),
        Page::Problem(problem) => of_problem(problem, model.asker()),
        Page::Wink => {
            words("This is your phone's key", "A program wants to know which security key this is.")
        }
    }
}

/// What the phone is wanted for.
fn purpose(asker: &Asker) -> String {
    let site = asker.rp_id.as_ref().map_or("a website", |site| site.as_str());
    match asker.operation {
        Some(Operation::Create) => format!("Save a passkey for {site}"),
        Some(Operation::Get) => format!("Sign in to {site}"),
        None => format!("Use your phone for {site}"),
    }
}

fn of_progress(progress: &Progress) -> Words {
    match progress {
        Progress::Calling(name) => words(format!("Calling {name}"), "Keep it near, with Bluetooth on."),
        Progress::Nearby => words("Your phone is near", "It has proved that it is in this room."),
        Progress::Connecting => words("Connecting to your phone", "Keep the phone near and unlocked."),
        Progress::Handshaking => words("Connecting to your phone", "Both sides prove who they are."),
        Progress::Connected => words("Your phone is connected", "It is being told who asks."),
        Progress::Approval => words(
            "Approve on your phone",
            "Look at your phone. Go on there only if it names the site that you expect.",
        ),
    }
}

fn of_done(done: Done, asker: &Asker) -> Words {
    let site = asker.rp_id.as_ref().map_or("the website", |site| site.as_str());
    match done {
        Done::Saved => words("Passkey saved", format!("Your phone has a passkey for {site} now.")),
        Done::SignedIn => words("Approved", format!("Your phone has signed for {site}.")),
        Done::Answered => words("Done", format!("Your phone has answered for {site}.")),
    }
}

fn of_problem(problem: &Problem, asker: &Asker) -> Words {
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
        Kind::BluetoothOff => words(
            "Bluetooth is off",
            "Bluetooth is how this computer knows that your phone is near. Nothing is paired.",
        ),
        Kind::NoPasskey => words(
            "No passkey on that phone",
            format!("That phone has no passkey for {site}. Use another phone, or another way to sign in."),
        ),
        Kind::Excluded => words(
            "Your phone has a passkey already",
            format!(
                "It has a passkey for this account at {site}. Sign in with it instead of making another."
            ),
        ),
        kind => of_other_kind(kind),
    }
}

fn of_other_kind(kind: Kind) -> Words {
    let (heading, advice) = match kind {
        Kind::NoAdapter => (
            "No Bluetooth adapter",
            "Plug one in. Any small USB adapter with Bluetooth 4.0 or later will do.",
        ),
        Kind::BluetoothPermission => (
            "Bluetooth is not yours to use",
            "Log in at this computer itself, or ask its owner to add you to the group bluetooth.",
        ),
        Kind::BluetoothService => (
            "Bluetooth is not running",
            "Install the package bluez, then start it: sudo systemctl enable --now bluetooth",
        ),
        Kind::Radio => {
            ("Bluetooth cannot be used", "Turn Bluetooth off and on again in the settings of this computer.")
        }
        Kind::TunnelNotReached => (
            "No way to your phone",
            "The service between could not be reached. Check the internet connection here.",
        ),
        Kind::TunnelRefused => (
            "The service between said no",
            "The service that your phone uses refuses connections. Wait a minute, then try again.",
        ),
        Kind::TunnelCertificate => (
            "The service between is not itself",
            "Its certificate is wrong. Check the clock here, and whether a network login page is in the way.",
        ),
        Kind::Tunnel => (
            "No way to your phone",
            "The service between cannot be used. Check the internet connection here and on the phone.",
        ),
        Kind::TimedOut => (
            "Time is up",
            "Nobody approved on a phone in time. Begin once more, with the phone in your hand.",
        ),
        Kind::Protocol => (
            "The phone was not understood",
            "It, or somebody in between, broke the rules. Update the phone, then try again.",
        ),
        Kind::Refused => (
            "The phone said no",
            "It was declined on the phone, or the phone cannot do it. Nothing was signed.",
        ),
        Kind::Cancelled => ("Cancelled", "The program does not wait any more. Nothing was signed."),
        Kind::Request => (
            "The request cannot be used",
            "The program asked for something that makes no sense. Nobody was asked.",
        ),
        Kind::KeyGone => (
            "The security key went away",
            "It is made again by itself. Begin once more in the program that asked.",
        ),
        Kind::NotDrawn => (
            "The code cannot be drawn",
            "It is too long for a QR code. Update this program, or report it as a mistake in it.",
        ),
        _ => ("That did not work", "Begin once more in the program that asked."),
    };
    words(heading, advice)
}

/// Which programs ask, in a line.
pub fn programs(asker: &Asker) -> String {
    let mut names: Vec<String> = asker.programs.iter().map(program).collect();
    match (names.len(), asker.more_programs) {
        (0, _) => "a program that the system does not name".to_owned(),
        (1, 0) => names.concat(),
        (_, 0) => {
            let last = names.pop().unwrap_or_default();
            format!("{} or {last}", names.join(", "))
        }
        (_, more) => format!("{} or {more} more", names.join(", ")),
    }
}

fn program(program: &Program) -> String {
    match program.pid {
        Some(pid) => format!("{} (process {pid})", program.name),
        None => program.name.to_string(),
    }
}

/// Said where no origin is known.
pub const NO_ORIGIN: &str = "A security key is not told which page asks, and any program can name any site. \
Go on only if you began this yourself.";

/// The line about the countdown.
pub fn countdown(seconds: u64) -> String {
    match seconds {
        0 => "A new code is on its way; this one still works".to_owned(),
        seconds => {
            let (minutes, rest) =
                (seconds.checked_div(60).unwrap_or(0), seconds.checked_rem(60).unwrap_or(0));
            format!("New code in {minutes}:{rest:02}")
        }
    }
}

/// How far it is, of four steps; `None` where there are no steps.
pub fn step(page: &Page) -> Option<(u8, &'static str)> {
    match page {
        Page::Preparing | Page::Code(_) => Some((1, "Scan")),
        Page::Searching => Some((2, "Find the phone")),
        Page::Progress(Progress::Calling(_) | Progress::Nearby) => Some((2, "Find the phone")),
        Page::Progress(Progress::Connecting | Progress::Handshaking | Progress::Connected) => {
            Some((3, "Connect"))
        }
        Page::Progress(Progress::Approval) => Some((4, "Approve")),
        Page::Done(_) => Some((5, "Done")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::window::{event::Event, text::Name};

    #[test]
    fn every_kind_has_its_own_words_and_advice() {
        let asker = Asker::default();
        let all: HashSet<String> = Kind::ALL.iter().map(|kind| of_kind(*kind, &asker).advice).collect();
        assert_eq!(all.len(), Kind::ALL.len());
    }

    #[test]
    fn programs_are_named() {
        let named = |name: &str, pid| Program { name: Name::from(name.to_owned()), pid };
        let mut asker = Asker::default();
        assert_eq!(programs(&asker), "a program that the system does not name");
        asker.programs = vec![named("firefox", Some(4242))];
        assert_eq!(programs(&asker), "firefox (process 4242)");
        asker.programs.push(named("ssh", None));
        assert_eq!(programs(&asker), "firefox (process 4242) or ssh");
        asker.more_programs = 2;
        assert_eq!(programs(&asker), "firefox (process 4242), ssh or 2 more");
    }

    #[test]
    fn the_countdown_is_minutes_and_seconds() {
        assert_eq!(countdown(125), "New code in 2:05");
        assert!(countdown(0).contains("still works"));
    }

    #[test]
    fn the_heading_names_the_site() {
        let mut model = Model::new(std::time::Duration::ZERO);
        let line = br#"{"event":"phone-wanted","operation":"create","rp_id":"a.example"}"#;
        model.handle(Event::read(line).unwrap(), std::time::Duration::ZERO);
        assert_eq!(of_page(&model).heading, "Save a passkey for a.example");
    }
}
