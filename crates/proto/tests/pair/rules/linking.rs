//! Linking information: from whom it is taken, and when.

use hybridge_proto::{
    client::ClientConfig,
    message::{Message, PostHandshake, Update},
};

use super::{ClientDesk, HandPhone, HandSession, client_desk::config, hand::GET_INFO, seconds};
use crate::pair::sim::Remembered;

fn accepting() -> ClientConfig {
    let mut config = config();
    config.accept_linking = true;
    config
}

/// The map of linking information, signed for the client of this session.
fn signed(desk: &ClientDesk, session: &HandSession) -> Vec<u8> {
    let remembered = Remembered::of(1);
    remembered.info().encode(&remembered.identity, &desk.code().public_key, &session.hash).to_vec()
}

fn update(info: &[u8]) -> Message {
    Message::Update(Update { linking_info: Some(info) }.encode())
}

#[test]
fn linking_information_is_given_out_once_verified() {
    let (mut desk, channel, mut session) = ClientDesk::connected(accepting());
    let message = update(&signed(&desk, &session));
    desk.receive(channel, session.seal(&message));
    assert_eq!(desk.log(), ["Linked"]);
    assert_eq!(desk.links[0].domain.get(), 266, "the tunnel service of this session");
    assert_eq!(desk.links[0].info.identity, *Remembered::of(1).identity.public_key());
}

#[test]
fn forged_signatures_are_refused_and_the_session_goes_on() {
    let (mut desk, channel, mut session) = ClientDesk::connected(accepting());
    let mut info = signed(&desk, &session);
    *info.last_mut().expect("a signature") ^= 1;
    desk.request(&[2]).expect("sent");
    desk.log();
    desk.receive(channel, session.seal(&update(&info)));
    desk.receive(channel, session.seal(&Message::Ctap(vec![0])));
    assert_eq!(desk.log(), ["LinkRefused(Signature)", "CtapReply([0])"]);
}

/// A phone that plays back what another phone signed for another session.
#[test]
fn signatures_of_another_session_are_refused() {
    let (desk, _, session) = ClientDesk::connected(accepting());
    let info = signed(&desk, &session);
    let mut desk = ClientDesk::new(accepting());
    let phone = HandPhone::scan(&desk.code(), 2);
    let (channel, mut session) = desk.shake_hands(&phone);
    desk.receive(channel, session.describe());
    desk.log();
    desk.receive(channel, session.seal(&update(&info)));
    assert_eq!(desk.log(), ["LinkRefused(Signature)"]);
}

#[test]
fn malformed_information_is_refused() {
    let (mut desk, channel, mut session) = ClientDesk::connected(accepting());
    desk.receive(channel, session.seal(&update(&[0xa0])));
    desk.receive(channel, session.seal(&update(&[0x00])));
    let log = desk.log();
    assert!(log.len() == 2 && log.iter().all(|event| event.starts_with("LinkRefused(")), "{log:?}");
}

#[test]
fn a_client_that_did_not_ask_hears_nothing_of_it() {
    let (mut desk, channel, mut session) = ClientDesk::connected(config());
    let mut info = signed(&desk, &session);
    desk.receive(channel, session.seal(&update(&info)));
    info.pop();
    desk.receive(channel, session.seal(&Message::Update(info)));
    desk.receive(channel, session.seal(&Message::Update(b"no map".to_vec())));
    assert!(desk.log().is_empty());
}

#[test]
fn the_old_position_counts_as_well() {
    let mut desk = ClientDesk::new(accepting());
    let phone = HandPhone::scan(&desk.code(), 1);
    let (channel, mut session) = desk.shake_hands(&phone);
    desk.log();
    // {1: getInfo, 2: linking information}
    let mut description = PostHandshake::ctap(GET_INFO).encode();
    description[0] = 0xa2;
    description.push(2);
    description.extend_from_slice(&signed(&desk, &session));
    desk.receive(channel, session.seal_bytes(&description));
    assert_eq!(desk.log(), ["Connected by code", "Linked"]);
}

#[test]
fn late_information_is_waited_for() {
    let (mut desk, channel, mut session) = ClientDesk::connected(accepting());
    desk.shutdown();
    assert_eq!(desk.log(), ["Send channel 1"]);
    desk.wait(seconds(179));
    let message = update(&signed(&desk, &session));
    desk.receive(channel, session.seal(&message));
    assert_eq!(desk.log(), ["Linked"]);
    desk.closed(channel);
    assert_eq!(desk.log(), ["Finished"]);
}

#[test]
fn the_wait_for_late_information_ends() {
    let (mut desk, _, _) = ClientDesk::connected(accepting());
    desk.shutdown();
    desk.log();
    desk.shutdown();
    desk.wait(seconds(180));
    assert_eq!(desk.log(), ["Close channel 1 1000", "Finished"]);
}

/// The caller has everything it wanted, so what goes wrong while waiting is no failure.
#[test]
fn nothing_that_happens_while_waiting_is_a_failure() {
    let (mut desk, channel, mut session) = ClientDesk::connected(accepting());
    desk.request(&[2]).expect("sent");
    desk.shutdown();
    desk.log();
    desk.receive(channel, session.seal(&Message::Ctap(vec![0])));
    assert!(desk.log().is_empty(), "the reply to a request that was given up");
    desk.receive(channel, vec![0; 48]);
    assert_eq!(desk.log(), ["Close channel 1 1002", "Finished"]);
}
