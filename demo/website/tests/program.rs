//! The program `hybridge-website`: how it ends, and what it says of its files.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// Starts it on a free port, and connects as a browser that never says all it has to say.
fn start() -> (Child, TcpStream) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hybridge-website"));
    let mut child =
        command.args(["--in-memory", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("Listening on ").unwrap().split_once(',').unwrap().0;
    let mut browser = TcpStream::connect(address).unwrap();
    // The site asks for the body when it waits for it, and never gets all of it.
    let port = browser.peer_addr().unwrap().port();
    let head = format!(
        "POST /api/register/begin HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:{port}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
    );
    browser.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    browser.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    browser.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    (child, browser)
}

/// Waits for its end. Fails if there is none.
fn end(mut child: Child) -> ExitStatus {
    let pid = Pid::from_child(&child);
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(child.wait().unwrap()));
    let status = told.recv_timeout(Duration::from_mins(1));
    if status.is_err() {
        let _ = kill_process(pid, Signal::KILL);
    }
    status.unwrap()
}

#[test]
fn half_a_request_does_not_keep_it() {
    let (child, _browser) = start();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(end(child).code(), Some(0));
}

#[test]
fn a_second_signal_is_enough() {
    let (child, _browser) = start();
    for signal in [Signal::INT, Signal::TERM] {
        kill_process(Pid::from_child(&child), signal).unwrap();
    }
    assert_eq!(end(child).code(), Some(0));
}

/// Runs it to its end. Its exit code, and what it has said.
fn run(arguments: &[&str], database: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hybridge-website"));
    let output = command.args(arguments).arg("--database").arg(database).output().unwrap();
    let text = String::from_utf8(if output.status.success() { output.stdout } else { output.stderr });
    (output.status.code(), text.unwrap())
}

#[test]
fn groups_are_kept_in_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("accounts.sqlite");
    for (name, group) in [("bob", "staff"), ("ada", "everyone"), ("bob", "everyone"), ("ada", "staff")] {
        assert_eq!(run(&["group", "set", name, group], &database), (Some(0), String::new()));
    }
    let (code, list) = run(&["group", "list"], &database);
    assert_eq!((code, list.as_str()), (Some(0), "staff\tada\neveryone\tbob\n"));
    let (code, said) = run(&["group", "set", "ada", "board"], &database);
    assert!(code == Some(2) && said.contains("everyone, staff"), "{said}");
    let (code, said) = run(&["group", "set", " ", "staff"], &database);
    assert!(code == Some(2) && said.contains("user name"), "{said}");
    // A policy without one of the groups would leave its people without rules.
    let policy = folder.path().join("policy.toml");
    let everyone = "[everyone]\npasskeys = \"any\"\nattestation = \"not-required\"\n\
                    user-verification = \"preferred\"\npassword = true\n";
    fs::write(&policy, everyone).unwrap();
    let serve = ["--listen", "127.0.0.1:0", "--policy", policy.to_str().unwrap()];
    let (code, said) = run(&serve, &database);
    assert!(code == Some(2) && said.contains("\"ada\" is in group `staff`"), "{said}");
}

#[test]
fn files_that_cannot_be_used_have_codes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let [database, policy] = ["accounts.sqlite", "policy.toml"].map(|name| folder.path().join(name));
    fs::write(&policy, "[everyone]\npasskeys = 1\n").unwrap();
    let (code, said) = run(&["--policy", policy.to_str().unwrap(), "--listen", "127.0.0.1:0"], &database);
    assert!(code == Some(2) && said.contains("not understood"), "{said}");
    fs::write(&database, "no database ".repeat(400)).unwrap();
    for arguments in [&["--listen", "127.0.0.1:0"][..], &["group", "list"]] {
        let (code, said) = run(arguments, &database);
        assert!(code == Some(4) && said.contains("move it"), "{said}");
        assert!(said.contains(database.to_str().unwrap()), "{said}");
    }
    let (code, said) = run(&["group", "list", "--in-memory"], &database);
    assert!(code == Some(2) && said.contains("cannot be used with"), "{said}");
}
