//! What the phone sees when `hybridge key` ends in the middle of a request: a goodbye.
#![allow(clippy::panic, clippy::unwrap_used, reason = "helpers of tests may fail loudly")]
#![cfg(target_os = "linux")]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use hybridge_ble::sim::Air;
use hybridge_proto::domain::DomainId;
use hybridge_security_key::{
    Incoming, ReportChannel,
    helper::{HelperSocket, Listener},
    hid::Report,
};
use hybridge_testkit::{
    bluez::FakeBluez,
    phone::{Answer, PhoneState, ScriptedPhone},
    tunnel::TunnelService,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{task::spawn_blocking, time::timeout};

/// How long anything may take on a machine that is busy.
const SOON: Duration = Duration::from_secs(30);
const DOMAIN: DomainId = DomainId::new(266);
const SIGN_IN: &[u8] = b"\x02\xa2\x01\x64site\x02\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn start(bus: &str, socket: &Path, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hybridge"));
    command.args(["key", "--events", "json", "--socket"]).arg(socket).args(more);
    command.env("DBUS_SYSTEM_BUS_ADDRESS", bus);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A report with this head and these contents.
fn report(parts: &[&[u8]]) -> Report {
    let mut report = [0; 64];
    report.iter_mut().zip(parts.concat()).for_each(|(to, from)| *to = from);
    Report(report)
}

/// Asks for a sign-in, and gives the code that the key shows.
async fn code_of_a_sign_in(program: &mut HelperSocket, child: &mut Child) -> String {
    program.send(&report(&[&[0xff; 4], &[0x86, 0, 8], b"nonceabc"])).await.unwrap();
    let Incoming::Report(_) = program.receive().await.unwrap() else { panic!("no channel") };
    program.send(&report(&[&[0, 0, 0, 1], &[0x90, 0, 43], SIGN_IN])).await.unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let (code, stderr) = spawn_blocking(move || {
        loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it has ended");
            let event: Value = serde_json::from_str(&line).unwrap();
            if let Some(code) = event["code"].as_str() {
                return (code.to_owned(), stderr);
            }
        }
    })
    .await
    .unwrap();
    child.stderr = Some(stderr.into_inner());
    code
}

#[tokio::test(flavor = "multi_thread")]
async fn however_the_key_ends_the_phone_is_told() {
    let bluez = FakeBluez::start(&Air::new(1), 2).await.unwrap();
    let tunnel = TunnelService::start(DOMAIN, 0).await.unwrap();
    let radio = bluez.radio("hci1").unwrap().clone();
    let phone = ScriptedPhone::new(radio, DOMAIN, Arc::new(tunnel.dialer().unwrap()));
    phone.set_answer(Answer::Wait);
    let folder = tempfile::tempdir().unwrap();
    let (address, root) = (tunnel.address().to_string(), tunnel.root_file().to_str().unwrap());
    let reach = ["--adapter", "hci0", "--dangerous-relay-addr", &address, "--dangerous-relay-ca", root];
    for signal in [None, Some(Signal::INT), Some(Signal::TERM)] {
        let socket = folder.path().join(format!("key-{signal:?}.sock"));
        let listener = Listener::bind(&socket, 0o600).unwrap();
        let mut child = start(bluez.bus_address(), &socket, &reach);
        let mut program = HelperSocket::new(listener.accept().await.unwrap());
        let session = phone.scan(&code_of_a_sign_in(&mut program, &mut child).await);
        let asks = phone.wait_for(|status| matches!(status.state, PhoneState::Asking(_)));
        timeout(SOON, asks).await.unwrap();
        match signal {
            Some(signal) => kill_process(Pid::from_child(&child), signal).unwrap(),
            None => drop(child.stdin.take()),
        }
        let over = phone.wait_for(|status| {
            status.session == session
                && matches!(status.state, PhoneState::Finished { .. } | PhoneState::Failed { .. })
        });
        let status = timeout(SOON, over).await.unwrap();
        assert_eq!(status.state, PhoneState::Finished { status: None }, "{signal:?}");
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }
}

#[tokio::test]
async fn a_key_without_a_session_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut times = Vec::new();
    for number in 0..3 {
        let socket = folder.path().join(format!("{number}.sock"));
        let listener = Listener::bind(&socket, 0o600).unwrap();
        let mut child = start("unix:path=/nonexistent/bus", &socket, &[]);
        let _device = listener.accept().await.unwrap();
        let begun = Instant::now();
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        times.push(begun.elapsed());
    }
    // The machine may do other things as well.
    assert!(times.iter().min().unwrap() < &Duration::from_secs(1), "{times:?}");
}
