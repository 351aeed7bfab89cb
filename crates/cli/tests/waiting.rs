//! `hybridge get` of a caller that leaves standard input open: it ends in time and by signals as later on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may fail loudly")]

use std::{
    io::Write,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// More than a pipe holds on its own, so that it is written once the program reads.
const MORE_THAN_A_PIPE: usize = 256 * 1024;

/// Starts it where there is no bus, so no radio either.
fn start(more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hybridge"));
    command.args(["get", "--origin", "https://www.example.com", "--events", "json"]).args(more);
    command.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for its end, with standard input left open. Fails if there is none.
fn end(mut child: Child) -> Output {
    let stdin = child.stdin.take();
    let pid = Pid::from_child(&child);
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(child.wait_with_output().unwrap()));
    let output = told.recv_timeout(Duration::from_mins(1));
    drop(stdin);
    if output.is_err() {
        let _ = kill_process(pid, Signal::KILL);
    }
    output.unwrap()
}

/// Nothing on standard output, and one event that tells why.
fn assert_failed(output: &Output, code: i32, kind: &str) {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty());
    let event: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((&event["event"], &event["kind"]), (&"failed".into(), &kind.into()));
    assert_eq!(event["exit_code"], code);
}

#[test]
fn options_that_do_not_end_run_out_of_time() {
    let output = end(start(&["--timeout", "1s"]));
    assert_failed(&output, 6, "timed-out");
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard input"), "{output:?}");
}

#[test]
fn signals_end_it_while_it_reads() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut child = start(&[]);
        child.stdin.as_mut().unwrap().write_all(&vec![b' '; MORE_THAN_A_PIPE]).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_failed(&end(child), 130, "cancelled");
    }
}

#[test]
fn a_certificate_that_does_not_end_runs_out_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let output = end(start(&["--timeout", "1s", "--dangerous-relay-ca", pipe.to_str().unwrap()]));
    assert_failed(&output, 6, "timed-out");
}
