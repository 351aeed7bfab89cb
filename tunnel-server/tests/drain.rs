//! Coming to an end without losing a tunnel.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use futures_util::SinkExt;
use hybridge_proto::ids::TunnelId;
use support::*;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_draining_service_opens_nothing_and_lets_tunnels_end() {
    let service = service();
    let serving = service.serve(listen().await).unwrap();
    let (mut phone, routing) = open(&service).await;
    assert!(!service.is_draining());
    service.drain();
    assert!(service.is_draining());
    assert_eq!(metric(&service, "hybridge_relay_draining"), 1.0);

    let answer = exchange(&service, &new_request(TunnelId::from_bytes([1; 16]), "")).await;
    assert_eq!(status(&answer), 503);
    assert!(answer.contains("\r\nRetry-After: 60\r\n") && answer.contains("restart"), "{answer}");
    assert_eq!(metric(&service, r#"hybridge_relay_requests_total{request="new",outcome="draining"}"#), 1.0);

    let mut client = join(&service, routing).await.unwrap();
    let start = Instant::now();
    let ceremony = async {
        sleep(Duration::from_secs(20)).await;
        client.send(binary("the end")).await.unwrap();
        assert_eq!(next(&mut phone).await, binary("the end"));
        phone.close(None).await.unwrap();
        assert_eq!(close_code(&mut client).await, 1000);
    };
    let (drained, ()) = tokio::join!(serving.drained(Duration::from_secs(60)), ceremony);
    assert!(drained);
    assert_eq!(start.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn draining_has_a_limit() {
    let service = service();
    let serving = service.serve(listen().await).unwrap();
    let _pair = pair(&service).await;
    service.drain();
    let start = Instant::now();
    assert!(!serving.drained(Duration::from_secs(60)).await);
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn with_nothing_live_draining_is_over_at_once() {
    let service = service();
    let serving = service.serve(listen().await).unwrap();
    drop(pair(&service).await);
    while service.tunnel_count() > 0 {
        tokio::task::yield_now().await;
    }
    service.drain();
    let start = Instant::now();
    assert!(serving.drained(Duration::ZERO).await);
    assert!(serving.drained(Duration::MAX).await);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn what_is_left_is_closed_with_1012() {
    let service = service();
    let serving = service.serve(listen().await).unwrap();
    let connect = async || TcpStream::connect(serving.local_addr()).await.unwrap();
    let (mut phone, response) = websocket(connect().await, &new_path()).await.unwrap();
    let (mut client, _) = websocket(connect().await, &connect_path(routing_of(&response))).await.unwrap();
    service.drain();
    assert!(!serving.drained(Duration::ZERO).await);
    let codes = async {
        let codes = (close_code(&mut phone).await, close_code(&mut client).await);
        drop((phone, client));
        codes
    };
    let ((), codes) = tokio::join!(serving.stop(), codes);
    assert_eq!(codes, (1012, 1012));
    assert_eq!(metric(&service, r#"hybridge_relay_tunnels_ended_total{reason="stopping"}"#), 1.0);
}
