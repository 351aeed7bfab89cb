//! `hybridge key` as a program, with the test in the place of the helper and of a program that wants a security key.
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may fail loudly")]
#![cfg(target_os = "linux")]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

use hybridge_security_key::{
    Incoming, ReportChannel,
    helper::{HelperSocket, Listener},
    hid::Report,
};
use serde_json::json;

/// The first of four channels' worth of bytes of a report.
const CHANNEL: [u8; 4] = [0, 0, 0, 1];

fn start(path: &Path, more: &[&str]) -> (Child, BufReader<ChildStderr>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hybridge"))
        .args(["key", "--socket"])
        .arg(path)
        .args(more)
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
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
    assert_eq!(event(), json!({ "event": "touch-wanted" }));
    writeln!(stdin, "y").unwrap();
    assert_eq!(reply(&mut program).await[..4], [0x90, 0, 1, 0]);

    let sign_in = b"\x02\xa2\x01\x64site\x02\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    program.send(&report(&[&CHANNEL, &[0x90, 0, 43], sign_in])).await.unwrap();
    let wanted = json!({ "event": "phone-wanted", "operation": "get", "rp_id": "site", "user": null });
    assert_eq!(event(), wanted);
    assert_eq!(reply(&mut program).await[..4], [0x90, 0, 1, 0x30]);
    let unreached = event();
    assert_eq!(unreached["event"], "not-reached");
    assert!(unreached["message"].as_str().unwrap().starts_with("Bluetooth cannot be used"));

    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(event(), json!({ "event": "failed", "exit_code": 130, "message": "cancelled" }));
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
