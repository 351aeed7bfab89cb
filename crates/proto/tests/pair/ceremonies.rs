//! Ceremonies in which nothing goes wrong, and that a run can be repeated.

use core::time::Duration;

use super::sim::{Dice, Plan, Settings, Who, World};

/// Lets a world run that must lead to success, and shows what happened if it does not.
pub(crate) fn succeeds(settings: Settings) -> World {
    let mut world = World::new(settings, Plan::Clean);
    let outcome = world.run();
    assert!(world.succeeded(), "{outcome:?}\n{}", world.trace);
    world
}

#[test]
fn standard_ceremony() {
    let world = succeeds(Settings::standard(1));
    for what in ["shows a code", "hears", "hides the code", "dials", "is connected", "has a reply"] {
        assert!(world.trace.has(Who::Laptop, what), "{what}\n{}", world.trace);
    }
    assert!(world.trace.has(Who::Phone(0), "is on the air"));
}

#[test]
fn ble_channel_is_used_when_both_offer_it() {
    for (laptop, phone) in [(true, true), (true, false), (false, true)] {
        let settings = Settings { laptop_l2cap: laptop, phone_l2cap: phone, ..Settings::standard(2) };
        let world = succeeds(settings);
        assert_eq!(world.trace.has(Who::Laptop, "dials over BLE"), laptop && phone);
    }
}

#[test]
fn two_phones_scan_and_one_wins() {
    let world = succeeds(Settings { owners: 2, ..Settings::standard(3) });
    assert!(world.trace.has(Who::Phone(1), "is on the air"), "{}", world.trace);
}

#[test]
fn strangers_do_not_matter() {
    succeeds(Settings { strangers: 50, ..Settings::standard(4) });
}

#[test]
fn slow_people_scan_a_later_code() {
    let mut settings = Settings::standard(5);
    settings.timing.code_lifetime = Duration::from_secs(10);
    settings.timing.scan = Duration::from_secs(9);
    settings.timing.phone_opens = Duration::from_secs(5);
    let world = succeeds(settings);
    assert!(world.trace.to_string().matches("shows a code").count() > 1, "{}", world.trace);
}

#[test]
fn same_seed_same_trace() {
    for seed in 0..100 {
        let run = |seed| {
            let mut dice = Dice::new(seed, 0);
            let mut settings = Settings::random(seed, &mut dice);
            settings.worsen(&mut dice);
            let plan = Plan::Often { dice: Box::new(Dice::new(seed, 2)), percent: 10 };
            let mut world = World::new(settings, plan);
            let outcome = world.run();
            (outcome, world.trace)
        };
        let (first, second) = (run(seed), run(seed));
        assert!(first == second, "seed {seed}\n{}\n{}", first.1, second.1);
        assert!(run(seed + 1_000).1 != first.1);
    }
}
