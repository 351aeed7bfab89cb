//! The program under a service manager: signals, notes to the manager, passed sockets.
#![cfg(all(feature = "program", unix))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "support/program.rs"]
mod program;

use std::{collections::BTreeSet, fs, net::TcpListener, os::fd::OwnedFd};

use program::{Manager, Program, command, get};
use tokio::process::Command;

const LISTEN: [&str; 4] = ["--listen", "127.0.0.1:0", "--admin-listen", "off"];

#[tokio::test]
async fn the_manager_is_told_of_start_reload_and_stop_in_this_order() {
    let manager = Manager::new();
    let mut running = Program::start(command(&LISTEN).env("NOTIFY_SOCKET", manager.path("notify")));
    running.listening().await;
    assert_eq!(manager.note().await, ["READY=1", "STATUS=taking tunnels"]);
    running.signal("HUP").await;
    let note = manager.note().await;
    assert_eq!(note[0], "RELOADING=1");
    let microseconds = note[1].strip_prefix("MONOTONIC_USEC=").unwrap();
    assert!(microseconds.parse::<u64>().unwrap() > 0);
    assert_eq!(manager.note().await, ["READY=1", "STATUS=taking tunnels"]);
    running.signal("TERM").await;
    assert_eq!(manager.note().await[0], "STOPPING=1");
    assert!(running.ended().await.success());
}

#[tokio::test]
async fn the_watchdog_is_fed_again_and_again() {
    let manager = Manager::new();
    let mut running = Program::start(
        command(&LISTEN).env("NOTIFY_SOCKET", manager.path("notify")).env("WATCHDOG_USEC", "200000"),
    );
    running.listening().await;
    let mut fed = 0;
    while fed < 3 {
        fed += manager.note().await.iter().filter(|line| *line == "WATCHDOG=1").count();
    }
}

#[tokio::test]
async fn passed_sockets_are_used_instead_of_those_of_the_settings() {
    let sockets = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
    let addresses: BTreeSet<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
    let [first, second] = sockets.map(OwnedFd::from);
    // As a service manager does it: the sockets are descriptors 3 and 4 of the process that is named.
    let script = "LISTEN_PID=$$ LISTEN_FDS=2 exec \"$0\" \"$@\" 3<&0 4<&2 0</dev/null 2>/dev/null";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_hybridge-relay"), "--admin-listen", "off"]);
    shell.stdin(first).stderr(second);
    let mut running = Program::start(&mut shell);
    assert_eq!(BTreeSet::from([running.listening().await, running.listening().await]), addresses);
    for address in addresses {
        assert!(get(address, "/").await.starts_with("HTTP/1.1 404 "));
    }
}

#[tokio::test]
async fn a_reload_with_broken_settings_changes_nothing() {
    let manager = Manager::new();
    let file = manager.path("config.toml");
    fs::write(&file, "listen = [\"127.0.0.1:0\"]\n[admin]\nlisten = \"off\"\n").unwrap();
    let mut running = Program::start(
        command(&["--config", file.to_str().unwrap()]).env("NOTIFY_SOCKET", manager.path("notify")),
    );
    let address = running.listening().await;
    manager.note().await;
    fs::write(&file, "listen = [\"nowhere\"]\n").unwrap();
    running.signal("HUP").await;
    assert_eq!(manager.note().await[0], "RELOADING=1");
    let note = manager.note().await;
    assert_eq!(note[0], "READY=1");
    assert!(note[1].starts_with("STATUS=taking tunnels; the last reload failed, see the log"), "{note:?}");
    assert!(get(address, "/").await.starts_with("HTTP/1.1 404 "));
}
