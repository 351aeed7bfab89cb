//! `hybridge key` as a program, with the test in the place of the helper and of a program that wants a security key.
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may fail loudly")]
#![cfg(target_os = "linux")]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

use hybridge_ble::sim::Air;
use hybridge_security_key::{
    Incoming, ReportChannel,
    helper::{HelperSocket, Listener},
    hid::Report,
};
use hybridge_testkit::bluez::FakeBluez;
use serde_json::json;

/// The first of four channels' worth of bytes of a report.
const CHANNEL: [u8; 4] = [0, 0, 0, 1];

fn start(path: &Path, more: &[&str]) -> (Child, BufReader<ChildStderr>) {
    start_on("unix:path=/nonexistent/bus", path, more)
}

/// With this system bus.
fn start_on(bus: &str, path: &Path, more: &[&str]) -> (Child, BufReader<ChildStderr>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hybridge"))
        .args(["key", "--socket"])
        .arg(path)
        .args(more)
        .env("DBUS_SYSTEM_BUS_ADDRESS", bus)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    (child, stderr)
}

fn line(stderr: &mut BufReader<ChildStderr>) -> String {
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    line
}

/// A report with this head and these contents.
fn report(parts: &[&[u8]]) -> Report {
    let mut report = [0; 64];
    report.iter_mut().zip(parts.concat()).for_each(|(to, from)| *to = from);
    Report(report)
}

/// The next report that is no KEEPALIVE, from its command on.
async fn reply(program: &mut HelperSocket) -> Vec<u8> {
    loop {
        match program.receive().await.unwrap() {
            Incoming::Report(Report(bytes)) if bytes[4] != 0xbb => return bytes[4..].to_vec(),
            Incoming::Report(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_person_at_the_terminal_is_the_touch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.sock");
    let listener = Listener::bind(&path, 0o600).unwrap();
    let (mut child, mut stderr) = start(&path, &[]);
    let mut program = HelperSocket::new(listener.accept().await.unwrap());
    assert!(line(&mut stderr).starts_with("This computer has a virtual security key now."));

    program.send(&report(&[&[0xff; 4], &[0x86, 0, 8], b"nonceabc"])).await.unwrap();
    assert_eq!(reply(&mut program).await[..11], *b"\x86\0\x11nonceabc");
    let mut stdin = child.stdin.take().unwrap();
    for (typed, status) in [("y", 0), ("", 0x27)] {
        program.send(&report(&[&CHANNEL, &[0x90, 0, 1, 0x0b]])).await.unwrap();
        assert!(line(&mut stderr).contains("Use your phone?"));
        writeln!(stdin, "{typed}").unwrap();
        assert_eq!(reply(&mut program).await[..4], [0x90, 0, 1, status]);
    }
    assert_eq!(line(&mut stderr), "Cancelled.\n");

    // A sign-in without a radio: the program is told so, and the next is served.
    let sign_in = b"\x02\xa2\x01\x64site\x02\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    program.send(&report(&[&CHANNEL, &[0x90, 0, 43], sign_in])).await.unwrap();
    assert!(line(&mut stderr).starts_with("A program wants to sign in to site."));
    assert_eq!(reply(&mut program).await[..4], [0x90, 0, 1, 0x30]);
    assert!(line(&mut stderr).starts_with("The phone was not reached: Bluetooth cannot be used"));
    program.send(&report(&[&CHANNEL, &[0x81, 0, 1, 7]])).await.unwrap();
    assert_eq!(reply(&mut program).await[..4], [0x81, 0, 1, 7]);

    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(line(&mut stderr), "hybridge: cancelled\n");
}

#[tokio::test]
async fn a_program_shows_what_happens_and_is_the_touch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.sock");
    let listener = Listener::bind(&path, 0o600).unwrap();
    let (mut child, mut stderr) = start(&path, &["--events", "json"]);
    let mut event = || serde_json::from_str::<serde_json::Value>(&line(&mut stderr)).unwrap();
    let mut program = HelperSocket::new(listener.accept().await.unwrap());
    assert_eq!(event(), json!({ "event": "ready" }));

    program.send(&report(&[&[0xff; 4], &[0x86, 0, 8], b"nonceabc"])).await.unwrap();
    reply(&mut program).await;
    let mut stdin = child.stdin.take().unwrap();
    program.send(&report(&[&CHANNEL, &[0x90, 0, 1, 0x0b]])).await.unwrap();
    assert_eq!(event(), json!({ "event": "touch-wanted", "question": 1, "programs": [] }));
    writeln!(stdin, "y 7\ny 0\ny 1").unwrap();
    assert_eq!(reply(&mut program).await[..4], [0x90, 0, 1, 0]);

    let sign_in = b"\x02\xa2\x01\x64site\x02\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    program.send(&report(&[&CHANNEL, &[0x90, 0, 43], sign_in])).await.unwrap();
    let wanted = json!({
        "event": "phone-wanted", "question": 2, "operation": "get", "rp_id": "site", "user": null, "programs": [],
    });
    assert_eq!(event(), wanted);
    assert_eq!(reply(&mut program).await[..4], [0x90, 0, 1, 0x30]);
    let unreached = event();
    assert_eq!(unreached["event"], "not-reached");
    assert_eq!((&unreached["kind"], &unreached["radio"]), (&json!("no-radio"), &json!("bluetooth-service")));
    assert!(unreached["message"].as_str().unwrap().starts_with("Bluetooth cannot be used"));

    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let failed = json!({ "event": "failed", "kind": "cancelled", "exit_code": 130, "message": "cancelled" });
    assert_eq!(event(), failed);
}

#[tokio::test]
async fn with_whoever_shows_the_events_the_key_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.sock");
    let listener = Listener::bind(&path, 0o600).unwrap();
    let (mut child, mut stderr) = start(&path, &["--events", "json"]);
    let _device = listener.accept().await.unwrap();
    assert_eq!(line(&mut stderr), "{\"event\":\"ready\"}\n");
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(130));

    let (mut child, mut stderr) = start(&path, &[]);
    let mut device = HelperSocket::new(listener.accept().await.unwrap());
    assert!(line(&mut stderr).contains("virtual security key now"));
    drop(child.stdin.take());
    device.send(&report(&[&[0xff; 4], &[0x86, 0, 8], b"nonceabc"])).await.unwrap();
    assert_eq!(reply(&mut device).await[..3], *b"\x86\0\x11", "at a terminal it goes on");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn bluetooth_is_switched_on_by_a_line() {
    let bluez = FakeBluez::start(&Air::new(1), 1).await.unwrap();
    bluez.set_powered("hci0", false).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.sock");
    let listener = Listener::bind(&path, 0o600).unwrap();
    let (mut child, mut stderr) = start_on(bluez.bus_address(), &path, &["--events", "json"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut program = HelperSocket::new(listener.accept().await.unwrap());
    let events = tokio::task::spawn_blocking(move || {
        let mut event = || serde_json::from_str::<serde_json::Value>(&line(&mut stderr)).unwrap();
        assert_eq!(event()["event"], "ready");
        assert_eq!(event()["event"], "phone-wanted");
        let off = event();
        assert_eq!((&off["event"], &off["radio"]), (&json!("not-reached"), &json!("bluetooth-off")));
        writeln!(stdin, "bluetooth-on").unwrap();
        assert_eq!(event(), json!({ "event": "bluetooth", "on": true }));
        (stdin, stderr)
    });
    program.send(&report(&[&[0xff; 4], &[0x86, 0, 8], b"nonceabc"])).await.unwrap();
    reply(&mut program).await;
    let sign_in = b"\x02\xa2\x01\x64site\x02\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    program.send(&report(&[&CHANNEL, &[0x90, 0, 43], sign_in])).await.unwrap();
    assert_eq!(reply(&mut program).await[..4], [0x90, 0, 1, 0x30]);
    let (mut stdin, mut stderr) = events.await.unwrap();

    // The same again has a code now, and the line of a question that is over does not take it away.
    program.send(&report(&[&CHANNEL, &[0x90, 0, 43], sign_in])).await.unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let mut event = || serde_json::from_str::<serde_json::Value>(&line(&mut stderr)).unwrap();
        assert_eq!(event()["question"], 2);
        writeln!(stdin, "n 1\nbluetooth-on").unwrap();
        let mut seen = [event(), event()].map(|event| event["event"].as_str().unwrap().to_owned());
        seen.sort();
        assert_eq!(seen, ["bluetooth", "code"], "on already");
        writeln!(stdin, "n 2").unwrap();
        while event()["event"] != "cancelled" {}
        drop(stdin);
        child.wait().unwrap().code()
    });
    assert_eq!(reply(&mut program).await[..4], [0x90, 0, 1, 0x27]);
    assert_eq!(ended.await.unwrap(), Some(130));
}

#[tokio::test]
async fn without_a_device_it_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("key.sock");
    let (mut child, mut stderr) = start(&nowhere, &[]);
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(line(&mut stderr).starts_with("hybridge: the helper gives no security key; check"));

    let listener = Listener::bind(&nowhere, 0o600).unwrap();
    let (mut child, mut stderr) = start(&nowhere, &[]);
    drop(listener.accept().await.unwrap());
    assert_eq!(child.wait().unwrap().code(), Some(3), "the helper refuses");
    assert!(line(&mut stderr).contains("virtual security key now"));
    assert!(line(&mut stderr).contains("that you sit at this computer"));
}
