use proptest::{collection::vec, prelude::*};

use super::*;
use crate::window::{event::Event, page::Kind};

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn tell(model: &mut Model, line: &str, now: Duration) {
    model.handle(Event::read(line.as_bytes()).unwrap(), now);
}

const TOUCH: &str = r#"{"event":"touch-wanted"}"#;
const WANTED: &str = r#"{"event":"phone-wanted","operation":"get","rp_id":"a.example"}"#;
const CODE: &str = r#"{"event":"code","code":"FIDO:/123","rp_id":"a.example","seconds":30}"#;
const OFF: &str = r#"{"event":"failed","kind":"no-radio","radio":"bluetooth-off","exit_code":4,"message":"m","retry":true}"#;

#[test]
fn yes_is_said_once_and_not_at_once() {
    let mut model = Model::new(at(0));
    tell(&mut model, TOUCH, at(1000));
    assert_eq!(model.act(Action::Agree, at(1499)), None, "meant for what was there before");
    assert_eq!(model.act(Action::Agree, at(1500)), Some(Answer::Yes));
    assert_eq!(model.act(Action::Agree, at(3000)), None);
    assert_eq!(model.close_window(), None, "the question is answered");
    assert!(model.is_closed());
}

#[test]
fn the_first_moment_begins_when_the_window_is_seen() {
    let mut model = Model::new(at(0));
    tell(&mut model, TOUCH, at(100));
    model.shown(at(1000));
    assert_eq!(model.act(Action::Agree, at(1499)), None, "meant for what was there before");
    tell(&mut model, TOUCH, at(2000));
    model.shown(at(1900));
    assert_eq!(model.act(Action::Agree, at(2499)), None, "another question came since");
    assert_eq!(model.act(Action::Agree, at(2500)), Some(Answer::Yes));
}

#[test]
fn closing_is_no_to_what_is_open_once() {
    for line in [TOUCH, WANTED, CODE] {
        let mut model = Model::new(at(0));
        tell(&mut model, line, at(0));
        assert_eq!(model.close_window(), Some(Answer::No), "{line}");
        assert_eq!(model.close_window(), None);
        assert_eq!(model.act(Action::Cancel, at(9000)), None);
    }
    assert_eq!(Model::new(at(0)).close_window(), None, "nothing was asked");
}

#[test]
fn the_code_counts_down_and_goes() {
    let mut model = Model::new(at(0));
    tell(&mut model, WANTED, at(0));
    tell(&mut model, CODE, at(100));
    assert_eq!(model.seconds_left(at(100)), Some(30));
    assert_eq!(model.next_change(at(100)), Some(at(1100)));
    assert_eq!(model.seconds_left(at(1100)), Some(29));
    assert_eq!(model.seconds_left(at(30_100)), Some(0));
    assert_eq!(model.next_change(at(30_100)), None, "it waits for another code");
    tell(&mut model, CODE, at(30_200));
    assert_eq!(model.seconds_left(at(30_200)), Some(30));
    tell(&mut model, r#"{"event":"phone-nearby"}"#, at(31_000));
    assert!(matches!(model.page(), Page::Progress(Progress::Nearby)));
    assert_eq!(model.seconds_left(at(31_000)), None);
}

#[test]
fn a_phone_that_failed_is_told_beside_the_next_code() {
    let mut model = Model::new(at(0));
    tell(&mut model, CODE, at(0));
    tell(&mut model, r#"{"event":"code-hidden"}"#, at(1));
    assert!(matches!(model.page(), Page::Searching));
    tell(&mut model, r#"{"event":"attempt-failed","message":"it left"}"#, at(2));
    tell(&mut model, CODE, at(3));
    assert_eq!(model.notice().map(Message::as_str), Some("it left"));
    assert!(matches!(model.page(), Page::Code(_)));
}

#[test]
fn bluetooth_is_switched_on_and_it_is_tried_again() {
    let mut model = Model::new(at(0));
    tell(&mut model, WANTED, at(0));
    tell(&mut model, OFF, at(0));
    assert_eq!(model.buttons(), Buttons::Bluetooth);
    assert_eq!(model.act(Action::Retry, at(600)), None);
    assert_eq!(model.act(Action::BluetoothOn, at(600)), Some(Answer::BluetoothOn));
    assert_eq!(model.act(Action::BluetoothOn, at(1200)), None, "once");
    tell(&mut model, r#"{"event":"bluetooth","on":true}"#, at(2000));
    assert_eq!(model.act(Action::Retry, at(2600)), Some(Answer::Retry));
    assert_eq!(model.close_window(), Some(Answer::No), "there is a question again");
}

#[test]
fn errors_stay_and_results_go() {
    let mut model = Model::new(at(0));
    tell(&mut model, OFF, at(0));
    model.end_of_input(at(10));
    assert_eq!(
        (model.buttons(), model.next_change(at(10)), model.is_closed()),
        (Buttons::Close, None, false)
    );
    let mut model = Model::new(at(0));
    tell(&mut model, WANTED, at(0));
    tell(&mut model, r#"{"event":"answered","status":0}"#, at(0));
    model.end_of_input(at(10));
    assert_eq!(model.next_change(at(10)), Some(RESULT_STAYS));
    model.tick(RESULT_STAYS);
    assert!(model.is_closed());
    let mut model = Model::new(at(0));
    tell(&mut model, WANTED, at(0));
    model.end_of_input(at(10));
    assert!(model.is_closed(), "nobody waits for an answer");
}

#[test]
fn kinds_are_told_apart() {
    for (members, kind) in [
        (r#""kind":"no-radio""#, Kind::Radio),
        (r#""kind":"no-radio","radio":"no-adapter""#, Kind::NoAdapter),
        (r#""kind":"no-radio","radio":"bluetooth-permission""#, Kind::BluetoothPermission),
        (r#""kind":"no-radio","radio":"bluetooth-service""#, Kind::BluetoothService),
        (r#""kind":"no-radio","radio":"of-later""#, Kind::Radio),
        (r#""kind":"tunnel-service""#, Kind::Tunnel),
        (r#""kind":"tunnel-service","tunnel":"certificate""#, Kind::TunnelCertificate),
        (r#""kind":"excluded""#, Kind::Excluded),
        (r#""kind":"refused""#, Kind::Refused),
        (r#""kind":"refused","status":46"#, Kind::NoPasskey),
        (r#""kind":"refused","status":39"#, Kind::Refused),
        (r#""kind":"protocol","status":0"#, Kind::Protocol),
        (r#""kind":"of-later""#, Kind::Other),
        (r#""message":"alone""#, Kind::Other),
    ] {
        let mut model = Model::new(at(0));
        tell(&mut model, &format!(r#"{{"event":"not-reached",{members}}}"#), at(0));
        let Page::Problem(problem) = model.page() else { panic!("{members}") };
        assert_eq!(problem.kind, kind, "{members}");
    }
}

#[test]
fn remembered_phones_are_called() {
    let mut model = Model::new(at(0));
    tell(&mut model, CODE, at(0));
    tell(&mut model, r#"{"event":"remembered-phones","phones":[{"id":7,"name":"Pixel"}]}"#, at(0));
    assert_eq!(model.act(Action::Phone(8), at(900)), None);
    assert_eq!(
        model.act(Action::Phone(7), at(900)).map(|answer| answer.to_string()),
        Some("phone 7".to_owned())
    );
    assert!(model.phones().is_empty(), "it is being called");
}

fn events() -> impl Strategy<Value = String> {
    let plain = [
        "code-hidden",
        "phone-nearby",
        "connecting",
        "handshaking",
        "connected",
        "waiting-for-approval",
        "cancelled",
        "done",
        "wink",
        "gone",
        "later",
    ];
    prop_oneof![
        3 => Just(TOUCH.to_owned()),
        3 => Just(WANTED.to_owned()),
        3 => (0..4_u64).prop_map(|seconds| CODE.replace("30", &seconds.to_string())),
        1 => Just(OFF.to_owned()),
        1 => Just(r#"{"event":"attempt-failed","message":"m"}"#.to_owned()),
        1 => Just(r#"{"event":"remembered-phones","phones":[{"id":1,"name":"p"}]}"#.to_owned()),
        1 => any::<bool>().prop_map(|on| format!(r#"{{"event":"bluetooth","on":{on}}}"#)),
        1 => any::<u8>().prop_map(|status| format!(r#"{{"event":"answered","status":{status}}}"#)),
        5 => proptest::sample::select(plain.to_vec()).prop_map(|name| format!(r#"{{"event":"{name}"}}"#)),
    ]
}

#[derive(Debug, Clone)]
enum Move {
    Event(String),
    Act(Action),
    Wait(u64),
    End,
}

fn moves() -> impl Strategy<Value = Move> {
    let actions = [
        Action::Agree,
        Action::Cancel,
        Action::BluetoothOn,
        Action::Retry,
        Action::Phone(1),
        Action::Phone(2),
    ];
    prop_oneof![
        12 => events().prop_map(Move::Event),
        4 => proptest::sample::select(actions.to_vec()).prop_map(Move::Act),
        4 => (0..3000_u64).prop_map(Move::Wait),
        1 => Just(Move::End),
    ]
}

proptest! {
    /// A question is answered once, by what is on the page and not at once; a code goes when it has to; and there is
    /// never something due that does not happen, which would be a loop.
    #[test]
    fn whatever_happens_in_whatever_order(moves in vec(moves(), 0..60)) {
        let (mut model, mut now) = (Model::new(at(0)), at(0));
        let (mut questions, mut touches, mut asked) = (0, 0, at(0));
        for step in moves {
            let mut answer = None;
            match step {
                Move::Event(line) => {
                    let Some(event) = Event::read(line.as_bytes()) else { continue };
                    let was_open = model.open;
                    let (hides, touch) = (matches!(event, Event::CodeHidden | Event::PhoneNearby), line == TOUCH);
                    model.handle(event, now);
                    if !model.is_closed() && (line == TOUCH || line == WANTED || (!was_open && model.open)) {
                        questions += 1;
                        touches = i32::from(touch);
                        asked = now;
                    }
                    prop_assert!(!hides || !matches!(model.page(), Page::Code(_)));
                }
                Move::Act(action) => answer = model.act(action, now),
                Move::Wait(time) => now += at(time),
                Move::End => model.end_of_input(now),
            }
            model.tick(now);
            prop_assert!(model.next_change(now).is_none_or(|next| next > now));
            match answer {
                Some(Answer::Yes) => {
                    touches -= 1;
                    questions = 0;
                    prop_assert!(touches == 0 && now >= asked + GUARD);
                }
                Some(Answer::No) => {
                    prop_assert!(questions > 0 && model.is_closed());
                    questions = 0;
                }
                Some(Answer::Retry) => questions += 1,
                _ => {}
            }
            prop_assert!(!model.is_closed() || (matches!(model.page(), Page::Waiting) && !model.open));
        }
    }
}
