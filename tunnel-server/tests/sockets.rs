//! The listener and the program on real loopback sockets.
#![allow(clippy::unwrap_used)]

mod support;

use std::{net::SocketAddr, process::Stdio};

use futures_util::SinkExt;
use hybridge_relay::{Service, Serving};
use support::*;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::Command,
};

async fn serve(service: &Service) -> Serving {
    service.serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap()
}

async fn tcp_pair(address: SocketAddr) -> (Socket<TcpStream>, Socket<TcpStream>) {
    let connect = || async { TcpStream::connect(address).await.unwrap() };
    let (phone, response) = websocket(connect().await, &new_path()).await.unwrap();
    let path = connect_path(routing_of(&response));
    let (client, _) = websocket(connect().await, &path).await.unwrap();
    (phone, client)
}

#[tokio::test]
async fn a_tunnel_works_over_sockets() {
    let serving = serve(&service()).await;
    let (mut phone, mut client) = tcp_pair(serving.local_addr()).await;
    client.send(binary("question")).await.unwrap();
    assert_eq!(next(&mut phone).await, binary("question"));
    phone.send(binary(vec![7; 1 << 20])).await.unwrap();
    assert!(next(&mut client).await == binary(vec![7; 1 << 20]));
    phone.close(None).await.unwrap();
    assert_eq!(close_code(&mut client).await, 1000);
}

#[tokio::test]
async fn a_reset_peer_has_vanished() {
    let serving = serve(&service()).await;
    let (phone, mut client) = tcp_pair(serving.local_addr()).await;
    phone.get_ref().set_zero_linger().unwrap();
    drop(phone);
    assert_eq!(close_code(&mut client).await, 1001);
}

#[tokio::test]
async fn the_close_frame_reaches_a_peer_that_is_still_sending() {
    let serving = serve(&service()).await;
    let (_phone, mut client) = tcp_pair(serving.local_addr()).await;
    // A frame that announces 2 MiB and brings them.
    let mut frame = b"\x82\xFF\0\0\0\0\0\x20\0\0\0\0\0\0".to_vec();
    frame.resize(frame.len() + (2 << 20), 0);
    client.get_mut().write_all(&frame).await.unwrap();
    assert_eq!(close_code(&mut client).await, 1009);
}

#[tokio::test]
async fn a_refusal_reaches_a_peer_that_is_still_sending() {
    let serving = serve(&service()).await;
    let mut io = TcpStream::connect(serving.local_addr()).await.unwrap();
    let mut request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
    request.resize(1 << 20, b'x');
    io.write_all(&request).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), 404);
}

#[tokio::test]
async fn stopping_closes_every_side_with_1012_and_frees_the_port() {
    let service = service();
    let serving = serve(&service).await;
    let address = serving.local_addr();
    let (mut phone, mut client) = tcp_pair(address).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    // Served last of all, so the others are accepted once it is answered.
    let mut probe = TcpStream::connect(address).await.unwrap();
    probe.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    probe.read_to_string(&mut answer).await.unwrap();
    drop(probe);

    let answers = async {
        let codes = (close_code(&mut phone).await, close_code(&mut client).await);
        let mut refused = String::new();
        idle.read_to_string(&mut refused).await.unwrap();
        drop((phone, client, idle));
        (codes, status(&refused))
    };
    let ((), answers) = tokio::join!(serving.stop(), answers);
    assert_eq!(answers, ((1012, 1012), 503));
    assert_eq!(service.tunnel_count(), 0);
    TcpListener::bind(address).await.unwrap();
}

#[tokio::test]
async fn dropping_the_handle_stops_the_service() {
    let serving = serve(&service()).await;
    let (mut phone, mut client) = tcp_pair(serving.local_addr()).await;
    drop(serving);
    assert_eq!((close_code(&mut phone).await, close_code(&mut client).await), (1012, 1012));
}

#[tokio::test]
async fn the_program_serves_and_stops() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_hybridge-relay"))
        .args(["--listen", "127.0.0.1:0", "--drain-timeout", "1ms"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let address = line.strip_prefix("listening on ").unwrap().parse().unwrap();
    let (mut phone, mut client) = tcp_pair(address).await;
    client.send(binary("question")).await.unwrap();
    assert_eq!(next(&mut phone).await, binary("question"));

    #[cfg(unix)]
    {
        let id = program.id().unwrap().to_string();
        assert!(Command::new("kill").arg(id).status().await.unwrap().success());
        assert_eq!(close_code(&mut phone).await, 1012);
        drop((phone, client));
        assert!(program.wait().await.unwrap().success());
    }
}

#[tokio::test]
async fn the_program_says_why_it_does_not_start() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_hybridge-relay")).args(["--listen", &address]).output();
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let last = said.lines().last().unwrap();
    let expected = format!("hybridge-relay: cannot listen on {address}, try another address or port (");
    assert!(last.starts_with(&expected), "{said}");
    assert!(output.stdout.is_empty());
}
