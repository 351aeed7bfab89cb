//! `hybridge get --gui` with a program in the place of the window, which is found beside it.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests may fail loudly, and wait"
)]
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use hybridge_ble::sim::Air;
use hybridge_testkit::bluez::FakeBluez;
use serde_json::{Value, json};
use tempfile::TempDir;

const OPTIONS: &str = r#"{"challenge": "bm9uY2U", "rpId": "example.com"}"#;
const NO_BUS: &str = "unix:path=/nonexistent/bus";

/// The program beside a window that does so. Its events are kept.
struct Scene(TempDir);

impl Scene {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::hard_link(env!("CARGO_BIN_EXE_hybridge"), folder.path().join("hybridge")).unwrap();
        if !script.is_empty() {
            let window = folder.path().join("hybridge-desktop");
            let keep = folder.path().join("events");
            let next =
                format!("next() {{ read -r line && printf '%s\\n' \"$line\" >> {}; }}", keep.display());
            let rest = "rest() { while next; do :; done; }";
            write_program(
                &window,
                &format!("#!/bin/sh\n[ \"$1\" = window ] || exit 2\n{next}\n{rest}\n{script}\n"),
            );
        }
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, bus: &str, more: &[&str]) -> Output {
        let mut child = Command::new(self.file("hybridge"))
            .args(["get", "--gui", "--origin", "https://www.example.com"])
            .args(more)
            .env("DBUS_SYSTEM_BUS_ADDRESS", bus)
            // Nothing else of this name is found.
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(OPTIONS.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// What the window was told, when it has ended.
    fn events(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.file("events")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

/// Nothing on standard output, and one line that contains this.
fn assert_failed(output: &Output, code: i32, part: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(code), &b""[..]), "{stderr}");
    assert!(stderr.lines().count() == 1 && stderr.contains(part), "{part:?} in {stderr}");
}

/// Waits for a file that another program makes.
fn appears(file: &Path) {
    let begun = Instant::now();
    while !file.exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{file:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_failure_is_shown_and_can_be_tried_again() {
    // Who asks, the failure, and after one more try the failure again; then the window is closed.
    let scene = Scene::new("next; next; echo retry; next; echo; rest");
    assert_failed(&scene.run(NO_BUS, &[]), 4, "Bluetooth");
    let events = scene.events();
    assert_eq!(names(&events)[..3], ["phone-wanted", "failed", "failed"]);
    let asked = &events[0];
    assert_eq!((&asked["operation"], &asked["rp_id"]), (&json!("get"), &json!("example.com")));
    assert_eq!(asked["origin"], "https://www.example.com");
    assert_eq!(asked["programs"][0]["pid"], std::process::id());
    assert!(asked["programs"][0]["name"].as_str().unwrap().starts_with("gui-"), "this test started it");
    for failed in &events[1..3] {
        let kinds = (&failed["kind"], &failed["radio"], &failed["retry"]);
        assert_eq!(kinds, (&json!("no-radio"), &json!("bluetooth-service"), &json!(true)));
    }
}

#[test]
fn however_the_window_ends_the_ceremony_does() {
    for (script, code, part) in [
        ("next; next; echo; rest", 4, "Bluetooth"),
        ("exit 3", 3, "the window found no screen"),
        ("", 3, "install it beside this program"),
    ] {
        assert_failed(&Scene::new(script).run(NO_BUS, &[]), code, part);
    }
}

#[test]
fn a_window_that_stays_does_not_hold_up_whoever_reads_the_errors() {
    let scene = Scene::new("next; next; echo; rest; exec sleep 30");
    let begun = Instant::now();
    assert_failed(&scene.run(NO_BUS, &[]), 4, "Bluetooth");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_shows_the_code_and_its_end_is_a_no() {
    let bluez = FakeBluez::start(&Air::new(1), 1).await.unwrap();
    let address = bluez.bus_address().to_owned();
    tokio::task::spawn_blocking(move || {
        for (end, part) in [
            ("echo; rest", "cancelled"),
            ("exit 0", "cancelled"),
            ("kill -9 $$", "the window ended without an answer"),
            ("exit 101", "the window ended without an answer"),
        ] {
            let scene = Scene::new(&format!("next; next; {end}"));
            assert_failed(&scene.run(&address, &[]), 130, part);
            let events = scene.events();
            assert_eq!(names(&events)[..2], ["phone-wanted", "code"], "{end}");
            assert_eq!(events[1]["origin"], "https://www.example.com");
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bluetooth_is_switched_on_at_the_window() {
    let bluez = FakeBluez::start(&Air::new(1), 1).await.unwrap();
    bluez.set_powered("hci0", false).await.unwrap();
    let address = bluez.bus_address().to_owned();
    tokio::task::spawn_blocking(move || {
        let scene = Scene::new(
            "next; next; echo bluetooth-on; next; echo retry; next; touch \"$0.done\"; echo; rest",
        );
        assert_failed(&scene.run(&address, &["--adapter", "hci0"]), 130, "cancelled");
        appears(&scene.file("hybridge-desktop.done"));
        let events = scene.events();
        assert_eq!(names(&events)[..4], ["phone-wanted", "failed", "bluetooth", "code"]);
        assert_eq!((&events[1]["radio"], &events[2]["on"]), (&json!("bluetooth-off"), &json!(true)));
    })
    .await
    .unwrap();
}

#[test]
fn events_for_a_program_go_on_beside_the_window() {
    let scene = Scene::new("next; next; echo; rest");
    let output = scene.run(NO_BUS, &["--events", "json"]);
    let event: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((&event["event"], &event["kind"]), (&json!("failed"), &json!("no-radio")));
    assert_eq!(event.get("retry"), None, "it is the last one");
}
