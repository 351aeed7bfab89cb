//! The program gets another certificate while it is in use.
#![cfg(all(feature = "program", unix))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "support/program.rs"]
mod program;
mod support;

use std::{
    fs,
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use futures_util::{SinkExt, future::join_all};
use hybridge_proto::ids::TunnelId;
use program::Program;
use support::{authority::Authority, *};
use tokio::{net::TcpStream, time::sleep};
use tokio_rustls::client::TlsStream;

type Stream = TlsStream<TcpStream>;

async fn connect(authority: &Authority, address: SocketAddr) -> Stream {
    authority.secure(TcpStream::connect(address).await.unwrap()).await.unwrap()
}

async fn pair(authority: &Authority, address: SocketAddr, number: u32) -> (Socket<Stream>, Socket<Stream>) {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let tunnel = TunnelId::from_bytes(id).to_hex();
    let new = format!("/cable/new/{tunnel}");
    let (phone, response) = websocket(connect(authority, address).await, &new).await.unwrap();
    let path = format!("/cable/connect/{}/{tunnel}", routing_of(&response).to_hex());
    (phone, websocket(connect(authority, address).await, &path).await.unwrap().0)
}

async fn passes(from: &mut Socket<Stream>, to: &mut Socket<Stream>) {
    from.send(binary("still here")).await.unwrap();
    assert_eq!(next(to).await, binary("still here"));
}

/// The name in the certificate that a new connection is shown.
async fn shown(authority: &Authority, address: SocketAddr) -> String {
    let stream = connect(authority, address).await;
    let certificate = stream.get_ref().1.peer_certificates().unwrap().first().unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).unwrap();
    parsed.subject().to_string()
}

#[tokio::test]
async fn a_certificate_is_replaced_in_the_middle_of_the_load() {
    let authority = Authority::new();
    let (old, new) = (authority.issue("old"), authority.issue("new"));
    let files = [old.certificate.to_str().unwrap(), old.key.to_str().unwrap()];
    let mut running = Program::start(&mut program::command(&[
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "off",
        "--limits",
        "none",
        "--tls-certificate",
        files[0],
        "--tls-key",
        files[1],
    ]));
    let address = running.listening().await;
    assert!(shown(&authority, address).await.contains("old"));
    let (mut phone, mut client) = pair(&authority, address, 0).await;

    let (stop, number) = (AtomicBool::new(false), AtomicU32::new(1));
    let load = join_all((0..8).map(|_| async {
        while !stop.load(Ordering::Relaxed) {
            let number = number.fetch_add(1, Ordering::Relaxed);
            let (mut phone, mut client) = pair(&authority, address, number).await;
            passes(&mut client, &mut phone).await;
            passes(&mut phone, &mut client).await;
            phone.close(None).await.unwrap();
            assert_eq!(close_code(&mut client).await, 1000);
        }
    }));
    let renewal = async {
        while number.load(Ordering::Relaxed) < 20 {
            sleep(Duration::from_millis(5)).await;
        }
        fs::copy(&new.certificate, &old.certificate).unwrap();
        fs::copy(&new.key, &old.key).unwrap();
        running.signal("HUP").await;
        while !shown(&authority, address).await.contains("new") {
            sleep(Duration::from_millis(5)).await;
        }
        let renewed = number.load(Ordering::Relaxed);
        while number.load(Ordering::Relaxed) < renewed + 20 {
            sleep(Duration::from_millis(5)).await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(load, renewal);
    // The tunnel of before has not noticed.
    passes(&mut phone, &mut client).await;
    passes(&mut client, &mut phone).await;
}
