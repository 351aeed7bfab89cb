//! How long the client waits for what.

use core::time::Duration;

use super::{ClientDesk, HandPhone, client_desk::config, seconds};

fn failed_attempt(channel: u64, error: &str) -> String {
    format!("AttemptFailed by code, channel {channel}: {error}")
}

#[test]
fn nobody_scans() {
    let mut desk = ClientDesk::new(config());
    desk.wait(seconds(300));
    assert_eq!(
        desk.log(),
        ["StartScan", "ShowQr", "ShowQr", "ShowQr", "StopScan", "HideQr", "Failed(NobodyScanned)"]
    );
    assert_eq!(desk.machine.poll_timeout(), None);
}

#[test]
fn a_dial_has_two_times_ten_seconds() {
    let mut desk = ClientDesk::new(config());
    desk.hear(&HandPhone::scan(&desk.code(), 1).advert());
    desk.log();
    desk.wait(seconds(10));
    assert_eq!(desk.log(), ["Close channel 1 1001", "Dial channel 2"]);
    desk.wait(seconds(10));
    assert_eq!(desk.log(), ["Close channel 2 1001", failed_attempt(2, "DialTimeout").as_str(), "ShowQr"]);
}

#[test]
fn the_handshake_has_fifteen_seconds() {
    let mut desk = ClientDesk::new(config());
    desk.hear(&HandPhone::scan(&desk.code(), 1).advert());
    desk.opened(desk.channel());
    desk.log();
    desk.wait(Duration::from_millis(14_999));
    assert_eq!(desk.log(), [""; 0]);
    desk.wait(Duration::from_millis(1));
    assert_eq!(
        desk.log(),
        ["Close channel 1 1001", failed_attempt(1, "HandshakeTimeout").as_str(), "ShowQr"]
    );
}

#[test]
fn the_description_has_fifteen_seconds() {
    let mut desk = ClientDesk::new(config());
    let phone = HandPhone::scan(&desk.code(), 1);
    desk.shake_hands(&phone);
    desk.log();
    desk.wait(seconds(15));
    assert_eq!(desk.log(), ["Close channel 1 1001", "Failed(Silent)"]);
}

/// A candidate that is under way when the search's time is over may still win.
#[test]
fn the_end_of_the_search_leaves_a_candidate_its_time() {
    let mut desk = ClientDesk::new(config());
    desk.wait(seconds(295));
    let phone = HandPhone::scan(&desk.code(), 1);
    desk.hear(&phone.advert());
    desk.wait(seconds(8));
    desk.log();
    let channel = desk.channel();
    desk.opened(channel);
    let (message_2, mut session) = phone.respond(&desk.sent());
    desk.receive(channel, message_2);
    desk.receive(channel, session.describe());
    assert_eq!(desk.log().pop().expect("an event"), "Connected by code");
}

#[test]
fn the_end_of_the_search_shows_no_new_code() {
    let mut desk = ClientDesk::new(config());
    desk.wait(seconds(295));
    desk.hear(&HandPhone::scan(&desk.code(), 1).advert());
    desk.log();
    desk.wait(seconds(20));
    assert_eq!(
        desk.log(),
        [
            "Close channel 1 1001",
            "Dial channel 2",
            "Close channel 2 1001",
            "StopScan",
            failed_attempt(2, "DialTimeout").as_str(),
            "Failed(Attempt(DialTimeout))"
        ]
    );
}

/// "Wait for ever" is a wish that callers may have.
#[test]
fn times_without_end_are_possible() {
    let mut config = config();
    let timing = &mut config.timing;
    for time in [&mut timing.code_lifetime, &mut timing.code_grace, &mut timing.search, &mut timing.linger] {
        *time = Duration::MAX;
    }
    for time in [&mut timing.connect, &mut timing.call, &mut timing.handshake, &mut timing.post_handshake] {
        *time = Duration::MAX;
    }
    config.accept_linking = true;
    let (mut desk, _, _) = ClientDesk::connected(config);
    assert_eq!(desk.machine.send_ctap(desk.now(), &[4], Duration::MAX), Ok(()));
    desk.settle();
    desk.wait(seconds(1_000_000));
    assert_eq!(desk.log(), ["Send channel 1"]);
    desk.shutdown();
    desk.wait(seconds(1_000_000));
    assert_eq!(desk.log(), ["Send channel 1"]);
}
