//! What the service logs, at every level, holds nothing that a peer would not want to see there.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use futures_util::SinkExt;
use hybridge_relay::access::{Access, Tokens};
use support::*;
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_holds_no_identifier_payload_or_address() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let service = with_config(|config| {
        config.access = Access::Bearer(Tokens::parse("app:0123456789abcdef").unwrap());
        config.origins = Some(Vec::new());
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let serving = service.serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let address = serving.local_addr();
    let connect = || async { TcpStream::connect(address).await.unwrap() };
    let (mut phone, response) =
        websocket_with(connect().await, &new_path(), &[("Authorization", "Bearer 0123456789abcdef")])
            .await
            .unwrap();
    let routing = routing_of(&response);
    for (name, value, status) in [
        ("Authorization", "Bearer guessed-by-a-stranger", 401),
        ("Origin", "https://stranger.example", 403),
        ("X-Forwarded-For", "198.51.100.77", 401),
    ] {
        assert_eq!(websocket_with(connect().await, &new_path(), &[(name, value)]).await.err(), Some(status));
    }
    let (mut client, _) = websocket(connect().await, &connect_path(routing)).await.unwrap();
    assert_eq!(websocket(connect().await, &connect_path(routing)).await.err(), Some(404));
    client.send(binary("a payload")).await.unwrap();
    assert_eq!(next(&mut phone).await, binary("a payload"));
    client.close(None).await.unwrap();
    assert_eq!(close_code(&mut phone).await, 1000);
    drop((phone, client));
    serving.stop().await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap().to_lowercase();
    for expected in ["tunnel opened", "tunnel joined", "status=404", "end=closed", "stopping"] {
        assert!(log.contains(expected), "{expected} is missing in {log}");
    }
    let tunnel = TUNNEL.to_hex().to_lowercase();
    let port = format!(":{}", address.port());
    let routing = routing.to_hex().to_lowercase();
    for secret in [&tunnel, &tunnel[..8], &routing, "payload", "127.0.0.1", "198.51", &port] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
    // The name of a token is there, and no token.
    assert!(log.contains("\"app\""), "{log}");
    for secret in ["0123456789", "guessed", "stranger"] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

/// What is logged of a refused request for an existing path.
async fn refusal(log_addresses: bool) -> String {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let service = with_config(|config| config.log_addresses = log_addresses);
    let serving = service.serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let io = TcpStream::connect(serving.local_addr()).await.unwrap();
    let path = connect_path(hybridge_proto::ids::RoutingId::from_bytes([0, 0, 0]));
    assert_eq!(websocket(io, &path).await.err(), Some(404));
    serving.stop().await;
    let text = log.0.lock().unwrap().clone();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn addresses_are_logged_only_where_asked_for_and_identifiers_never() {
    let (without, with) = (refusal(false).await, refusal(true).await);
    assert!(without.contains("request refused") && !without.contains("127.0.0.1"), "{without}");
    assert!(with.contains("request refused") && with.contains("address=127.0.0.1"), "{with}");
    assert!(!with.to_lowercase().contains(&TUNNEL.to_hex().to_lowercase()), "{with}");
}
