//! The program with live tunnels: told to stop, told again, told to read its settings again.
#![cfg(all(feature = "program", unix))]
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/program.rs"]
mod program;
mod support;

use std::{fs, net::SocketAddr};

use futures_util::SinkExt;
use program::{Manager, Program, command, get, output, text};
use support::{Socket, binary, close_code, connect_path, new_path, next, routing_of, websocket};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const LISTEN: [&str; 4] = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];

async fn tcp(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// A phone and a client in one tunnel.
async fn pair(address: SocketAddr) -> (Socket<TcpStream>, Socket<TcpStream>) {
    let (phone, response) = websocket(tcp(address).await, &new_path()).await.unwrap();
    let (client, _) = websocket(tcp(address).await, &connect_path(routing_of(&response))).await.unwrap();
    (phone, client)
}

/// The status that opening the tunnel of this number is answered with, and what has to be kept for it to last.
async fn open(address: SocketAddr, number: u8, token: Option<&str>) -> (u16, Option<Socket<TcpStream>>) {
    let token = token.map(|token| format!("Bearer {token}"));
    open_with(address, number, token.as_deref().map(|token| ("Authorization", token))).await
}

/// The same with any header.
async fn open_with(
    address: SocketAddr,
    number: u8,
    header: Option<(&'static str, &str)>,
) -> (u16, Option<Socket<TcpStream>>) {
    let uri = format!("ws://cable.example.com/cable/new/{number:032x}");
    let mut request = uri.into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "fido.cable".parse().unwrap());
    if let Some((name, value)) = header {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    match tokio_tungstenite::client_async(request, tcp(address).await).await {
        Ok((socket, response)) => (response.status().as_u16(), Some(socket)),
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => (response.status().as_u16(), None),
        Err(error) => panic!("{error}"),
    }
}

/// Waits until the program has taken note of a signal to stop.
async fn draining(admin: SocketAddr) {
    while !get(admin, "/readyz").await.starts_with("HTTP/1.1 503 ") {}
}

#[tokio::test]
async fn a_live_tunnel_finishes_and_no_new_one_begins() {
    let mut running = Program::start(&mut command(&LISTEN));
    let (address, admin) = (running.listening().await, running.admin().await);
    let (mut phone, mut client) = pair(address).await;
    running.signal("TERM").await;
    draining(admin).await;
    assert!(get(admin, "/healthz").await.starts_with("HTTP/1.1 200 "));
    assert!(get(admin, "/metrics").await.contains("\nhybridge_relay_draining 1\n"));
    assert_eq!(open(address, 1, None).await.0, 503);
    client.send(binary("still there")).await.unwrap();
    assert_eq!(next(&mut phone).await, binary("still there"));
    client.close(None).await.unwrap();
    assert_eq!(close_code(&mut phone).await, 1000);
    drop((phone, client));
    assert!(running.ended().await.success());
}

#[tokio::test]
async fn when_the_time_is_over_what_is_left_is_closed_with_1012() {
    let mut running = Program::start(command(&LISTEN).args(["--drain-timeout", "1ms"]));
    let address = running.listening().await;
    let (mut phone, mut client) = pair(address).await;
    running.signal("INT").await;
    assert_eq!((close_code(&mut phone).await, close_code(&mut client).await), (1012, 1012));
    drop((phone, client));
    assert!(running.ended().await.success());
}

#[tokio::test]
async fn a_second_signal_ends_everything_at_once() {
    let mut running = Program::start(&mut command(&LISTEN));
    let (address, admin) = (running.listening().await, running.admin().await);
    // Both sides stay, and neither answers a goodbye.
    let _tunnel = pair(address).await;
    running.signal("TERM").await;
    draining(admin).await;
    running.signal("TERM").await;
    assert!(running.ended().await.success());
}

#[tokio::test]
async fn limits_and_tokens_are_read_again() {
    let manager = Manager::new();
    let (file, keys) = (manager.path("config.toml"), manager.path("keys"));
    let write = |settings: &str| {
        let always = "listen = [\"127.0.0.1:0\"]\nadmin.listen = \"off\"\n";
        fs::write(&file, format!("{always}{settings}")).unwrap();
    };
    write("limits.max_tunnels = 1\n");
    let arguments = ["--config", file.to_str().unwrap()];
    let mut running = Program::start(command(&arguments).env("NOTIFY_SOCKET", manager.path("notify")));
    let address = running.listening().await;
    assert_eq!(manager.note().await, ["READY=1", "STATUS=taking tunnels"]);
    let first = open(address, 1, None).await;
    assert_eq!((first.0, open(address, 2, None).await.0), (101, 503));

    fs::write(&keys, format!("main:{}\n", "5a".repeat(32))).unwrap();
    write(&format!("limits.max_tunnels = 2\naccess.keys = {keys:?}\n"));
    running.signal("HUP").await;
    assert_eq!(manager.note().await[0], "RELOADING=1");
    assert_eq!(manager.note().await, ["READY=1", "STATUS=taking tunnels"]);
    assert_eq!(open(address, 2, None).await.0, 401);
    let minted = output(&["token", "mint", "--lifetime", "1h", "--key-file", keys.to_str().unwrap()]).await;
    let token = text(&minted.stdout);
    let second = open(address, 2, Some(token.trim())).await;
    assert_eq!((second.0, open(address, 3, Some(token.trim())).await.0), (101, 503));

    // A broken file of keys keeps the old ones.
    fs::write(&keys, "main:nonsense\n").unwrap();
    running.signal("HUP").await;
    assert_eq!(manager.note().await[0], "RELOADING=1");
    assert!(manager.note().await[1].contains("the last reload failed"));
    drop(second);
    let wrong = output(&["token", "mint", "--lifetime", "1h", "--key-file", keys.to_str().unwrap()]).await;
    assert_eq!(wrong.status.code(), Some(1));
    assert!(!text(&wrong.stderr).contains("nonsense"));
    assert_eq!(open(address, 4, None).await.0, 401);
}

#[tokio::test]
async fn the_time_to_finish_is_read_again() {
    let manager = Manager::new();
    let file = manager.path("config.toml");
    let write = |time: &str| {
        let always = "listen = [\"127.0.0.1:0\"]\nadmin.listen = \"off\"\n";
        fs::write(&file, format!("{always}drain_timeout = \"{time}\"\n")).unwrap();
    };
    write("1h");
    let arguments = ["--config", file.to_str().unwrap()];
    let mut running = Program::start(command(&arguments).env("NOTIFY_SOCKET", manager.path("notify")));
    let address = running.listening().await;
    manager.note().await;
    let (mut phone, mut client) = pair(address).await;
    write("1ms");
    running.signal("HUP").await;
    assert_eq!(
        (manager.note().await[0].as_str(), manager.note().await[0].as_str()),
        ("RELOADING=1", "READY=1")
    );
    running.signal("TERM").await;
    let codes = async { (close_code(&mut phone).await, close_code(&mut client).await) };
    let closed = tokio::time::timeout(std::time::Duration::from_secs(60), codes).await;
    assert_eq!(closed.expect("not an hour"), (1012, 1012));
    drop((phone, client));
    assert!(running.ended().await.success());
}

#[tokio::test]
async fn how_proxies_tell_addresses_is_not_half_changed_by_a_reload() {
    let manager = Manager::new();
    let file = manager.path("config.toml");
    let write = |how: &str, burst: u32| {
        let always = "listen = [\"127.0.0.1:0\"]\nadmin.listen = \"off\"\nproxy.trusted = [\"127.0.0.1\"]\n";
        let settings = format!("{always}proxy.client_address = \"{how}\"\nlimits.new_burst = {burst}\n");
        fs::write(&file, settings).unwrap();
    };
    write("x-forwarded-for", 1);
    let arguments = ["--config", file.to_str().unwrap()];
    let mut running = Program::start(command(&arguments).env("NOTIFY_SOCKET", manager.path("notify")));
    let address = running.listening().await;
    manager.note().await;
    let from = async |client, number| open_with(address, number, Some(("X-Forwarded-For", client))).await.0;
    assert_eq!((from("192.0.2.1", 1).await, from("192.0.2.1", 2).await), (101, 429));
    // The limits are new, and still each client has its own: the header counts until the next start.
    write("proxy-protocol", 2);
    running.signal("HUP").await;
    assert_eq!(
        (manager.note().await[0].as_str(), manager.note().await[0].as_str()),
        ("RELOADING=1", "READY=1")
    );
    let answers = [from("192.0.2.2", 3).await, from("192.0.2.2", 4).await, from("192.0.2.2", 5).await];
    assert_eq!(answers, [101, 101, 429]);
}
