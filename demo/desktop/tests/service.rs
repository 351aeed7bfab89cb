//! The service in the background, with scripts in the places of the key and the window.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests may fail loudly, and wait"
)]
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long anything may take on a machine that is busy.
const SOON: Duration = Duration::from_secs(30);

/// What the key says of a question, and then waits for an answer, which it notes.
const ASK: &str =
    r#"ask() { say "{\"event\":\"phone-wanted\",\"question\":$1}"; read -r line; note "$line"; }"#;

/// A service. Dropping it kills it.
struct Scene {
    folder: TempDir,
    service: Option<Child>,
}

impl Scene {
    /// `key` and `window` are what the scripts do. Both have `note`, which keeps a line; the key has `say` and `ask`, and the
    /// window `hear`, which waits for an event and notes it.
    fn new(key: &str, window: &str) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let scene = Self { folder, service: None };
        let say = "say() { printf '%s\\n' \"$1\" >&2; }";
        scene.script("key", &format!("{say}\n{ASK}\n{key}"));
        scene.script("window", &format!("hear() {{ read -r line && note \"$line\"; }}\n{window}"));
        scene
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, text: &str) {
        let note = format!(
            "note() {{ printf '%s\\n' \"$1\" >> {}; }}",
            self.file(&format!("{name}.notes")).display()
        );
        write_program(&self.file(name), &format!("#!/bin/sh\n{note}\n{text}\n"));
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hybridge-desktop"));
        command
            .arg("--no-tray")
            .arg("--hybridge")
            .arg(self.file("key"))
            .arg("--window")
            .arg(self.file("window"));
        command.args(more).env("XDG_RUNTIME_DIR", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn started(key: &str, window: &str) -> Self {
        let mut scene = Self::new(key, window);
        scene.service = Some(scene.command(&[]).spawn().unwrap());
        scene
    }

    fn notes(&self, of: &str) -> Vec<String> {
        let text = fs::read_to_string(self.file(&format!("{of}.notes"))).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until exactly this was noted.
    fn expect(&self, of: &str, notes: &[&str]) {
        let begun = Instant::now();
        while self.notes(of) != notes {
            assert!(begun.elapsed() < SOON, "{of}: {:?} in place of {notes:?}", self.notes(of));
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends a signal, and waits for the end.
    fn end(&mut self, signal: Signal) -> Output {
        let service = self.service.take().unwrap();
        kill_process(Pid::from_child(&service), signal).unwrap();
        service.wait_with_output().unwrap()
    }
}

/// Writes a program through another process: no other test that starts something can have the file open for writing then,
/// which would keep it from being started.
fn write_program(file: &Path, text: &str) {
    let mut shell = Command::new("/bin/sh");
    let shell = shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(file).stdin(Stdio::piped());
    let mut shell = shell.spawn().unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(mut service) = self.service.take() {
            let _ = service.kill();
            let _ = service.wait();
        }
    }
}

/// The end of a script that stays until nothing can come any more.
const STAY: &str = "while read -r line; do note \"$line\"; done; note end";

#[test]
fn every_request_has_a_window_whose_end_is_a_no() {
    let cancelled = r#"say '{"event":"cancelled"}'"#;
    for (how, close) in [("a line", "echo"), ("its end", "exit 0"), ("a crash", "kill -9 $$")] {
        let key = format!("say '{{\"event\":\"ready\"}}'; ask 1; {cancelled}; ask 2; {cancelled}; {STAY}");
        let scene = Scene::started(&key, &format!("note open; hear; {close}"));
        scene.expect("key", &["n 1", "n 2"]);
        let events = [1, 2].map(|number| format!("{{\"event\":\"phone-wanted\",\"question\":{number}}}"));
        scene.expect("window", &["open", &events[0], "open", &events[1]]);
        assert!(scene.notes("key").len() == 2, "{how}");
    }
}

#[test]
fn a_window_is_told_everything_and_a_later_one_takes_its_place() {
    let key = r#"say '{"event":"touch-wanted","question":5}'; read -r line; note "$line"
        say '{"event":"phone-wanted","question":6}'; say '{"event":"code","code":"FIDO:/1"}'
        read -r line; note "$line"; say '{"event":"answered","status":0}'; cat > /dev/null"#;
    // The first one stays though it is told that it has nothing to show.
    let window = r#"hear; case $line in
        *touch*) echo y; exec sleep 600;;
        *) hear; echo; hear; hear || note over;;
        esac"#;
    let scene = Scene::started(key, window);
    scene.expect("key", &["y 5", "n 6"]);
    let expected = [
        r#"{"event":"touch-wanted","question":5}"#,
        r#"{"event":"phone-wanted","question":6}"#,
        r#"{"event":"code","code":"FIDO:/1"}"#,
        r#"{"event":"answered","status":0}"#,
        "over",
    ];
    scene.expect("window", &expected);
}

#[test]
fn garbage_and_answers_of_an_old_window_are_dropped() {
    let garbage = "head -c 200000 /dev/zero | tr '\\0' x; echo; printf '\\377\\n{}\\n[1]\\nnull\\n'";
    let key = format!("{garbage} >&2; ask 1; {garbage} >&2; say '{{\"event\":\"cancelled\"}}'; {STAY}");
    let window = format!(
        "{garbage}; echo y; echo retry; echo phone 1; hear; echo; echo; {garbage}; echo; echo y; cat > /dev/null"
    );
    let scene = Scene::started(&key, &window);
    scene.expect("key", &["n 1"]);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(scene.notes("key"), ["n 1"], "one answer");
}

#[test]
fn a_key_that_ends_is_started_again() {
    let key = r#"note "$*"; if [ ! -e "$0.again" ]; then touch "$0.again"
        say '{"event":"phone-wanted","question":1}'; until [ -e "$0.heard" ]; do sleep 0.02; done
        say '{"event":"failed","exit_code":3,"message":"no helper"}'; exit 3; fi
        # The first window goes when the second one comes, so it gets the time to note that all is over.
        until [ -e "$0.cancelled" ]; do sleep 0.02; done
        say '{"event":"ready"}'; ask 2; cat > /dev/null"#;
    let mut scene = Scene::new(
        key,
        "hear; touch ${0%window}key.heard; hear; touch ${0%window}key.cancelled; echo; cat > /dev/null",
    );
    let options = ["--", "--socket", "/x y", "--adapter", "hci1"];
    scene.service = Some(scene.command(&options).spawn().unwrap());
    let called = "key --events json --socket /x y --adapter hci1";
    scene.expect("key", &[called, called]);
    let asked = [1, 2].map(|number| format!("{{\"event\":\"phone-wanted\",\"question\":{number}}}"));
    scene.expect("window", &[&asked[0], r#"{"event":"cancelled"}"#, &asked[1]]);
    let said = String::from_utf8(scene.end(Signal::TERM).stderr).unwrap();
    assert!(said.contains("No security key: no helper") && said.contains("Ready"), "{said}");
}

#[test]
fn a_key_that_cannot_be_started_again_is_waited_for() {
    let away = r#"note up; [ -e "$0.away" ] || { mv "$0" "$0.away"; exit 3; }; cat > /dev/null"#;
    let mut scene = Scene::started(away, "");
    let mut said = BufReader::new(scene.service.as_mut().unwrap().stderr.take().unwrap()).lines();
    let told =
        said.find(|line| line.as_ref().is_ok_and(|line| line.contains("install it beside this program")));
    assert!(told.is_some(), "the service has ended");
    fs::hard_link(scene.file("key.away"), scene.file("key")).unwrap();
    scene.expect("key", &["up", "up"]);
    assert_eq!(scene.end(Signal::TERM).status.code(), Some(0));
}

#[test]
fn its_end_is_the_end_of_its_children() {
    for (signal, code) in
        [(Signal::TERM, Some(0)), (Signal::INT, Some(0)), (Signal::HUP, Some(0)), (Signal::KILL, None)]
    {
        let mut scene = Scene::started(
            &format!("note $$; say '{{\"event\":\"ready\"}}'; ask 1; {STAY}"),
            "note $$; hear; hear",
        );
        let begun = Instant::now();
        while scene.notes("window").len() < 2 {
            assert!(begun.elapsed() < SOON);
            thread::sleep(Duration::from_millis(10));
        }
        let children = ["key", "window"].map(|child| scene.notes(child)[0].parse::<i32>().unwrap());
        assert_eq!(scene.end(signal).status.code(), code, "{signal:?}");
        for child in children {
            let begun = Instant::now();
            while fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| !stat.contains(") Z")) {
                assert!(begun.elapsed() < SOON, "{child} is left behind");
                thread::sleep(Duration::from_millis(10));
            }
        }
        assert_eq!(scene.notes("key").last().unwrap(), "end", "the key has ended by itself");
    }
}

#[test]
fn there_is_one_service_and_it_says_why_there_is_none() {
    let scene = Scene::started(&format!("note up; {STAY}"), "exit 1");
    scene.expect("key", &["up"]);
    let second = scene.command(&[]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!((second.status.code(), said.lines().count()), (Some(1), 1));
    assert!(said.contains("serves this user already"), "{said}");

    for (key, part) in [
        (
            "say 'hybridge: unexpected argument'; exit 2",
            "cannot run with these options: hybridge: unexpected argument",
        ),
        (r#"say '{"event":"failed","exit_code":1,"message":"bad certificate"}'; exit 1"#, "bad certificate"),
    ] {
        let output = Scene::new(key, "").command(&[]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains(part), "{said}");
    }
    let scene = Scene::new("", "");
    fs::remove_file(scene.file("key")).unwrap();
    let said = String::from_utf8(scene.command(&[]).output().unwrap().stderr).unwrap();
    assert!(said.contains("install it beside this program"), "{said}");
}

#[test]
fn without_a_window_program_the_answer_is_no_and_the_service_goes_on() {
    let scene = Scene::new(&format!("ask 1; say '{{\"event\":\"cancelled\"}}'; ask 2; {STAY}"), "");
    fs::remove_file(scene.file("window")).unwrap();
    let mut service = scene.command(&[]).spawn().unwrap();
    scene.expect("key", &["n 1", "n 2"]);
    service.kill().unwrap();
    service.wait().unwrap();
}
