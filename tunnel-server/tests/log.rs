//! What the service logs, at every level, holds nothing that a peer would not want to see there.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use futures_util::SinkExt;
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

    let serving = service().serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let address = serving.local_addr();
    let connect = || async { TcpStream::connect(address).await.unwrap() };
    let (mut phone, response) = websocket(connect().await, &new_path()).await.unwrap();
    let routing = routing_of(&response);
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
    for secret in [&tunnel, &tunnel[..8], &routing.to_hex().to_lowercase(), "payload", "127.0.0.1", &port] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}
