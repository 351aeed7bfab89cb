//! The words of the pages.

mod problems;

use super::{
    event::{Operation, Program},
    model::{Asker, Model},
    page::{Done, Page, Progress},
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
        Page::Problem(problem) => problems::of_problem(problem, model.asker()),
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
    use super::*;
    use crate::window::{event::Event, text::Name};

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
