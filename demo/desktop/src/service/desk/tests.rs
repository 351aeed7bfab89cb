//! The rules on a clock that the test moves.

use proptest::prelude::*;

use super::*;

struct Bench {
    desk: Desk,
    now: Instant,
}

impl Bench {
    /// A key that is there.
    fn new() -> Self {
        let now = Instant::now();
        let mut bench = Self { desk: Desk::new(now), now };
        assert_eq!(bench.actions(), ["show Starting", "start key"]);
        bench.key(r#"{"event":"ready"}"#);
        assert_eq!(bench.actions(), ["show Ready: programs see a security key"]);
        bench
    }

    fn key(&mut self, line: &str) {
        self.desk.key_line(Zeroizing::new(format!("{line}\n").into_bytes()), self.now);
    }

    fn later(&mut self, time: Duration) {
        self.now += time;
        self.desk.timeout(self.now);
    }

    fn actions(&mut self) -> Vec<String> {
        let text = |line: &Line| String::from_utf8_lossy(line).trim_end().to_owned();
        let mut done = Vec::new();
        while let Some(action) = self.desk.poll_action() {
            done.push(match action {
                Action::StartKey => "start key".to_owned(),
                Action::StopKey => "stop key".to_owned(),
                Action::ToKey(line) => format!("key < {}", text(&line)),
                Action::OpenWindow(WindowId(id)) => format!("open {id}"),
                Action::ToWindow(WindowId(id), line) => format!("{id} < {}", text(&line)),
                Action::LetWindowGo(WindowId(id)) => format!("let go {id}"),
                Action::KillWindow(WindowId(id)) => format!("kill {id}"),
                Action::Show(state) => format!("show {}", state.line()),
                Action::End(words) => format!("end {words:?}"),
            });
        }
        done
    }

    fn asks(&mut self, question: u64) {
        self.key(&format!(r#"{{"event":"phone-wanted","question":{question}}}"#));
    }
}

const MOMENT: Duration = Duration::from_millis(10);

#[test]
fn a_request_has_a_window_until_it_is_over() {
    let mut bench = Bench::new();
    bench.asks(1);
    bench.key(r#"{"event":"code","code":"FIDO:/1"}"#);
    let shown = [r#"1 < {"event":"phone-wanted","question":1}"#, r#"1 < {"event":"code","code":"FIDO:/1"}"#];
    assert_eq!(bench.actions(), ["open 1", shown[0], shown[1]]);
    bench.key(r#"{"event":"answered","status":0}"#);
    assert_eq!(bench.actions(), [r#"1 < {"event":"answered","status":0}"#, "let go 1"]);
    // The result stays as long as the window likes, and closing that is no answer.
    bench.later(Duration::from_secs(600));
    bench.desk.window_line(WindowId(1), b"\n", bench.now);
    bench.desk.window_ended(WindowId(1));
    assert_eq!(bench.actions(), [""; 0]);
    bench.asks(2);
    assert_eq!(bench.actions()[0], "open 2");
}

#[test]
fn closed_by_the_person_or_by_a_crash_it_is_a_no_once() {
    for crash in [false, true] {
        let mut bench = Bench::new();
        bench.asks(7);
        bench.actions();
        if !crash {
            bench.desk.window_line(WindowId(1), b"\n", bench.now);
        }
        bench.desk.window_ended(WindowId(1));
        assert_eq!(bench.actions(), ["key < n 7"]);
        bench.key(r#"{"event":"cancelled"}"#);
        assert_eq!(bench.actions(), [""; 0], "there is no window to tell");
        bench.asks(8);
        assert_eq!(bench.actions()[0], "open 2", "the service goes on");
    }
}

#[test]
fn answers_for_an_old_question_are_dropped() {
    let mut bench = Bench::new();
    bench.asks(1);
    bench.asks(2);
    let done = bench.actions();
    assert_eq!(done[2..4], ["kill 1", "open 2"], "one window at a time");
    bench.desk.window_line(WindowId(1), b"\n", bench.now);
    bench.desk.window_line(WindowId(1), b"y\n", bench.now);
    bench.desk.window_line(WindowId(1), b"bluetooth-on\n", bench.now);
    bench.desk.window_ended(WindowId(1));
    assert_eq!(bench.actions(), [""; 0]);
    for garbage in [&b"yes please\n"[..], b"\xff\n", b"phone 1\n", b"retry\n", b"y\n"] {
        bench.desk.window_line(WindowId(2), garbage, bench.now);
    }
    assert_eq!(bench.actions(), [""; 0], "a phone is not agreed to here");
    bench.desk.window_line(WindowId(2), b"\r\n", bench.now);
    assert_eq!(bench.actions(), ["key < n 2"]);
}

#[test]
fn a_touch_is_agreed_to_once_and_its_window_goes() {
    let mut bench = Bench::new();
    bench.key(r#"{"event":"touch-wanted","question":4}"#);
    bench.actions();
    for _ in 0..2 {
        bench.desk.window_line(WindowId(1), b"y\n", bench.now);
    }
    assert_eq!(bench.actions(), ["key < y 4", "let go 1"]);
    bench.later(CLOSING - MOMENT);
    assert_eq!(bench.actions(), [""; 0]);
    bench.later(MOMENT);
    assert_eq!(bench.actions(), ["kill 1"], "it does not go by itself");
    assert_eq!(bench.desk.poll_timeout(), None);
}

#[test]
fn a_question_ends_with_the_device() {
    let mut bench = Bench::new();
    bench.key(r#"{"event":"touch-wanted","question":4}"#);
    bench.actions();
    bench.key(r#"{"event":"gone"}"#);
    assert_eq!(bench.actions(), [r#"1 < {"event":"gone"}"#, "let go 1", "show Starting"]);
    bench.desk.window_line(WindowId(1), b"y\n", bench.now);
    bench.desk.window_ended(WindowId(1));
    assert_eq!(bench.actions(), [""; 0], "nobody waits for an answer");
    bench.key(r#"{"event":"ready"}"#);
    bench.actions();
    bench.key(r#"{"event":"gone"}"#);
    assert_eq!(bench.actions(), ["show Starting"], "there is no window to tell");
}

#[test]
fn the_window_of_a_failure_can_switch_bluetooth_on() {
    let mut bench = Bench::new();
    bench.asks(1);
    bench.actions();
    bench.key(
        r#"{"event":"not-reached","kind":"no-radio","radio":"bluetooth-off","message":"Bluetooth is off"}"#,
    );
    let done = bench.actions();
    assert_eq!(done[1..], ["show Ready, but no phone can be reached: Bluetooth is off"]);
    bench.desk.window_line(WindowId(1), b"bluetooth-on\n", bench.now);
    assert_eq!(bench.actions(), ["key < bluetooth-on"]);
    bench.key(r#"{"event":"bluetooth","on":true}"#);
    let done = bench.actions();
    assert_eq!(done, [r#"1 < {"event":"bluetooth","on":true}"#, "show Ready: programs see a security key"]);
    bench.desk.order(Order::BluetoothOn, bench.now);
    assert_eq!(bench.actions(), ["key < bluetooth-on"], "and so can the tray");
}

#[test]
fn trouble_with_bluetooth_is_over_when_a_phone_could_be_looked_for() {
    const OFF: &str = r#"{"event":"not-reached","kind":"no-radio","radio":"bluetooth-off","message":"off"}"#;
    const READY: &str = "show Ready: programs see a security key";
    for (end, more) in [
        (r#"{"event":"answered","status":39}"#, &["let go 2", READY][..]),
        (r#"{"event":"not-reached","kind":"timed-out","message":"late"}"#, &[READY]),
        (r#"{"event":"cancelled"}"#, &["let go 2"]),
        (OFF, &[]),
    ] {
        let mut bench = Bench::new();
        bench.asks(1);
        bench.key(OFF);
        assert_eq!(bench.actions().last().unwrap(), "show Ready, but no phone can be reached: off");
        bench.asks(2);
        bench.actions();
        bench.key(end);
        assert_eq!(bench.actions()[1..], *more, "{end}");
    }
}

#[test]
fn a_key_that_ends_is_started_again_after_longer_and_longer() {
    let mut bench = Bench::new();
    bench.asks(1);
    bench.actions();
    bench.key(r#"{"event":"failed","exit_code":3,"message":"no helper"}"#);
    bench.desk.key_ended(Some(3), bench.now);
    let told = [r#"1 < {"event":"cancelled"}"#, "let go 1", "show No security key: no helper"];
    assert_eq!(bench.actions(), told);
    bench.desk.window_ended(WindowId(1));
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        bench.later(Duration::from_secs(seconds) - MOMENT);
        assert_eq!(bench.actions(), [""; 0]);
        bench.later(MOMENT);
        assert_eq!(bench.actions(), ["start key"]);
        bench.key(r#"{"event":"failed","exit_code":3,"message":"no helper"}"#);
        bench.desk.key_ended(Some(3), bench.now);
        assert_eq!(bench.actions(), [""; 0], "that is known already");
    }
    bench.later(AT_MOST);
    bench.key(r#"{"event":"ready"}"#);
    bench.later(LASTED);
    bench.actions();
    bench.key("thread 'main' panicked at \u{7}");
    bench.desk.key_ended(None, bench.now);
    assert_eq!(bench.actions(), ["show No security key: thread 'main' panicked at"]);
    bench.later(AGAIN);
    assert_eq!(bench.actions(), ["start key"], "it had lasted");
}

#[test]
fn a_window_with_an_error_outlives_the_key() {
    let mut bench = Bench::new();
    bench.asks(1);
    bench.key(r#"{"event":"not-reached","kind":"timed-out","message":"late"}"#);
    bench.actions();
    bench.desk.key_ended(Some(3), bench.now);
    assert_eq!(bench.actions()[0], "let go 1");
    bench.later(AGAIN);
    assert_eq!((bench.actions(), bench.desk.poll_timeout()), (vec!["start key".to_owned()], None));

    // One that says that it goes has to.
    bench.key(r#"{"event":"touch-wanted","question":2}"#);
    bench.desk.window_line(WindowId(2), b"y\n", bench.now);
    bench.desk.key_ended(Some(3), bench.now);
    bench.later(CLOSING);
    assert_eq!(bench.actions().last().unwrap(), "kill 2");
}

#[test]
fn options_that_cannot_be_used_end_the_service() {
    let mut bench = Bench::new();
    bench.key("hybridge: unexpected argument");
    bench.desk.key_ended(Some(2), bench.now);
    assert_eq!(bench.actions(), [r#"end Some("hybridge: unexpected argument")"#]);
}

#[test]
fn a_pause_takes_the_key_away() {
    let mut bench = Bench::new();
    bench.asks(1);
    bench.actions();
    bench.desk.order(Order::Pause, bench.now);
    assert_eq!(bench.actions(), ["stop key", "kill 1", "show Paused: programs see no security key"]);
    bench.asks(2);
    bench.desk.order(Order::Pause, bench.now);
    bench.desk.order(Order::BluetoothOn, bench.now);
    bench.desk.key_ended(Some(130), bench.now);
    bench.later(Duration::from_secs(600));
    assert_eq!(bench.actions(), [""; 0]);
    bench.desk.order(Order::Resume, bench.now);
    assert_eq!(bench.actions(), ["start key", "show Starting"]);
    // Back before the old one has ended.
    bench.desk.order(Order::Pause, bench.now);
    bench.desk.order(Order::Resume, bench.now);
    bench.actions();
    bench.desk.key_ended(Some(130), bench.now);
    bench.later(AGAIN);
    assert_eq!(
        bench.actions(),
        ["show No security key: it ended without a word, and is started again", "start key"]
    );
    bench.desk.order(Order::Quit, bench.now);
    assert_eq!(bench.actions(), ["end None"]);
}

proptest! {
    /// Whatever comes in whatever order: one window at a time, at most one answer to a question, and none to another.
    #[test]
    fn questions_have_one_window_and_one_answer(steps in prop::collection::vec((0_u8..12, 0_u64..4), 0..60)) {
        let mut bench = Bench::new();
        let (mut question, mut window, mut answered) = (0, None, Vec::new());
        for (step, which) in steps {
            match step {
                0 | 1 => { question += 1; bench.asks(question) }
                2 => { question += 1; bench.key(&format!(r#"{{"event":"touch-wanted","question":{question}}}"#)) }
                3 => bench.key(r#"{"event":"answered","status":0}"#),
                4 => bench.key(r#"{"event":"cancelled"}"#),
                5 => bench.key(r#"{"event":"not-reached","message":"no"}"#),
                6 => bench.desk.window_line(WindowId(which), b"y\n", bench.now),
                7 => bench.desk.window_line(WindowId(which), b"\n", bench.now),
                8 => bench.desk.window_ended(WindowId(which)),
                9 => bench.desk.key_ended(None, bench.now),
                10 => bench.desk.order([Order::Pause, Order::Resume, Order::BluetoothOn][usize::try_from(which % 3).unwrap()], bench.now),
                _ => bench.later(Duration::from_secs(which)),
            }
            if step == 8 && window == Some(which) {
                window = None;
            }
            for action in bench.actions() {
                let words: Vec<_> = action.split(' ').collect();
                match words.as_slice() {
                    ["open", id] => {
                        prop_assert_eq!(window, None, "one at a time");
                        window = Some(id.parse().unwrap());
                    }
                    ["kill", id] => {
                        prop_assert_eq!(window, id.parse().ok());
                        window = None;
                    }
                    [id, "<", ..] if *id != "key" => prop_assert_eq!(window, id.parse().ok()),
                    ["key", "<", "y" | "n", number] => {
                        prop_assert_eq!(number.parse().ok(), Some(question), "of the last question");
                        prop_assert!(!answered.contains(&question), "once");
                        answered.push(question);
                    }
                    _ => {}
                }
            }
        }
    }
}
