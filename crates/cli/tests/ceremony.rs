//! `hybridge get` and `hybridge create` as far as they go without a radio: what is wrong with the input is told before
//! anything is looked for. The rest is run with a phone and a fake BlueZ by the package `hybridge-programs`.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod support;

use serde_json::Value;
use support::{Run, hybridge_in, scratch_file};

const ORIGIN: &str = "https://www.example.com";
const GET: &str = r#"{"challenge": "bm9uY2U", "rpId": "example.com"}"#;
const CREATE: &str = r#"{"publicKey": {
    "rp": {"id": "example.com", "name": "Example"},
    "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
    "challenge": "bm9uY2U",
    "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    "hints": ["crystal-ball"]
}}"#;

/// Runs the program where there is no bus, so no radio either.
fn hybridge(args: &[&str], input: &str) -> Run {
    let nowhere = [("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")];
    hybridge_in(&nowhere, args, input.as_bytes())
}

/// Nothing on standard output, and one line that contains this.
fn assert_refused(run: &Run, code: i32, part: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.starts_with("hybridge: ") && run.stderr.contains(part), "{part:?} in {}", run.stderr);
}

#[test]
fn malformed_options_are_told_with_their_place() {
    for (input, part) in [
        ("", "line 1, column 0"),
        ("{\n\"challenge\": }", "line 2, column 14"),
        ("{}", "missing field `challenge`"),
        ("[]", "expected struct"),
        (r#"{"challenge": "a b"}"#, "not base64url"),
        (r#"{"challenge": "AA", "allowCredentials": [{"type": "other", "id": "AA"}]}"#, "public-key"),
    ] {
        assert_refused(&hybridge(&["get", "--origin", ORIGIN], input), 1, part);
    }
    let create = |input: &str| hybridge(&["create", "--origin", ORIGIN], input);
    assert_refused(&create(GET), 1, "missing field");
    assert_refused(&create(&CREATE.replace("AQID", "")), 1, "the user's ID has 0 bytes");
    assert_refused(&create(&" ".repeat(1024 * 1024 + 1)), 1, "more than 1048576 bytes");
}

#[test]
fn a_wrong_origin_is_told() {
    for (origin, part) in [
        ("example.com", "not a URL"),
        ("http://example.com", "not secure"),
        ("https://192.0.2.1", "not to addresses"),
        ("https://example.com/login", "has a path"),
        ("https://other.example", "a page at https://other.example may not ask for passkeys of example.com"),
        ("https://notexample.com", "may not ask for passkeys of example.com"),
    ] {
        for (verb, input) in [("get", GET), ("create", CREATE)] {
            assert_refused(&hybridge(&[verb, "--origin", origin], input), 1, part);
        }
    }
    let suffix = GET.replace("example.com", "com");
    assert_refused(&hybridge(&["get", "--origin", ORIGIN], &suffix), 1, "com is a public suffix");
}

#[test]
fn good_input_without_a_radio_is_told_last() {
    for (verb, input) in [("get", GET), ("create", CREATE)] {
        assert_refused(&hybridge(&[verb, "--origin", ORIGIN], input), 4, "Bluetooth");
    }
}

#[test]
fn certificates_are_read_before_anything_else() {
    let get = |file: &str| hybridge(&["get", "--origin", ORIGIN, "--dangerous-relay-ca", file], GET);
    assert_refused(&get("/nonexistent.pem"), 3, "certificate file could not be read");
    let text = scratch_file("not-a-certificate.pem", b"hello");
    assert_refused(&get(text.to_str().unwrap()), 1, "certificate");
}

#[test]
fn programs_get_the_failure_as_an_event() {
    for (origin, code, kind) in [(ORIGIN, 4, "no-radio"), ("https://other.example", 1, "input")] {
        let run = hybridge(&["get", "--origin", origin, "--events", "json"], GET);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""));
        let event: Value = serde_json::from_str(&run.stderr).unwrap();
        assert_eq!((&event["event"], &event["kind"]), (&"failed".into(), &kind.into()));
        assert_eq!(event["exit_code"], code);
        assert!(event["message"].as_str().is_some_and(|message| message.len() > 20), "{event}");
    }
}

#[test]
fn a_picture_takes_no_other_files_place() {
    let file = scratch_file("kept.png", b"precious");
    for path in [file.to_str().unwrap(), env!("CARGO_TARGET_TMPDIR"), "/dev/null"] {
        let run = hybridge(&["get", "--origin", ORIGIN, "--qr-png", path], GET);
        assert_refused(&run, 3, "something is already where the picture");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    let free = file.with_file_name("free.png");
    assert_eq!(hybridge(&["get", "--origin", ORIGIN, "--qr-png", free.to_str().unwrap()], GET).code, 4);
    assert!(!free.exists());
}

#[test]
fn wrong_usage_is_one_line() {
    for args in [
        &["get"][..],
        &["create"],
        &["get", "--origin"],
        &["get", "--origin", ORIGIN, "--timeout", "soon"],
        &["get", "--origin", ORIGIN, "--events", "xml"],
        &["get", "--origin", ORIGIN, "--dangerous-relay-addr", "nowhere"],
        &["get", "--origin", ORIGIN, "surplus"],
    ] {
        assert_refused(&hybridge(args, GET), 2, "");
    }
}

#[test]
fn the_help_tells_codes_events_and_dangers() {
    for verb in ["get", "create"] {
        let help = hybridge(&[verb, "--help"], "");
        assert_eq!((help.code, help.stderr.as_str()), (0, ""));
        for part in [
            "130  cancelled",
            "waiting-for-approval",
            "Dangerous, for tests",
            "Any program can name any origin",
        ] {
            assert!(help.stdout.contains(part), "{part:?} is missing in\n{}", help.stdout);
        }
    }
}
