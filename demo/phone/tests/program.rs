//! `hybridge-phone` as its users run it, on a machine without Bluetooth.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail loudly")]

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use hybridge_picture::Picture;
use hybridge_proto::{
    keys::{PrivateKey, QrSecret},
    qr::QrCode,
};
use rustix::process::{Pid, Signal, kill_process};

/// What a run left behind.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    /// Fails unless there is one line of error, and nothing on standard output.
    #[track_caller]
    fn fails(&self, code: i32, says: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        assert!(self.stderr.starts_with("hybridge-phone: ") && self.stderr.contains(says), "{}", self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
    }
}

fn run(program: &str, args: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(program)
        .args(args)
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may well end without reading all of it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

const PHONE: &str = env!("CARGO_BIN_EXE_hybridge-phone");

fn phone(args: &[&str]) -> Run {
    run(PHONE, args, b"")
}

/// A code that a computer could show.
fn code() -> String {
    let code = QrCode::new(*PrivateKey::from_seed(b"computer").public_key(), QrSecret::from_bytes(&[1; 16]));
    code.to_uri().expose_text().to_owned()
}

/// A file of this name in the tests' own folder.
fn scratch_file(name: &str, bytes: &[u8]) -> String {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, bytes).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn bad_input_is_one_line_and_leaves_no_state() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let blank = scratch_file("blank.png", &blank_png());
    let no_picture = scratch_file("no-picture.png", b"FIDO:/123");
    let no_certificate = scratch_file("no-certificate.pem", b"none here");
    let code = code();
    let half = &code[..code.len() / 2];
    for (args, status, says) in [
        (&["FIDO:/"][..], 1, "empty"),
        (&["https://example.com/"], 1, "does not start with FIDO:/"),
        (&[half], 1, "the code is"),
        (&[&blank], 1, "did you mean --image?"),
        (&["--image", &blank], 1, "there is no QR code in the picture"),
        (&["--image", &no_picture], 3, "not a usable PNG file"),
        (&["--image", "/nonexistent/code.png"], 3, "could not be read"),
        (&[&code, "--domain-id", "7"], 2, "has no host"),
        (&[&code, "--relay-ca", "/nonexistent/ca.pem"], 3, "could not be read"),
        (&[&code, "--relay-ca", &no_certificate], 3, "holds no certificate"),
        (&[&code, "--relay-addr", "localhost"], 2, "--relay-addr"),
        (&[&code], 4, "Bluetooth"),
        (&["-"], 4, "Bluetooth"),
    ] {
        let options = ["--approve", "never", "--state", state.to_str().unwrap()];
        phone(&[args, &options].concat()).fails(status, says);
        assert!(!state.exists(), "{args:?}");
    }
}

fn blank_png() -> Vec<u8> {
    let blank = hybridge_picture::GrayImage::from_pixel(100, 100, [255].into());
    let mut file = std::io::Cursor::new(Vec::new());
    blank.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

#[test]
fn a_picture_may_come_from_standard_input() {
    let png = Picture::draw(&code()).unwrap().to_png().unwrap();
    // The code is fine; the radio is what is missing.
    run(PHONE, &["--image", "-", "--approve", "never"], &png).fails(4, "Bluetooth");
    let file = scratch_file("code.png", &png);
    phone(&["--image", &file, "--approve", "never"]).fails(4, "Bluetooth");
}

/// Whoever was to give the picture may never do it.
#[test]
fn signals_end_a_phone_that_waits_for_its_picture() {
    let mut child = Command::new(PHONE)
        .args(["--image", "-", "--approve", "never"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let catches = || {
        let status = fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        let bit = 1 << (Signal::TERM.as_raw() - 1);
        u64::from_str_radix(caught.trim(), 16).unwrap() & bit != 0
    };
    while !catches() {
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(output.stderr, b"hybridge-phone: interrupted\n");
}

#[test]
fn wrong_usage_is_one_line() {
    let code = code();
    for (args, says) in [
        (&["--approve", "never"][..], "required"),
        (&[&code, "--screen"], "cannot be used with"),
        (&[&code, "--image", "a.png"], "cannot be used with"),
        (&[&code, "--approve", "sometimes"], "invalid value"),
        (&[&code, "--domain-id", "65536"], "65536"),
        (&[&code, "--events", "xml"], "invalid value"),
        (&[&code, "--approve", "always"], "needs --state"),
        (&["--nonsense"], "unexpected argument"),
    ] {
        phone(args).fails(2, says);
    }
    let twice = phone(&[&code, &code]);
    twice.fails(2, "a code in the wrong place");
    assert!(!twice.stderr.contains(&code[6..]), "the code is not repeated");
}

#[test]
fn asking_needs_a_terminal() {
    // A session of its own has no terminal, wherever the tests run.
    run("setsid", &["--wait", PHONE, &code()], b"").fails(2, "there is no terminal to ask at");
}

#[test]
fn events_are_json_and_nothing_else() {
    let run = phone(&[&code(), "--approve", "never", "--events", "json"]);
    assert_eq!((run.code, run.stderr.lines().count()), (4, 1));
    let [line] = run.stdout.lines().collect::<Vec<_>>()[..] else { panic!("one event: {}", run.stdout) };
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&event["event"], &event["exit_code"]), (&"failed".into(), &4.into()));
    assert!(event["error"].as_str().unwrap().contains("Bluetooth"));
}

#[test]
fn help_is_on_standard_output() {
    let help = phone(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    for part in
        ["Exit codes:", "Events", "is a secret", "NOT ENCRYPTED", "TEST MODE", "--relay-addr", "Examples:"]
    {
        assert!(help.stdout.contains(part), "{part}");
    }
    assert!(help.stdout.lines().all(|line| line.chars().count() <= 120));
    let nothing = phone(&[]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (2, ""));
    assert!(nothing.stderr.contains("Usage:"));
    assert_eq!(phone(&["--version"]).stdout, concat!("hybridge-phone ", env!("CARGO_PKG_VERSION"), "\n"));
}
