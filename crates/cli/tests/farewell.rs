//! What the phone sees when `hybridge key` ends in the middle of a request: a goodbye.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may fail loudly"
)]
#![cfg(target_os = "linux")]

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
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
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::spawn_blocking,
    time::timeout,
};

/// How long anything may take on a machine that is busy.
const SOON: Duration = Duration::from_secs(30);
const DOMAIN: DomainId = DomainId::new(266);
/// authenticatorMakeCredential.
const MAKE: &[u8] = b"\x01\xa5\x01\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
    \x02\xa2\x62id\x6csite.example\x64name\x64Site\
    \x03\xa3\x62id\x41\x01\x64name\x63ada\x6bdisplayName\x63Ada\
    \x04\x81\xa2\x63alg\x26\x64type\x6apublic-key\
    \x07\xa1\x62rk\xf5";
const CHANNEL: &[u8] = &[0, 0, 0, 1];

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

/// A wire to the tunnel service, which counts what the computer sends.
struct Wire {
    address: SocketAddr,
    sent: watch::Receiver<(usize, bool)>,
}

impl Wire {
    async fn to(service: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (count, sent) = watch::channel((0, true));
        tokio::spawn(async move {
            loop {
                let (mut computer, _) = listener.accept().await.unwrap();
                count.send_modify(|(_, open)| *open = true);
                let mut service = TcpStream::connect(service).await.unwrap();
                let (mut from, mut to) = computer.split();
                let (mut back, mut forth) = service.split();
                let counted = async {
                    let mut buffer = vec![0; 4096];
                    while let Ok(length @ 1..) = from.read(&mut buffer).await {
                        count.send_modify(|(sent, _)| *sent += length);
                        forth.write_all(buffer.get(..length).unwrap()).await.unwrap();
                    }
                };
                let answers = tokio::io::copy(&mut back, &mut to);
                let _ = tokio::join!(counted, timeout(SOON, answers));
                count.send_modify(|(_, open)| *open = false);
            }
        });
        Self { address, sent }
    }

    fn sent(&self) -> usize {
        self.sent.borrow().0
    }

    /// Waits until nothing more can come.
    async fn until_closed(&self) {
        self.sent.clone().wait_for(|(_, open)| !open).await.unwrap();
    }
}

/// Asks for a passkey, and gives the code that the key shows.
async fn code_of_a_request(program: &mut HelperSocket, child: &mut Child) -> String {
    program.send(&report(&[&[0xff; 4], &[0x86, 0, 8], b"nonceabc"])).await.unwrap();
    let Incoming::Report(_) = program.receive().await.unwrap() else { panic!("no channel") };
    let (first, rest) = MAKE.split_at(57);
    let length = u8::try_from(MAKE.len()).unwrap();
    program.send(&report(&[CHANNEL, &[0x90, 0, length], first])).await.unwrap();
    for (number, part) in (0_u8..).zip(rest.chunks(59)) {
        program.send(&report(&[CHANNEL, &[number], part])).await.unwrap();
    }
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
    let wire = Wire::to(tunnel.address()).await;
    let (address, root) = (wire.address.to_string(), tunnel.root_file().to_str().unwrap());
    let reach = ["--adapter", "hci0", "--dangerous-relay-addr", &address, "--dangerous-relay-ca", root];
    let mut ends = Vec::new();
    for signal in [None, Some(Signal::INT), Some(Signal::TERM)] {
        let socket = folder.path().join(format!("key-{signal:?}.sock"));
        let listener = Listener::bind(&socket, 0o600).unwrap();
        let mut child = start(bluez.bus_address(), &socket, &reach);
        let mut program = HelperSocket::new(listener.accept().await.unwrap());
        phone.scan(&code_of_a_request(&mut program, &mut child).await);
        let asks = phone.wait_for(|status| matches!(status.state, PhoneState::Asking(_)));
        timeout(SOON, asks).await.unwrap();
        let (before, begun) = (wire.sent(), Instant::now());
        match signal {
            Some(signal) => kill_process(Pid::from_child(&child), signal).unwrap(),
            None => drop(child.stdin.take()),
        }
        assert_eq!(spawn_blocking(move || child.wait()).await.unwrap().unwrap().code(), Some(130));
        ends.push(begun.elapsed());
        // A phone that waits for its owner shows no difference, but the wire does.
        timeout(SOON, wire.until_closed()).await.unwrap();
        assert!(wire.sent() > before, "{signal:?}: nothing was said at the end");
    }
    assert!(ends.iter().min().unwrap() < &Duration::from_secs(1), "no longer than that takes: {ends:?}");
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
