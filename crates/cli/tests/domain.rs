//! `hybridge domain` as its users run it, and the program's help.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod support;

use support::hybridge;

#[test]
fn ids_and_names_are_looked_up_both_ways() {
    for (name, line) in [
        ("0", "0\tcable.ua5v.com\tassigned to Google\n"),
        ("1", "1\tcable.auth.com\tassigned to Apple\n"),
        ("cable.auth.com", "1\tcable.auth.com\tassigned to Apple\n"),
        ("266", "266\tcable.wufkweyy3uaxb.com\tcomputed\n"),
        ("0x10A", "266\tcable.wufkweyy3uaxb.com\tcomputed\n"),
        ("Cable.WufkWeyy3uaxb.com", "266\tcable.wufkweyy3uaxb.com\tcomputed\n"),
        ("0xF980", "63872\tcable.my4kstlhndi4c.net\tcomputed\n"),
    ] {
        let run = hybridge(&["domain", name]);
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, line, ""), "{name}");
    }
}

#[test]
fn names_are_searched_for() {
    for prefix in ["wufk", "WUFK", "cable.wufk"] {
        let run = hybridge(&["domain", "--search", prefix]);
        assert_eq!(run.code, 0);
        assert!(run.stdout.lines().any(|line| line == "266\tcable.wufkweyy3uaxb.com\tcomputed"));
        assert!(run.stdout.lines().all(|line| line.contains("\tcable.wufk")));
    }
    let all = hybridge(&["domain", "--search", ""]);
    assert_eq!(all.stdout.lines().count(), 65_536 - 256);
}

#[test]
fn what_does_not_exist_is_an_error_in_one_line() {
    for (args, status, says) in [
        (&["domain", "2"][..], 1, "not assigned"),
        (&["domain", "255"], 1, "not assigned"),
        (&["domain", "cable.example.com"], 1, "no tunnel service ID"),
        (&["domain", "--search", "zzzzzzzz"], 1, "shorter prefix"),
        (&["domain", "65536"], 2, "0 to 65535"),
        (&["domain", "0x10000"], 2, "0 to 65535"),
        (&["domain", "--search", "a1"], 2, "2 to 7"),
        (&["domain"], 2, "required"),
        (&["domain", "1", "--search", "a"], 2, "cannot be used with"),
        (&["inspect"], 2, "required"),
        (&["nonsense"], 2, "unrecognized"),
    ] {
        let run = hybridge(args);
        assert_eq!((run.code, run.stdout.as_str()), (status, ""), "{args:?}: {}", run.stderr);
        assert!(
            run.stderr.starts_with("hybridge: ") && run.stderr.contains(says),
            "{args:?}: {}",
            run.stderr
        );
        assert_eq!(run.stderr.lines().count(), 1, "{args:?}: {}", run.stderr);
    }
}

#[test]
fn help_is_on_standard_output() {
    let help = hybridge(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    for part in ["inspect", "domain", "Exit codes:"] {
        assert!(help.stdout.contains(part), "{part}");
    }
    let inspect = hybridge(&["inspect", "--help"]);
    assert!(inspect.stdout.contains("is a secret"));
    let nothing = hybridge(&[]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (2, ""));
    assert!(nothing.stderr.contains("Usage:"));
    assert_eq!(hybridge(&["--version"]).stdout, concat!("hybridge ", env!("CARGO_PKG_VERSION"), "\n"));
}
