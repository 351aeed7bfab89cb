//! What is counted, and that it names nobody.
#![allow(clippy::unwrap_used)]

mod support;

use std::{collections::HashMap, time::Duration};

use futures_util::SinkExt;
use hybridge_relay::Service;
use support::*;
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Waits until no tunnel is left, and its counters are added.
async fn settled(service: &Service) {
    while service.tunnel_count() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
}

fn ended(service: &Service, reason: &str) -> f64 {
    metric(service, &format!("hybridge_relay_tunnels_ended_total{{reason=\"{reason}\"}}"))
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_is_counted_from_its_opening_to_its_end() {
    let service = service();
    let current = |state| metric(&service, &format!("hybridge_relay_tunnels{{state=\"{state}\"}}"));
    let (mut phone, routing) = open(&service).await;
    assert_eq!((current("pending"), current("joined")), (1.0, 0.0));
    phone.send(binary("before")).await.unwrap();
    sleep(Duration::from_secs(3)).await;
    let mut client = join(&service, routing).await.unwrap();
    assert_eq!((current("pending"), current("joined")), (0.0, 1.0));
    assert_eq!(metric(&service, "hybridge_relay_connections"), 2.0);

    assert_eq!(next(&mut client).await, binary("before"));
    client.send(binary("question")).await.unwrap();
    phone.send(binary("to all of it")).await.unwrap();
    assert_eq!(next(&mut phone).await, binary("question"));
    assert_eq!(next(&mut client).await, binary("to all of it"));
    sleep(Duration::from_secs(9)).await;
    client.close(None).await.unwrap();
    assert_eq!(close_code(&mut phone).await, 1000);
    settled(&service).await;

    for (series, expected) in [
        (r#"requests_total{request="new",outcome="accepted"}"#, 1.0),
        (r#"requests_total{request="connect",outcome="accepted"}"#, 1.0),
        ("tunnels_opened_total", 1.0),
        ("tunnels_joined_total", 1.0),
        (r#"tunnels_ended_total{reason="closed"}"#, 1.0),
        (r#"messages_total{sender="authenticator"}"#, 2.0),
        (r#"messages_total{sender="client"}"#, 1.0),
        (r#"message_bytes_total{sender="authenticator"}"#, 18.0),
        (r#"message_bytes_total{sender="client"}"#, 8.0),
        ("handshake_seconds_count", 2.0),
        (r#"tunnel_lifetime_seconds_bucket{le="10.0"}"#, 0.0),
        (r#"tunnel_lifetime_seconds_bucket{le="30.0"}"#, 1.0),
        ("tunnel_lifetime_seconds_sum", 12.0),
    ] {
        assert_eq!(metric(&service, &format!("hybridge_relay_{series}")), expected, "{series}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_end_has_its_reason() {
    let service = with_config(|config| {
        config.max_message = 8;
        config.max_tunnel_bytes = 10;
        config.max_pending_bytes = 66;
    });
    // The opener left; nobody came; more was sent than may wait.
    drop(open(&service).await);
    settled(&service).await;
    let waiting = open(&service).await;
    settled(&service).await;
    drop(waiting);
    let (mut phone, _) = open(&service).await;
    phone.send(binary("123")).await.unwrap();
    assert_eq!(close_code(&mut phone).await, 1008);
    for message in ["123456789", "12345678", "text"] {
        let (phone, mut client) = pair(&service).await;
        for _ in 0..2 {
            let message = if message == "text" {
                tokio_tungstenite::tungstenite::Message::Text(message.into())
            } else {
                binary(message)
            };
            let _ = client.send(message).await;
        }
        // Closed by the service, before the phone leaves.
        while !matches!(next(&mut client).await, tokio_tungstenite::tungstenite::Message::Close(_)) {}
        drop(phone);
        settled(&service).await;
    }
    for (reason, limit) in [
        ("vanished", None),
        ("not_joined", Some("pending_lifetime")),
        ("pending_bytes", Some("max_pending_bytes")),
        ("message_too_large", Some("max_message")),
        ("bytes", Some("max_tunnel_bytes")),
        ("text", None),
    ] {
        assert_eq!(ended(&service, reason), 1.0, "{reason}");
        if let Some(limit) = limit {
            let series = format!("hybridge_relay_limits_hit_total{{limit=\"{limit}\"}}");
            assert_eq!(metric(&service, &series), 1.0, "{limit}");
        }
    }
}

#[tokio::test]
async fn connections_of_listeners_are_counted_and_those_that_wait_for_a_place() {
    let service = with_config(|config| config.max_connections = 1);
    let serving = service.serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap();
    let first = TcpStream::connect(serving.local_addr()).await.unwrap();
    let (connected, second) =
        tokio::join!(TcpStream::connect(serving.local_addr()), async { websocket(first, &new_path()).await });
    let waiting = "hybridge_relay_limits_hit_total{limit=\"max_connections\"}";
    while metric(&service, waiting) < 1.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(metric(&service, "hybridge_relay_connections_accepted_total"), 1.0);
    drop(second);
    while metric(&service, "hybridge_relay_connections_accepted_total") < 2.0 {
        tokio::task::yield_now().await;
    }
    drop(connected);
}

#[tokio::test(start_paused = true)]
async fn the_text_is_what_prometheus_reads_and_names_nobody() {
    let service = service();
    let (_phone, routing) = open(&service).await;
    let _client = join(&service, routing).await.unwrap();
    assert_eq!(status_from(&service, "198.51.100.77", "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await, 404);
    let text = service.metrics();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut kinds = HashMap::new();
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(described) = line.strip_prefix("# HELP ") {
            let (name, help) = described.split_once(' ').unwrap();
            assert!(name.starts_with("hybridge_relay_") && help.ends_with('.'), "{line}");
            assert!(kinds.insert(name.to_owned(), String::new()).is_none(), "{name} stands twice");
        } else if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (name, kind) = typed.split_once(' ').unwrap();
            kinds.get_mut(name).unwrap().push_str(kind);
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = |suffix: &str| name.strip_suffix(suffix).and_then(|family| kinds.get(family));
            let kind = kinds.get(name).map(String::as_str);
            let histogram = ["_bucket", "_sum", "_count"]
                .iter()
                .any(|suffix| family(suffix).is_some_and(|kind| kind == "histogram"));
            assert!(
                kind == Some("gauge")
                    || histogram
                    || family("_total").is_some_and(|kind| kind == "counter")
                    || family("_info").is_some_and(|kind| kind == "info"),
                "{line}"
            );
        }
    }
    let text = text.to_lowercase();
    for secret in [&TUNNEL.to_hex().to_lowercase()[..6], &routing.to_hex().to_lowercase(), "198.51", "127.0"]
    {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    assert!(
        text.contains(&format!("hybridge_relay_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")))
    );
}
