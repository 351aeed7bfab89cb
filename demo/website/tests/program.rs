//! The program `hybridge-website`: how it ends.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
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
