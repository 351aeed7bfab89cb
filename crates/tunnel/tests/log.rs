//! What is logged, and what errors say, holds no identifier, payload or address.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use hybridge_proto::service::CLIENT_PAYLOAD_HEADER;
use hybridge_tunnel::Dialer;
use support::*;

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
async fn nothing_that_is_logged_or_said_identifies_a_session() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let dialer = service();
    let (mut phone, mut client) = pair(&dialer).await;
    client.channel.send(b"a payload").await.unwrap();
    phone.channel.receive().await.unwrap();
    let routing = phone.routing_id.unwrap().to_hex();
    let mut said = format!("{dialer:?} {phone:?} {client:?}");

    // A service that repeats the whole request in its answer.
    let tunnel = TUNNEL.to_hex();
    let answer = format!("HTTP/1.1 404 Not Found\r\nX: {tunnel}\r\n\r\nNo /cable/new/{tunnel} here.\n");
    let mut request = contact();
    request.headers.push((CLIENT_PAYLOAD_HEADER, "A10248C0C1C2C3C4C5C6C7".to_owned()));
    for request in [new(), request.clone()] {
        let error = scripted(&[&answer], false).0.dial(&request).await.unwrap_err();
        said.push_str(&format!("{error} {error:?}"));
    }

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("tunnel service answered") && log.contains("status=404"), "{log}");
    let everything = format!("{log}{said}").to_uppercase();
    let contact = request.path.to_string().to_uppercase().replace("/CABLE/CONTACT/", "");
    for secret in [&tunnel, &tunnel[..8], &contact[..8], "A10248C0C1C2C3C4C5C6C7", "A PAYLOAD"] {
        assert!(!everything.contains(secret), "{secret} is in {everything}");
    }
    assert!(!log.to_uppercase().contains(&routing), "{routing} is in {log}");
}
