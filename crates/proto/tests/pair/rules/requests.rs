//! Requests that are not sent, and why.

use hybridge_proto::{
    client::RequestError,
    frame::{FrameError, MAX_PLAINTEXT},
    message::{Features, Message, PostHandshake},
};

use super::{ClientDesk, HandPhone, client_desk::config, hand::GET_INFO, seconds};

#[test]
fn requests_need_a_connected_phone() {
    let mut desk = ClientDesk::new(config());
    assert_eq!(desk.request(&[2]), Err(RequestError::NotConnected));
    let phone = HandPhone::scan(&desk.code(), 1);
    let (channel, mut session) = desk.shake_hands(&phone);
    assert_eq!(desk.request(&[2]), Err(RequestError::NotConnected), "the phone has not described itself");
    desk.receive(channel, session.describe());
    assert_eq!(desk.request(&[2]), Ok(()));
    desk.closed(channel);
    assert_eq!(desk.request(&[2]), Err(RequestError::NotConnected));
}

#[test]
fn one_request_at_a_time() {
    let (mut desk, channel, mut session) = ClientDesk::connected(config());
    assert_eq!(desk.request(&[2]), Ok(()));
    desk.log();
    assert_eq!(desk.request(&[2]), Err(RequestError::Busy));
    assert!(desk.log().is_empty());
    desk.receive(channel, session.seal(&Message::Ctap(vec![0x2e])));
    assert_eq!(desk.log(), ["CtapReply([46])"]);
    assert_eq!(desk.request(&[2]), Ok(()));
}

#[test]
fn requests_after_the_goodbye_are_too_late() {
    let mut config = config();
    config.accept_linking = true;
    let (mut desk, _, _) = ClientDesk::connected(config);
    desk.shutdown();
    assert!(!desk.machine.is_closed(), "it waits for linking information");
    assert_eq!(desk.request(&[2]), Err(RequestError::NotConnected));
}

#[test]
fn requests_have_bytes() {
    let (mut desk, _, _) = ClientDesk::connected(config());
    assert_eq!(desk.request(&[]), Err(RequestError::Empty));
    assert_eq!(desk.request(&[2]), Ok(()), "nothing was used up");
}

#[test]
fn requests_fit_into_a_frame() {
    let (mut desk, _, mut session) = ClientDesk::connected(config());
    // One byte of each goes to the type.
    let error = desk.request(&vec![2; MAX_PLAINTEXT]).expect_err("too large");
    assert!(matches!(error, RequestError::TooLarge(FrameError::TooLarge(_))), "{error:?}");
    let largest = vec![2; MAX_PLAINTEXT - 1];
    assert_eq!(desk.request(&largest), Ok(()));
    assert_eq!(session.open(desk.sent()), Message::Ctap(largest), "no counter was used up");
}

#[test]
fn json_needs_a_phone_that_takes_it() {
    let (mut desk, _, _) = ClientDesk::connected(config());
    let now = desk.now();
    let refused = desk.machine.send_json(now, b"{}", seconds(60));
    assert_eq!(refused, Err(RequestError::Unsupported));
}

#[test]
fn json_goes_to_a_phone_that_takes_it() {
    let mut config = config();
    config.required = Features { ctap: false, digital_credentials: true };
    let mut desk = ClientDesk::new(config);
    let phone = HandPhone::scan(&desk.code(), 1);
    let (channel, mut session) = desk.shake_hands(&phone);
    let mut description = PostHandshake::ctap(GET_INFO);
    description.get_info = None;
    description.features = Features { ctap: false, digital_credentials: true };
    desk.receive(channel, session.seal_bytes(&description.encode()));
    assert_eq!(desk.request(&[2]), Err(RequestError::Unsupported), "this phone takes nothing else");

    let now = desk.now();
    desk.machine.send_json(now, b"{}", seconds(60)).expect("sent");
    desk.settle();
    assert_eq!(session.open(desk.sent()), Message::Json(b"{}".to_vec()));
    desk.log();
    desk.receive(channel, session.seal(&Message::Json(b"[]".to_vec())));
    assert_eq!(desk.log(), ["JsonReply([91, 93])"]);
}
