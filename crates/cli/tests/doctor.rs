//! `hybridge doctor` as its users run it, where there is no bus and so no Bluetooth. The rest is run over a BlueZ without a
//! radio by the package `hybridge-programs`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod support;

use serde_json::Value;
use support::{Run, hybridge_in, scratch_file};

fn doctor(args: &[&str]) -> Run {
    let nowhere = [("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")];
    hybridge_in(&nowhere, &[&["doctor"], args].concat(), b"")
}

fn report(run: &Run) -> Value {
    assert_eq!(run.stderr, "");
    serde_json::from_str(&run.stdout).unwrap()
}

fn check<'a>(report: &'a Value, name: &str) -> Option<&'a Value> {
    report["checks"].as_array().unwrap().iter().find(|check| check["check"] == name)
}

#[test]
fn a_computer_without_bluetooth_is_told_so() {
    let run = doctor(&["--json", "--offline"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let report = report(&run);
    assert_eq!(report["verdict"], "stopped");
    let service = check(&report, "bluetooth-service").unwrap();
    assert_eq!(service["status"], "fail");
    assert!(service["statement"].as_str().unwrap().contains("no Bluetooth service"), "{service}");
    assert!(service["fix"].as_str().unwrap().contains("dbus"), "{service}");
    assert_eq!(check(&report, "bluetooth-power"), None, "there is nothing to be on");
    assert_eq!(check(&report, "tunnel-service"), None, "the network is left out");
    for name in
        ["bluetooth-version", "uhid", "key-helper", "udev-rule", "clock", "desktop-program", "display"]
    {
        let check = check(&report, name).unwrap();
        assert!(check["statement"].as_str().is_some_and(|words| words.len() > 10), "{check}");
        assert!(check["status"] == "ok" || check["fix"].is_string(), "{check}");
    }
}

#[test]
fn for_a_person_there_is_one_line_each() {
    let run = doctor(&["--offline"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let (lines, summary) = run.stdout.trim_end().rsplit_once("\n\n").unwrap();
    assert!(lines.lines().count() >= 12, "{lines}");
    let marks = ["ok   ", "warn ", "FAIL ", "?    "];
    assert!(lines.lines().all(|line| marks.iter().any(|mark| line.starts_with(mark))), "{lines}");
    let failure = lines.lines().find(|line| line.starts_with("FAIL ")).unwrap();
    assert!(failure.contains(". Start the system bus"), "{failure}");
    assert!(summary.contains("stop"), "{summary}");
}

#[test]
fn a_tunnel_service_that_is_not_there_is_told() {
    // A name with a part of more than 63 letters is nobody's, which no name server has to be asked about.
    let nobody = format!("{}.invalid:443", "a".repeat(64));
    let arguments = ["--json", "--tunnel-service", "266", "--dangerous-relay-addr", &nobody];
    let run = doctor(&arguments);
    assert_eq!(run.code, 1);
    let report = report(&run);
    let tunnel = check(&report, "tunnel-service").unwrap();
    assert_eq!(tunnel["status"], "fail");
    assert!(
        tunnel["statement"].as_str().unwrap().contains("cable.wufkweyy3uaxb.com is not found"),
        "{tunnel}"
    );
}

#[test]
fn wrong_usage_and_files_that_cannot_be_used_are_told_in_one_line() {
    let text = scratch_file("no-certificate.pem", b"hello");
    for (args, code, part) in [
        (&["--tunnel-service", "65536"][..], 2, "0 to 65535"),
        (&["--tunnel-service", "7"], 2, "not assigned"),
        (&["--tunnel-service", "cable.example.com"], 2, "no tunnel service ID"),
        (&["--tunnel-service", "0", "--offline"], 2, "cannot be used with"),
        (&["--offline", "--dangerous-relay-ca", "/nonexistent.pem"], 3, "could not be read"),
        (&["--offline", "--dangerous-relay-ca", text.to_str().unwrap()], 3, "certificate"),
    ] {
        let run = doctor(args);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{args:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        assert!(run.stderr.starts_with("hybridge: ") && run.stderr.contains(part), "{}", run.stderr);
    }
}

#[test]
fn the_help_tells_checks_and_codes() {
    let help = doctor(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    let json = report(&doctor(&["--json", "--offline"]));
    for check in json["checks"].as_array().unwrap() {
        let name = check["check"].as_str().unwrap();
        assert!(help.stdout.contains(name), "{name} is missing in\n{}", help.stdout);
    }
    for part in ["verdict", "Exit codes:", "Dangerous, for tests"] {
        assert!(help.stdout.contains(part), "{part}");
    }
}
