mod pixels;

use egui_kittest::{
    Harness,
    kittest::{NodeT, Queryable},
};

use super::*;
use crate::window::{event::Event, model::Answer, page::Kind};
use egui::accesskit::Role;

/// A window with its clock, and the answers given so far.
struct Window {
    model: Model,
    face: Face,
    now: Duration,
    answers: Vec<Answer>,
}

impl Window {
    /// One that was told these lines, some seconds ago.
    fn told(lines: &[&str]) -> Self {
        let mut model = Model::new(Duration::ZERO);
        for line in lines {
            let event = Event::read(line.as_bytes()).unwrap_or_else(|| panic!("an event: {line}"));
            model.handle(event, Duration::ZERO);
        }
        Self { model, face: Face::default(), now: Duration::from_secs(3), answers: Vec::new() }
    }

    fn show(&mut self, ui: &mut Ui) {
        if let Some(action) = show(ui, &self.model, self.now, &mut self.face) {
            self.answers.extend(self.model.act(action, self.now));
        }
    }
}

fn open(lines: &[&str]) -> Harness<'static, Window> {
    let builder = Harness::builder().with_size(LARGE).with_theme(egui::Theme::Light);
    let mut harness = builder.build_ui_state(
        |ui, window: &mut Window| {
            theme::install(ui.ctx());
            window.show(ui);
        },
        Window::told(lines),
    );
    harness.run();
    harness
}

const TOUCH: &str = r#"{"event":"touch-wanted","programs":[{"name":"firefox","pid":4242}]}"#;
const WANTED: &str = r#"{"event":"phone-wanted","operation":"get","rp_id":"example.com","user":"alice","programs":[{"name":"firefox","pid":4242}]}"#;
const FROM_PAGE: &str = r#"{"event":"phone-wanted","operation":"create","rp_id":"example.com","origin":"https://login.example.com","programs":[]}"#;
const CODE: &str = r#"{"event":"code","code":"FIDO:/0123456789","rp_id":"example.com","seconds":63}"#;

fn failed(members: &str) -> String {
    format!(r#"{{"event":"failed","exit_code":4,"message":"what the program said",{members}}}"#)
}

/// Names of the buttons in the order of the tabulator key, beginning at what has the focus.
fn tab_order(harness: &mut Harness<'static, Window>, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        harness.key_press(Key::Tab);
        harness.run();
        names.extend(focused(harness));
    }
    names
}

fn focused(harness: &Harness<'static, Window>) -> Option<String> {
    let mut buttons = harness.query_all_by_role(Role::Button);
    buttons.find(|node| node.is_focused()).and_then(|node| node.accesskit_node().label())
}

#[test]
fn the_question_is_asked_and_no_has_the_focus() {
    let mut harness = open(&[TOUCH]);
    harness.get_by_role_and_label(Role::Heading, "Use your phone?");
    harness.get_by_label("Asked by: firefox (process 4242)");
    harness.get_by_label(words::NO_ORIGIN);
    assert_eq!(focused(&harness).as_deref(), Some("Not now"));
    assert_eq!(tab_order(&mut harness, 2), ["Use my phone", "Not now"]);
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().answers, [Answer::No], "Enter alone does not agree");
}

#[test]
fn the_question_is_agreed_to_by_keyboard_and_by_pointer() {
    for keyboard in [true, false] {
        let mut harness = open(&[TOUCH]);
        if keyboard {
            harness.key_press(Key::Tab);
            harness.run();
            harness.key_press(Key::Enter);
        } else {
            harness.get_by_role_and_label(Role::Button, "Use my phone").click();
        }
        harness.run();
        assert_eq!(harness.state().answers, [Answer::Yes]);
        harness.get_by_role_and_label(Role::Heading, "Your phone it is");
    }
}

#[test]
fn what_was_typed_when_the_question_came_up_does_not_answer() {
    let mut harness = open(&[TOUCH]);
    harness.state_mut().now = Duration::from_millis(300);
    harness.get_by_label("Use my phone").click();
    harness.run();
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(harness.state().answers, []);
}

#[test]
fn escape_cancels_on_every_page_with_a_question() {
    for lines in [&[TOUCH][..], &[WANTED], &[WANTED, CODE], &[WANTED, r#"{"event":"connected"}"#]] {
        let mut harness = open(lines);
        harness.key_press(Key::Escape);
        harness.run();
        assert_eq!(harness.state().answers, [Answer::No], "{lines:?}");
        assert!(harness.state().model.is_closed());
    }
}

#[test]
fn the_code_is_beside_who_asks() {
    let mut harness = open(&[WANTED, CODE]);
    harness.get_by_role_and_label(Role::Heading, "Sign in to example.com");
    harness.get_by_role_and_label(Role::Image, qr::NAME);
    harness.get_by_role_and_label(Role::Image, "Step 1 of 4: Scan");
    for text in ["Asked by: firefox (process 4242)", "Account: alice", words::NO_ORIGIN, "New code in 1:00"] {
        harness.get_by_label(text);
    }
    assert_eq!(focused(&harness), None, "Enter, typed elsewhere, does not cancel");
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().answers, []);
    assert_eq!(tab_order(&mut harness, 2), ["Cancel", "Cancel"]);
    harness.key_press(Key::Space);
    harness.run();
    assert_eq!(harness.state().answers, [Answer::No]);
}

#[test]
fn an_origin_is_named_where_there_is_one() {
    let harness = open(&[FROM_PAGE, CODE]);
    harness.get_by_role_and_label(Role::Heading, "Save a passkey for example.com");
    harness.get_by_label("Page: https://login.example.com");
    harness.get_by_label("Asked by: a program that the system does not name");
    assert!(harness.query_by_label(words::NO_ORIGIN).is_none());
}

#[test]
fn steps_are_told_and_the_code_is_gone() {
    for (event, heading, step) in [
        ("code-hidden", "Looking for your phone", "Step 2 of 4: Find the phone"),
        ("phone-nearby", "Your phone is near", "Step 2 of 4: Find the phone"),
        ("connecting", "Connecting to your phone", "Step 3 of 4: Connect"),
        ("handshaking", "Connecting to your phone", "Step 3 of 4: Connect"),
        ("connected", "Your phone is connected", "Step 3 of 4: Connect"),
        ("waiting-for-approval", "Approve on your phone", "Step 4 of 4: Approve"),
        ("done", "Approved", "Done"),
    ] {
        let harness = open(&[WANTED, CODE, &format!(r#"{{"event":"{event}"}}"#)]);
        harness.get_by_role_and_label(Role::Heading, heading);
        harness.get_by_role_and_label(Role::Image, step);
        assert!(harness.query_by_label(qr::NAME).is_none(), "{event}");
    }
}

#[test]
fn every_problem_says_what_to_do() {
    for (members, kind) in [
        (r#""kind":"no-radio","radio":"no-adapter""#, Kind::NoAdapter),
        (r#""kind":"no-radio","radio":"bluetooth-permission""#, Kind::BluetoothPermission),
        (r#""kind":"no-radio","radio":"bluetooth-service""#, Kind::BluetoothService),
        (r#""kind":"no-radio""#, Kind::Radio),
        (r#""kind":"tunnel-service","tunnel":"not-reached""#, Kind::TunnelNotReached),
        (r#""kind":"tunnel-service","tunnel":"refused""#, Kind::TunnelRefused),
        (r#""kind":"tunnel-service","tunnel":"certificate""#, Kind::TunnelCertificate),
        (r#""kind":"tunnel-service""#, Kind::Tunnel),
        (r#""kind":"timed-out""#, Kind::TimedOut),
        (r#""kind":"protocol""#, Kind::Protocol),
        (r#""kind":"refused""#, Kind::Refused),
        (r#""kind":"excluded""#, Kind::Excluded),
        (r#""kind":"cancelled""#, Kind::Cancelled),
        (r#""kind":"input""#, Kind::Request),
        (r#""kind":"of-later""#, Kind::Other),
    ] {
        let mut harness = open(&[WANTED, &failed(members)]);
        let Page::Problem(problem) = harness.state().model.page() else { panic!("{members}") };
        assert_eq!(problem.kind, kind);
        let words = words::of_page(&harness.state().model);
        harness.get_by_role_and_label(Role::Heading, &words.heading);
        harness.get_by_label(&words.advice);
        harness.get_by_label("what the program said");
        assert_eq!(focused(&harness).as_deref(), Some("Close"));
        harness.key_press(Key::Enter);
        harness.run();
        assert_eq!(harness.state().answers, [], "there is no question any more");
        assert!(harness.state().model.is_closed());
    }
}

#[test]
fn bluetooth_is_switched_on_from_its_page() {
    let mut harness = open(&[WANTED, &failed(r#""kind":"no-radio","radio":"bluetooth-off","retry":true"#)]);
    harness.get_by_role_and_label(Role::Heading, "Bluetooth is off");
    harness.get_by_role_and_label(Role::Button, "Turn on Bluetooth").click();
    harness.run();
    harness.get_by_role_and_label(Role::Heading, "Turning Bluetooth on");
    let now = harness.state().now;
    harness.state_mut().model.handle(Event::read(br#"{"event":"bluetooth","on":true}"#).unwrap(), now);
    harness.state_mut().now = Duration::from_secs(9);
    harness.run();
    harness.get_by_role_and_label(Role::Heading, "Bluetooth is on");
    assert_eq!(focused(&harness).as_deref(), Some("Try again"));
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().answers, [Answer::BluetoothOn, Answer::Retry]);
}

#[test]
fn trying_again_is_there_only_where_it_is_offered() {
    let harness = open(&[&failed(r#""kind":"timed-out","retry":true"#)]);
    harness.get_by_role_and_label(Role::Button, "Try again");
    let harness = open(&[&failed(r#""kind":"timed-out""#)]);
    assert!(harness.query_by_label("Try again").is_none());
}

#[test]
fn remembered_phones_are_buttons_before_the_others() {
    let phones =
        r#"{"event":"remembered-phones","phones":[{"id":7,"name":"Pixel"},{"id":9,"name":"Old one"}]}"#;
    let mut harness = open(&[WANTED, CODE, phones]);
    assert_eq!(tab_order(&mut harness, 3), ["Use Pixel", "Use Old one", "Cancel"]);
    harness.get_by_role_and_label(Role::Button, "Use Old one").click_accesskit();
    harness.run();
    assert_eq!(harness.state().answers, [Answer::Phone(9)]);
    harness.get_by_role_and_label(Role::Heading, "Calling Old one");
}
