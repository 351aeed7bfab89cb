//! The program as people and programs run it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may fail loudly")]

use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use hybridge_picture::from_png;
use hybridge_proto::qr::{Hint, QrCode};
use serde_json::Value;

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
    took: Duration,
}

fn demo(args: &[&str]) -> Run {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_hybridge-demo"))
        .args(args)
        .env_remove("RUST_LOG")
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        took: started.elapsed(),
    }
}

/// The object of `--json`, after checking that there is nothing else.
fn json(args: &[&str]) -> (Run, Value) {
    let run = demo(&[args, &["--json"]].concat());
    assert_eq!(run.stdout.lines().count(), 1, "{}", run.stdout);
    let value = serde_json::from_str(&run.stdout).unwrap();
    (run, value)
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}

/// Runs with a picture, and gives its bytes.
fn picture(name: &str, args: &[&str]) -> Vec<u8> {
    let path = file(name);
    let run = demo(&[args, &["--png", path.to_str().unwrap()]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let png = fs::read(&path).unwrap();
    fs::remove_file(path).unwrap();
    png
}

#[test]
fn a_run_tells_of_a_registration_and_a_sign_in() {
    let run = demo(&[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    for part in [
        "Registration",
        "Sign-in",
        "reads the code off the picture",
        "brings the advert to the laptop",
        "lets the laptop into the tunnel",
        "registered  yes",
        "signed in   yes, as \"ada\"",
        "2 tunnel IDs",
    ] {
        assert!(run.stdout.contains(part), "{part:?} is missing in\n{}", run.stdout);
    }
    assert_eq!(run.stdout.matches("  not there  ").count(), 6, "{}", run.stdout);
    assert!(!run.stdout.contains("FOUND"), "{}", run.stdout);
    assert!(!run.stdout.contains('\x1b'), "no colours in a pipe");
    let long = run.stdout.lines().find(|line| line.chars().count() > 80);
    assert_eq!(long, None, "lines fit into 80 columns");
}

#[test]
fn time_in_a_timeline_does_not_run_backwards() {
    let run = demo(&["--phones", "3"]);
    let times = run.stdout.lines().filter_map(|line| line.get(..6)?.trim().parse::<u32>().ok());
    let times: Vec<_> = times.collect();
    assert!(times.len() > 30 && times.is_sorted(), "{times:?}");
}

#[test]
fn programs_get_one_object() {
    let (run, report) = json(&["--seed", "18446744073709551615"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!((&report["registered"], &report["signed_in"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!(report["seed"], u64::MAX);
    assert_eq!(report.get("error"), None);
    let timings = &report["timings_ms"];
    let total = timings["total"].as_f64().unwrap();
    assert!(total > 0.0 && total <= run.took.as_secs_f64() * 1000.0);
    for ceremony in ["registration", "sign_in"] {
        let stages = ["code_shown", "phone_nearby", "connected", "verified"];
        let times: Vec<_> = stages.map(|stage| timings[ceremony][stage].as_f64().unwrap()).into();
        assert!(times.is_sorted() && times[0] > 0.0 && times[3] < total, "{ceremony}: {times:?}");
    }
}

#[test]
fn a_seed_draws_the_same_code_each_time() {
    let first = picture("first.png", &["--seed", "7"]);
    assert_eq!(first, picture("again.png", &["--seed", "7", "--json", "--loss", "0.3"]));
    assert_ne!(first, picture("other.png", &["--seed", "8"]));

    let code = QrCode::parse(&from_png(&first).unwrap()).unwrap();
    assert_eq!((code.hint, code.timestamp), (Some(Hint::MakeCredential), Some(1_767_225_600)));
}

#[test]
fn without_a_seed_each_code_is_new_and_tells_the_time() {
    let codes = ["one.png", "two.png"].map(|name| from_png(&picture(name, &[])).unwrap());
    let [one, two] = codes.map(|text| QrCode::parse(&text).unwrap());
    assert_ne!(one.secret, two.secret);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!((now - 600..=now).contains(&two.timestamp.unwrap()));
}

#[test]
fn bad_air_and_crowds_are_survived() {
    for args in
        [&["--loss", "0.5", "--search", "20"][..], &["--phones", "20"], &["--loss", "0.3", "--phones", "50"]]
    {
        let (run, report) = json(args);
        assert_eq!((run.code, &report["signed_in"]), (0, &Value::Bool(true)), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn dead_air_is_an_error_on_both_sides_and_soon() {
    let path = file("unread.png");
    let (run, report) = json(&["--loss", "1", "--search", "0.5", "--png", path.to_str().unwrap()]);
    assert_eq!(run.code, 1);
    assert_eq!((&report["registered"], &report["signed_in"]), (&Value::Bool(false), &Value::Bool(false)));
    let error = report["error"].as_str().unwrap();
    for part in ["no phone answered", "the computer did not answer", "try a lower --loss"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(run.stderr, format!("hybridge-demo: {error}\n"));
    assert!(from_png(&fs::read(&path).unwrap()).is_ok(), "the code was shown all the same");
    fs::remove_file(path).unwrap();
    assert!(run.took < Duration::from_secs(30), "{:?}", run.took);
}

#[test]
fn wrong_usage_is_an_error_in_one_line() {
    for args in [
        &["--nonsense"][..],
        &["surplus"],
        &["--seed", "-1"],
        &["--seed", "18446744073709551616"],
        &["--loss", "1.5"],
        &["--loss", "NaN"],
        &["--phones", "1001"],
        &["--search", "0"],
        &["--log", "=;"],
        &["--attack", "list", "--loss", "0.5"],
    ] {
        let run = demo(args);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?}: {}", run.stderr);
        assert!(run.stderr.starts_with("hybridge-demo: "), "{args:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{args:?}: {}", run.stderr);
    }
}

#[test]
fn a_picture_that_cannot_be_written_is_an_error_before_anything_else() {
    let (run, report) = json(&["--png", "/nonexistent/code.png"]);
    assert_eq!(run.code, 3);
    assert_eq!(report["registered"], Value::Bool(false));
    assert!(run.stderr.contains("--png"), "{}", run.stderr);
}

#[test]
fn help_has_examples_and_exit_codes() {
    let help = demo(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    for part in ["Examples:", "Exit codes:", "--attack", "--loss"] {
        assert!(help.stdout.contains(part), "{part}");
    }
}

#[test]
fn a_log_goes_to_standard_error_and_holds_no_code() {
    let path = file("logged.png");
    let (run, report) = json(&["--log", "trace", "--png", path.to_str().unwrap()]);
    assert_eq!((run.code, &report["signed_in"]), (0, &Value::Bool(true)));
    assert!(run.stderr.contains("advert on the simulated air"), "{}", run.stderr);
    let code = from_png(&fs::read(&path).unwrap()).unwrap();
    fs::remove_file(path).unwrap();
    assert!(!run.stderr.contains(&code["FIDO:/".len()..]));
}
