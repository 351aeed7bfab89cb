//! Remembered phones: linking in one ceremony, a call in the next.

use core::time::Duration;

use hybridge_proto::{
    channel::DialFailure,
    client::{AttemptError, ClientError, Link},
};

use super::{
    ceremonies::succeeds,
    sim::{Plan, Settings, World},
};

/// Scans a code in a ceremony that leaves a link behind.
fn link() -> Link {
    let settings = Settings { accept_linking: true, offer_linking: true, ..Settings::standard(1) };
    let mut world = succeeds(settings);
    world.laptop.links.pop().expect("a link")
}

/// A ceremony without a code, with nothing but that link.
fn call(settings: Settings) -> World {
    let mut world = World::new(Settings { calls: Vec::new(), ..settings }, Plan::Clean);
    let outcome = world.run_with(vec![link()]);
    assert!(world.succeeded(), "{outcome:?}\n{}", world.trace);
    assert_eq!(world.laptop.links.len(), 0);
    world
}

#[test]
fn a_link_leads_to_its_phone() {
    for signal in [true, false] {
        let world = call(Settings { signal, ..Settings::call(2) });
        assert_eq!(world.trace.find("PhoneJoined").is_some(), signal, "{}", world.trace);
        assert_eq!(world.trace.find("shows a code"), None);
    }
}

#[test]
fn the_advert_comes_before_the_laptops_tunnel() {
    for signal in [true, false] {
        let mut settings = Settings { signal, ..Settings::call(3) };
        settings.timing.laptop_opens = Duration::from_secs(6);
        let world = call(settings);
        assert!(world.trace.find("PhoneNearby") < world.trace.find("Handshaking"), "{}", world.trace);
    }
}

#[test]
fn the_advert_comes_long_after_the_laptops_tunnel() {
    let mut settings = Settings::call(4);
    settings.timing.wake = Duration::from_secs(100);
    call(settings);
}

#[test]
fn an_updating_phone_gives_no_link_when_called() {
    call(Settings { accept_linking: true, offer_linking: true, ..Settings::call(5) });
}

#[test]
fn only_a_phone_that_is_gone_is_to_be_forgotten() {
    for failure in [DialFailure::Gone, DialFailure::Refused(404), DialFailure::Refused(503)] {
        let settings = Settings { contact_failure: Some(failure), ..Settings::call(6) };
        let mut world = World::new(settings, Plan::Clean);
        let outcome = world.run();
        assert_eq!(outcome.laptop, Some(Err(ClientError::Attempt(AttemptError::Dial(failure)))));
        assert_eq!(world.trace.find("LinkGone").is_some(), failure == DialFailure::Gone);
    }
}

#[test]
fn a_code_beside_the_call_helps_when_the_phone_is_gone() {
    let failure = Some(DialFailure::Gone);
    let world = succeeds(Settings { code: true, contact_failure: failure, ..Settings::call(7) });
    assert!(world.trace.find("LinkGone") < world.trace.find("hides the code"), "{}", world.trace);
    assert!(world.trace.find("LinkGone").is_some());
}

#[test]
fn of_a_code_and_a_call_the_faster_wins() {
    for (wake, found_by) in [(1, "Handshaking by call"), (30, "Handshaking by code")] {
        let mut settings = Settings { code: true, ..Settings::call(8) };
        settings.timing.wake = Duration::from_secs(wake);
        let world = succeeds(settings);
        assert!(world.trace.find(found_by).is_some(), "{}", world.trace);
    }
}

#[test]
fn of_two_called_phones_one_wins() {
    let world = succeeds(Settings { calls: vec![0, 1], owners: 2, ..Settings::call(9) });
    assert!(world.trace.find("owner 1").is_some(), "{}", world.trace);
}
