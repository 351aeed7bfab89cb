//! How many times a dial crosses the network, on virtual time.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use hybridge_relay::{Config, Service};
use hybridge_tunnel::{WebSocketDialer, connect_fn};
use support::*;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex, split},
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};

const ONE_WAY: Duration = Duration::from_millis(100);

/// Carries bytes one way, each of them `ONE_WAY` late.
async fn carry(
    mut from: impl AsyncRead + Unpin + Send + 'static,
    mut to: impl AsyncWrite + Unpin + Send + 'static,
) {
    let (put, mut take) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let mut bytes = Vec::new();
            if !from.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
                break;
            }
            put.send((Instant::now() + ONE_WAY, bytes)).unwrap();
        }
    });
    while let Some((due, bytes)) = take.recv().await {
        sleep_until(due).await;
        if to.write_all(&bytes).await.is_err() {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dial_takes_one_round_trip_for_tcp_one_for_tls_and_one_for_the_answer() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&[HOST]);
    let service = Service::new(Config::default()).unwrap();
    let connector = connect_fn(move |_, _| {
        let ((ours, near), (far, theirs)) = (duplex(65_536), duplex(65_536));
        let ((near_read, near_write), (far_read, far_write)) = (split(near), split(far));
        tokio::spawn(carry(near_read, far_write));
        tokio::spawn(carry(far_read, near_write));
        let (acceptor, service) = (acceptor.clone(), service.clone());
        tokio::spawn(async move { service.serve_stream(acceptor.accept(theirs).await.unwrap()).await });
        async {
            sleep(2 * ONE_WAY).await;
            Ok(ours)
        }
    });
    let dialer = WebSocketDialer::new().with_connector(connector);
    let dialer = dialer.with_extra_roots_pem(authority.pem().as_bytes()).unwrap();
    let start = Instant::now();
    let (mut phone, mut client) = pair(&dialer).await;
    // The client's dial follows the phone's.
    assert_eq!(start.elapsed(), 2 * 6 * ONE_WAY);

    client.channel.send(b"question").await.unwrap();
    assert_eq!(phone.channel.receive().await.unwrap(), b"question");
    assert_eq!(start.elapsed(), 14 * ONE_WAY);
}
