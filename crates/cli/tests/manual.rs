//! Completions and pages of the manual, as packages take them.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod support;

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use support::hybridge;

const VERBS: [&str; 7] = ["get", "create", "key", "doctor", "inspect", "domain", "completions"];

#[test]
fn each_shell_has_a_script_with_every_verb() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = hybridge(&["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{shell}");
        for verb in VERBS {
            assert!(run.stdout.contains(verb), "{verb} is missing for {shell}");
        }
        assert!(run.stdout.contains("--tunnel-service") || run.stdout.contains("tunnel-service"), "{shell}");
    }
    let unknown = hybridge(&["completions", "cmd"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""));
    assert!(unknown.stderr.contains("invalid value"), "{}", unknown.stderr);
}

#[test]
fn bash_reads_its_script_and_completes_with_it() {
    let script = hybridge(&["completions", "bash"]).stdout;
    let complete =
        "COMP_WORDS=(hybridge do) COMP_CWORD=1\n_hybridge hybridge do hybridge\necho \"${COMPREPLY[@]}\"";
    let Ok(mut bash) = Command::new("bash")
        .arg("-s")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        // Without bash there is nobody to read it; `.ci/package` has one.
        return;
    };
    write!(bash.stdin.take().unwrap(), "{script}\n{complete}\n").unwrap();
    let output = bash.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "doctor domain");
}

#[test]
fn the_main_page_is_printed_and_all_are_written() {
    let main = hybridge(&["man"]);
    assert_eq!((main.code, main.stderr.as_str()), (0, ""));
    assert!(main.stdout.contains(".TH hybridge 1 \"\""), "{}", main.stdout);
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man/en");
    let run = hybridge(&["man", "--dir", pages.to_str().unwrap()]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
    assert_eq!(fs::read_to_string(pages.join("hybridge.1")).unwrap(), main.stdout);
    for verb in VERBS {
        let page = fs::read_to_string(pages.join(format!("hybridge-{verb}.1"))).unwrap();
        assert!(page.contains(".SH DESCRIPTION"), "{verb}");
    }
    assert_eq!(fs::read_dir(&pages).unwrap().count(), VERBS.len() + 1);

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let run = hybridge(&["man", "--dir", file.to_str().unwrap()]);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("could not be written"), "{}", run.stderr);
}
