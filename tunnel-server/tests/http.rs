//! What a tunnel service answers to requests, byte for byte on the wire.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, SystemTime};

use hybridge_proto::ids::RoutingId;
use hybridge_relay::node::Node;
use support::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep},
};

#[tokio::test]
async fn a_tunnel_is_opened_and_joined_in_either_hex_case() {
    let upper: fn(&str) -> String = str::to_uppercase;
    let lower: fn(&str) -> String = str::to_lowercase;
    for (change_new, change_connect) in [(upper, lower), (lower, upper)] {
        let service = service();
        let hex = change_new(&TUNNEL.to_hex());
        let (_phone, response) = websocket(pipe(&service, 1024), &format!("/cable/new/{hex}")).await.unwrap();
        assert_eq!(response.headers().get("Sec-WebSocket-Protocol").unwrap(), "fido.cable");
        let routing = change_connect(&routing_of(&response).to_hex());
        let hex = change_connect(&TUNNEL.to_hex());
        let (_client, response) =
            websocket(pipe(&service, 1024), &format!("/cable/connect/{routing}/{hex}")).await.unwrap();
        assert_eq!(response.headers().get("Sec-WebSocket-Protocol").unwrap(), "fido.cable");
        assert!(response.headers().get("X-caBLE-Routing-ID").is_none());
    }
}

#[tokio::test]
async fn refusals_have_the_right_status() {
    let new = new_path();
    let connect = connect_path(RoutingId::from_bytes([1, 2, 3]));
    let no_subprotocol = UPGRADE.replace("Sec-WebSocket-Protocol: fido.cable\r\n", "");
    let other_subprotocol = UPGRADE.replace("fido.cable", "chat");
    for (request, expected) in [
        (format!("GET {new} HTTP/1.1\r\n{no_subprotocol}\r\n"), 400),
        (format!("GET {connect} HTTP/1.1\r\n{other_subprotocol}\r\n"), 400),
        (format!("GET {new} HTTP/1.1\r\nHost: a\r\n\r\n"), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 404),
        (format!("GET {new}/ HTTP/1.1\r\n{UPGRADE}\r\n"), 404),
        (format!("GET {connect}/00 HTTP/1.1\r\n{UPGRADE}\r\n"), 404),
        (format!("GET /x{new} HTTP/1.1\r\n{UPGRADE}\r\n"), 404),
        (format!("GET {new}?a=b HTTP/1.1\r\n{UPGRADE}\r\n"), 404),
        (format!("POST {new} HTTP/1.1\r\n{UPGRADE}\r\n"), 405),
        (format!("GET {connect} HTTP/1.1\r\n{UPGRADE}\r\n"), 404),
        (format!("GET /cable/contact/AAAA HTTP/1.1\r\n{UPGRADE}\r\n"), 410),
        ("\u{1}\u{2}\r\n\r\n".to_owned(), 400),
    ] {
        let answer = exchange(&service(), &request).await;
        assert_eq!(status(&answer), expected, "{request}{answer}");
        assert_eq!(answer.contains("\r\nAllow: GET\r\n"), expected == 405);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("\r\nConnection: close"));
        assert!(body.trim_end().ends_with('.') && body.lines().count() == 1, "{body}");
    }
}

#[tokio::test]
async fn an_id_in_use_is_409_while_pending_and_while_joined() {
    let service = service();
    let (mut phone, routing) = open(&service).await;
    assert_eq!(websocket(pipe(&service, 1024), &new_path()).await.err(), Some(409));
    let client = join(&service, routing).await.unwrap();
    assert_eq!(websocket(pipe(&service, 1024), &new_path()).await.err(), Some(409));

    drop(client);
    assert_eq!(close_code(&mut phone).await, 1001);
    let (_phone, fresh) = open(&service).await;
    assert_ne!(fresh, routing);
    join(&service, fresh).await.unwrap();
}

#[tokio::test]
async fn an_id_is_free_again_when_its_phone_left_before_anyone_joined() {
    let service = service();
    let (phone, routing) = open(&service).await;
    drop(phone);
    while service.tunnel_count() != 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(join(&service, routing).await.err(), Some(404));
    open(&service).await;
}

#[tokio::test]
async fn only_the_first_connect_with_the_right_routing_id_joins() {
    let service = service();
    assert_eq!(join(&service, RoutingId::from_bytes([1, 2, 3])).await.err(), Some(404));
    let (_phone, routing) = open(&service).await;
    let mut wrong = *routing.as_bytes();
    wrong[2] ^= 1;
    assert_eq!(join(&service, RoutingId::from_bytes(wrong)).await.err(), Some(404));
    let _client = join(&service, routing).await.unwrap();
    assert_eq!(join(&service, routing).await.err(), Some(404));
}

#[tokio::test]
async fn a_routing_id_of_another_node_or_start_is_404_with_its_reason() {
    let node = Node::starting_at(3, SystemTime::now());
    let service = with_config(|config| config.node = Some(node));
    let (_phone, routing) = open(&service).await;
    let [number, generation, rest] = *routing.as_bytes();
    assert_eq!(number, 3);
    for (bytes, reason) in [
        ([4, generation, rest], "at another machine"),
        ([3, generation.wrapping_add(1), rest], "has restarted"),
        ([3, generation, rest.wrapping_add(1)], "No tunnel with these IDs"),
    ] {
        let path = connect_path(RoutingId::from_bytes(bytes));
        let answer = exchange(&service, &format!("GET {path} HTTP/1.1\r\n{UPGRADE}\r\n")).await;
        assert_eq!(status(&answer), 404);
        assert!(answer.contains(reason), "{answer}");
    }
    join(&service, routing).await.unwrap();
}

#[tokio::test]
async fn of_many_connects_at_once_one_joins() {
    let service = service();
    let (_phone, routing) = open(&service).await;
    let attempts: Vec<_> = (0..20)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move { join(&service, routing).await })
        })
        .collect();
    let mut joined = Vec::new();
    for attempt in attempts {
        joined.extend(attempt.await.unwrap());
    }
    assert_eq!(joined.len(), 1);
}

#[tokio::test]
async fn a_full_service_answers_503() {
    let service = with_config(|config| config.max_tunnels = 1);
    let _phone = open(&service).await;
    let other = format!("GET /cable/new/{} HTTP/1.1\r\n{UPGRADE}\r\n", "0".repeat(32));
    let answer = exchange(&service, &other).await;
    assert_eq!(status(&answer), 503);
    assert!(answer.contains("\r\nRetry-After: 60\r\n"));
}

#[tokio::test]
async fn a_head_is_read_however_it_is_cut() {
    let service = service();
    let mut io = pipe(&service, 1);
    let request = format!("GET {} HTTP/1.1\r\n{UPGRADE}\r\n", new_path());
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    io.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
}

#[tokio::test]
async fn a_long_head_is_431_with_and_without_an_end() {
    let filler = "a".repeat(5_000);
    let long = format!("GET / HTTP/1.1\r\nA: {filler}\r\nB: {filler}\r\n");
    assert_eq!(status(&exchange(&service(), &long).await), 431);
    assert_eq!(status(&exchange(&service(), &format!("{long}\r\n")).await), 431);
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a:b\r\n".repeat(200));
    assert_eq!(status(&exchange(&service(), &many).await), 431);
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_408() {
    let service = service();
    let mut io = pipe(&service, 1024);
    let start = Instant::now();
    let dripping = async {
        loop {
            io.write_all(b"G").await.unwrap();
            sleep(Duration::from_secs(1)).await;
            let mut answer = Vec::new();
            if tokio::time::timeout(Duration::ZERO, io.read_buf(&mut answer)).await.is_ok() {
                break answer;
            }
        }
    };
    let answer = dripping.await;
    assert_eq!(status(std::str::from_utf8(&answer).unwrap()), 408);
    assert!(start.elapsed() < Duration::from_secs(12));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_begin_like_http_is_400_at_once() {
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    for beginning in [&tls[..], b"\0", b"\x82\x85", b" GET /", "\u{e9}".as_bytes()] {
        let mut io = pipe(&service(), 1024);
        let start = Instant::now();
        io.write_all(beginning).await.unwrap();
        let mut head = [0; 12];
        io.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 400", "{beginning:?}");
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

#[tokio::test]
async fn a_peer_that_leaves_within_its_head_gets_no_answer() {
    let mut io = pipe(&service(), 1024);
    io.write_all(b"GET / HT").await.unwrap();
    io.shutdown().await.unwrap();
    let mut answer = Vec::new();
    io.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty());
}

#[tokio::test]
async fn a_refusal_reaches_a_peer_that_has_closed_its_sending_side() {
    let mut io = pipe(&service(), 1024);
    io.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    io.shutdown().await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), 404);
}
