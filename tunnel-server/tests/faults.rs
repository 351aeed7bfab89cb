//! The program when things go wrong around it: killed, out of file descriptors, reset by its peers.
#![cfg(all(feature = "program", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "support/program.rs"]
mod program;
mod support;

use std::{fs, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use hybridge_proto::ids::{RoutingId, TunnelId};
use program::Program;
use support::*;
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    time::{sleep, timeout},
};

/// How long something that happens at once may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program, without limits of its own, and what it writes to standard error.
struct Relay {
    program: Program,
    address: SocketAddr,
    log: NamedTempFile,
}

impl Relay {
    /// Starts it behind the limits that shell commands such as `ulimit` set.
    async fn start(limits: &str, listen: &str) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("{limits} exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_hybridge-relay")])
            .args(["--listen", listen, "--limits", "none", "--admin-listen", "off"])
            .env_remove("RUST_LOG")
            .stderr(log.reopen().unwrap());
        let mut program = Program::start(&mut shell);
        Self { address: program.listening().await, program, log }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn open(&self, tunnel: TunnelId) -> (Socket<TcpStream>, RoutingId) {
        let path = format!("/cable/new/{}", tunnel.to_hex());
        let (phone, response) = websocket(self.connect().await, &path).await.unwrap();
        (phone, routing_of(&response))
    }

    async fn join(&self, tunnel: TunnelId, routing: RoutingId) -> Result<Socket<TcpStream>, u16> {
        let path = format!("/cable/connect/{}/{}", routing.to_hex(), tunnel.to_hex());
        Ok(websocket(self.connect().await, &path).await?.0)
    }

    async fn pair(&self, number: u8) -> (Socket<TcpStream>, Socket<TcpStream>) {
        let tunnel = TunnelId::from_bytes([number; 16]);
        let (phone, routing) = self.open(tunnel).await;
        (phone, self.join(tunnel, routing).await.unwrap())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    /// CPU time in seconds since the start.
    fn cpu(&self) -> f64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.program.id())).unwrap();
        let nanoseconds = threads.map(|thread| {
            let text = fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(nanoseconds.sum()).as_secs_f64()
    }
}

async fn passes(from: &mut Socket<TcpStream>, to: &mut Socket<TcpStream>) {
    from.send(binary("still here")).await.unwrap();
    assert_eq!(timeout(PATIENCE, next(to)).await.unwrap(), binary("still here"));
}

#[tokio::test]
async fn a_killed_service_is_noticed_and_started_again_on_its_port() {
    let mut relay = Relay::start("", "127.0.0.1:0").await;
    let tunnel = TunnelId::from_bytes([9; 16]);
    let (mut waiting, routing) = relay.open(tunnel).await;
    let (mut phone, mut client) = relay.pair(1).await;
    passes(&mut client, &mut phone).await;
    relay.program.signal("KILL").await;
    relay.program.ended().await;
    for socket in [&mut waiting, &mut phone, &mut client] {
        let ended = timeout(PATIENCE, socket.next()).await.unwrap();
        assert!(!matches!(ended, Some(Ok(_))), "{ended:?}");
    }
    let again = Relay::start("", &relay.address.to_string()).await;
    assert_eq!(
        again.join(tunnel, routing).await.err(),
        Some(404),
        "nothing is left of the tunnels of before"
    );
    let (mut phone, mut client) = again.pair(1).await;
    passes(&mut phone, &mut client).await;
}

#[tokio::test]
async fn without_file_descriptors_it_waits_quietly_and_goes_on() {
    let relay = Relay::start("ulimit -n 48;", "127.0.0.1:0").await;
    let (mut phone, mut client) = relay.pair(1).await;
    let mut strangers = Vec::new();
    for _ in 0..100 {
        strangers.push(relay.connect().await);
    }
    while !relay.log().contains("accepting failed") {
        sleep(Duration::from_millis(20)).await;
    }
    let (cpu, lines) = (relay.cpu(), relay.log().lines().count());
    sleep(Duration::from_secs(4)).await;
    let (cpu, lines) = (relay.cpu() - cpu, relay.log().lines().count() - lines);
    assert!(cpu < 0.02 * 4.0, "{cpu} s of CPU in 4 s");
    assert!(lines <= 5, "{lines} lines of log in 4 s");
    passes(&mut phone, &mut client).await;
    drop(strangers);
    let (mut phone, mut client) = timeout(PATIENCE, relay.pair(2)).await.unwrap();
    passes(&mut phone, &mut client).await;
}

/// Where in its life a connection is reset.
const STEPS: usize = 4;

/// One tunnel, of which one side is reset at a step, if at all; the other side must be told in any case.
async fn lifecycle(relay: &Relay, number: u16, reset: Option<(usize, bool)>) {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&number.to_be_bytes());
    let tunnel = TunnelId::from_bytes(id);
    let at = |step| reset.filter(|(when, _)| *when == step);
    if at(0).is_some() {
        let mut io = relay.connect().await;
        io.write_all(b"GET /cable/new/").await.unwrap();
        return io.set_zero_linger().unwrap();
    }
    let (mut phone, routing) = relay.open(tunnel).await;
    if at(1).is_some() {
        return phone.get_ref().set_zero_linger().unwrap();
    }
    let mut client = relay.join(tunnel, routing).await.unwrap();
    if at(2).is_none() {
        passes(&mut client, &mut phone).await;
        passes(&mut phone, &mut client).await;
    }
    match reset {
        Some((_, phone_is_reset)) => {
            let (gone, mut stays) = if phone_is_reset { (phone, client) } else { (client, phone) };
            gone.get_ref().set_zero_linger().unwrap();
            drop(gone);
            assert_eq!(timeout(PATIENCE, close_code(&mut stays)).await.unwrap(), 1001);
        }
        None => {
            phone.close(None).await.unwrap();
            assert_eq!(timeout(PATIENCE, close_code(&mut client)).await.unwrap(), 1000);
        }
    }
}

#[tokio::test]
async fn connections_that_are_reset_harm_no_others() {
    let relay = Relay::start("", "127.0.0.1:0").await;
    // One in a hundred connections, two connections in a tunnel.
    let tunnels = (0..1000_u16).map(|number| {
        let kind = usize::from(number / 50);
        let reset = (number % 50 == 0).then_some((kind % STEPS, kind % 8 < STEPS));
        lifecycle(&relay, number, reset)
    });
    futures_util::stream::iter(tunnels).buffer_unordered(50).collect::<()>().await;
    // Every tunnel ID is free again.
    lifecycle(&relay, 0, None).await;
    lifecycle(&relay, 50, None).await;
}

#[tokio::test]
async fn peers_that_do_not_read_cost_no_more_memory_than_their_sockets() {
    // A gibibyte of address space: far less than what is sent.
    let relay = Relay::start("ulimit -v 1048576;", "127.0.0.1:0").await;
    let (mut held, mut sent) = (Vec::new(), 0_u64);
    for number in 0..20 {
        let (mut phone, client) = relay.pair(number).await;
        let chunk = frame(0x82, &[number; 60_000]);
        while let Ok(Ok(())) = timeout(Duration::from_millis(200), phone.get_mut().write_all(&chunk)).await {
            sent += 60_000;
        }
        held.push((phone, client));
    }
    assert!(sent > 20 << 20, "{sent} bytes were taken until every tunnel stalled");
    let (mut phone, mut client) = relay.pair(200).await;
    passes(&mut phone, &mut client).await;
    let status = fs::read_to_string(format!("/proc/{}/status", relay.program.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(resident < 64 << 10, "{resident} KiB are resident with 20 stalled tunnels");
}

#[tokio::test]
async fn a_crowd_that_comes_at_once_waits_its_turn() {
    let most = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse().unwrap();
    let relay = Relay::start("", "127.0.0.1:0").await;
    relay.program.signal("STOP").await;
    let mut crowd = Vec::new();
    for _ in 0..1000.min(most) {
        crowd.push(timeout(PATIENCE, relay.connect()).await.unwrap());
    }
    relay.program.signal("CONT").await;
    let (mut phone, mut client) = timeout(PATIENCE, relay.pair(1)).await.unwrap();
    passes(&mut phone, &mut client).await;
}

#[tokio::test]
async fn a_thousand_connections_that_say_nothing_keep_nobody_out() {
    let relay = Relay::start("ulimit -n 4096;", "127.0.0.1:0").await;
    let mut silent = Vec::new();
    for _ in 0..1000 {
        let mut io = relay.connect().await;
        io.write_all(b"GET /cable/new/00").await.unwrap();
        silent.push(io);
    }
    let (mut phone, mut client) = relay.pair(1).await;
    passes(&mut phone, &mut client).await;
    let mut nothing = [0; 1];
    let answered = timeout(Duration::from_millis(50), silent[0].read(&mut nothing)).await;
    assert!(answered.is_err(), "without limits there is no end to the wait for a request");
}
