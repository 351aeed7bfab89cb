//! The client's search: which adverts it follows, what it does when one leads nowhere, and how long a code counts.

use hybridge_proto::{
    channel::{DialFailure, Route},
    client::ClientConfig,
    domain::DomainId,
    service::ServicePath,
};

use super::{ClientDesk, HandPhone, client_desk::config, seconds};

/// A desk whose phone was heard, with an empty log.
fn heard(config: ClientConfig) -> (ClientDesk, HandPhone) {
    let mut desk = ClientDesk::new(config);
    let phone = HandPhone::scan(&desk.code(), 1);
    desk.hear(&phone.advert());
    desk.log();
    (desk, phone)
}

#[test]
fn an_advert_is_followed_to_its_tunnel() {
    let mut desk = ClientDesk::new(config());
    assert_eq!(desk.log(), ["StartScan", "ShowQr"]);
    let code = desk.code();
    desk.hear(&HandPhone::scan(&code, 1).advert());
    assert_eq!(desk.log(), ["Dial channel 1", "HideQr", "PhoneNearby by code"]);
    let (_, Route::Tunnel(request)) = &desk.dials[0] else { panic!("not a tunnel") };
    assert_eq!(request.host, "cable.wufkweyy3uaxb.com");
    let ServicePath::Connect { routing, tunnel } = &request.path else { panic!("not a join") };
    assert_eq!((routing.as_bytes(), *tunnel), (&[1, 2, 3], code.secret.tunnel_id()));
}

#[test]
fn an_advert_with_a_changed_bit_is_nobodys() {
    let mut desk = ClientDesk::new(config());
    let advert = HandPhone::scan(&desk.code(), 1).advert();
    for bit in 0..160 {
        let mut changed = advert.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        desk.hear(&changed);
    }
    desk.hear(&advert[..19]);
    desk.hear(&[&advert[..], &[0; 300]].concat());
    assert!(desk.dials.is_empty());
    desk.hear(&advert);
    assert_eq!(desk.dials.len(), 1);
}

#[test]
fn a_passing_dial_failure_is_retried_once() {
    for failure in [DialFailure::Unreachable, DialFailure::Refused(503)] {
        let (mut desk, _) = heard(config());
        let first = desk.channel();
        desk.failed(first, failure);
        assert_eq!(desk.log(), ["Dial channel 2"]);
        assert_eq!(desk.dials[0].1, desk.dials[1].1);
        desk.failed(first, failure);
        assert_eq!(desk.log(), [""; 0], "a report about a channel of the past");
        desk.failed(desk.channel(), failure);
        let failed = format!("AttemptFailed by code, channel 2: Dial({failure:?})");
        assert_eq!(desk.log(), [failed.as_str(), "ShowQr"]);
    }
}

#[test]
fn a_refusal_is_not_retried() {
    for failure in [DialFailure::Refused(404), DialFailure::Gone, DialFailure::NotATunnelService] {
        let (mut desk, _) = heard(config());
        desk.failed(desk.channel(), failure);
        let failed = format!("AttemptFailed by code, channel 1: Dial({failure:?})");
        assert_eq!(desk.log(), [failed.as_str(), "ShowQr"]);
    }
}

#[test]
fn after_a_failed_match_both_codes_count_for_the_grace_time() {
    let (mut desk, _) = heard(config());
    let old = desk.code();
    desk.failed(desk.channel(), DialFailure::Refused(404));
    let fresh = desk.code();
    assert!(old.secret != fresh.secret && old.public_key != fresh.public_key);

    desk.wait(seconds(59));
    desk.log();
    let (_, session) = desk.shake_hands(&HandPhone::scan(&old, 2));
    drop(session);
    assert!(desk.log().contains(&"StopScan".to_owned()), "the old code's handshake is finished");
}

#[test]
fn after_the_grace_time_only_the_fresh_code_counts() {
    let (mut desk, _) = heard(config());
    let old = desk.code();
    desk.failed(desk.channel(), DialFailure::Refused(404));
    desk.wait(seconds(60));
    desk.log();
    desk.hear(&HandPhone::scan(&old, 2).advert());
    assert_eq!(desk.log(), [""; 0]);
    desk.shake_hands(&HandPhone::scan(&desk.code(), 3));
    assert!(desk.log().contains(&"StopScan".to_owned()));
}

/// A driver whose timers are late does not lengthen the grace time.
#[test]
fn the_grace_time_ends_without_a_timer() {
    let (mut desk, _) = heard(config());
    let old = desk.code();
    desk.failed(desk.channel(), DialFailure::Refused(404));
    desk.oversleep(seconds(60));
    desk.log();
    desk.hear(&HandPhone::scan(&old, 2).advert());
    assert_eq!(desk.log(), [""; 0]);
}

#[test]
fn codes_rotate_and_the_last_one_counts_for_the_grace_time() {
    let mut desk = ClientDesk::new(config());
    let first = desk.code();
    desk.wait(seconds(119));
    assert_eq!(desk.codes.len(), 1);
    desk.wait(seconds(1));
    assert_eq!(desk.log(), ["StartScan", "ShowQr", "ShowQr"]);
    desk.wait(seconds(59));
    desk.hear(&HandPhone::scan(&first, 1).advert());
    assert_eq!(desk.log(), ["Dial channel 1", "HideQr", "PhoneNearby by code"]);

    let mut desk = ClientDesk::new(config());
    desk.wait(seconds(180));
    desk.hear(&HandPhone::scan(&first, 1).advert());
    assert!(desk.dials.is_empty());
}

#[test]
fn every_unassigned_tunnel_service_is_reported() {
    for domain in 2..=255 {
        let mut desk = ClientDesk::new(config());
        desk.log();
        let phone = HandPhone::at(&desk.code(), 1, DomainId::new(domain));
        desk.hear(&phone.advert());
        desk.hear(&phone.advert());
        assert_eq!(desk.log(), [format!("UnknownTunnelService {domain}")]);
    }
}

#[test]
fn the_search_goes_on_after_an_unknown_tunnel_service() {
    let mut desk = ClientDesk::new(config());
    desk.hear(&HandPhone::at(&desk.code(), 1, DomainId::new(2)).advert());
    desk.log();
    desk.shake_hands(&HandPhone::scan(&desk.code(), 2));
    assert!(desk.log().contains(&"StopScan".to_owned()));
}

#[test]
fn an_unknown_tunnel_service_is_the_reason_in_the_end() {
    let mut desk = ClientDesk::new(config());
    let phone = HandPhone::at(&desk.code(), 1, DomainId::new(77));
    desk.hear(&phone.advert());
    desk.wait(seconds(300));
    assert_eq!(desk.log().pop().expect("an end"), "Failed(UnknownTunnelService(DomainId(77)))");
}

#[test]
fn the_first_finished_handshake_wins() {
    let (mut desk, first) = heard(config());
    let code = desk.code();
    let second = HandPhone::scan(&code, 2);
    desk.hear(&second.advert());
    let channels: Vec<_> = desk.dials.iter().map(|dial| dial.0).collect();
    desk.opened(channels[0]);
    let to_first = desk.sent();
    desk.opened(channels[1]);
    let to_second = desk.sent();
    desk.log();
    let (answer, mut session) = second.respond(&to_second);
    desk.receive(channels[1], answer);
    assert_eq!(desk.log(), ["StopScan", "Close channel 1 1001"]);
    desk.receive(channels[0], first.respond(&to_first).0);
    assert_eq!(desk.log(), [""; 0]);
    desk.receive(channels[1], session.describe());
    assert_eq!(desk.log(), ["Connected by code"]);
}

#[test]
fn a_fifth_candidate_waits_for_a_free_place() {
    let mut desk = ClientDesk::new(config());
    let code = desk.code();
    let adverts: Vec<_> = (0..5).map(|seed| HandPhone::scan(&code, seed).advert()).collect();
    adverts.iter().for_each(|advert| desk.hear(advert));
    assert_eq!(desk.dials.len(), 4);
    desk.failed(desk.dials[1].0, DialFailure::Refused(404));
    adverts.iter().for_each(|advert| desk.hear(advert));
    assert_eq!(desk.dials.len(), 5, "the fifth, and none of the others again");
}

/// Somebody with a photo of one code can waste that code's chances, and nobody else's.
#[test]
fn endless_adverts_of_one_code_leave_the_next_code_usable() {
    let mut desk = ClientDesk::new(config());
    let code = desk.code();
    for seed in 0..100 {
        desk.hear(&HandPhone::scan(&code, seed).advert());
        if let Some((channel, _)) = desk.dials.pop() {
            desk.failed(channel, DialFailure::Refused(404));
        }
    }
    desk.dials.clear();
    desk.hear(&HandPhone::scan(&code, 200).advert());
    assert!(desk.dials.is_empty(), "a code whose adverts have led nowhere often enough");
    let fresh = desk.code();
    assert!(fresh.secret != code.secret);
    desk.shake_hands(&HandPhone::scan(&fresh, 1));
    assert!(desk.log().contains(&"StopScan".to_owned()));
}

#[test]
fn a_wrong_answer_to_the_handshake_closes_and_searches_on() {
    let (mut desk, phone) = heard(config());
    let channel = desk.channel();
    desk.opened(channel);
    let (mut message_2, _) = phone.respond(&desk.sent());
    message_2[80] ^= 1;
    desk.log();
    desk.receive(channel, message_2);
    let failed = "AttemptFailed by code, channel 1: Handshake(Authentication)";
    assert_eq!(desk.log(), ["Close channel 1 1002", failed, "ShowQr"]);
    desk.hear(&phone.advert());
    assert_eq!(desk.log(), [""; 0], "one handshake for each advert");
}

#[test]
fn ending_a_search_puts_everything_away() {
    let (mut desk, _) = heard(config());
    desk.machine.show_code(desk.now());
    desk.settle();
    desk.log();
    desk.shutdown();
    assert_eq!(desk.log(), ["StopScan", "Close channel 1 1001", "HideQr", "Finished"]);
    desk.shutdown();
    desk.wait(seconds(1_000));
    assert_eq!(desk.log(), [""; 0]);
    assert!(desk.machine.is_closed());
}
