//! What one source may do, and the service as a whole.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use futures_util::SinkExt;
use hybridge_proto::ids::{RoutingId, TunnelId};
use hybridge_relay::{Config, ForwardedHeader, Rate};
use support::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep},
};
use tokio_tungstenite::tungstenite::Message;

const A: &str = "192.0.2.1";
const B: &str = "192.0.2.2";
const PROXY: &str = "10.0.0.1";

fn tunnel(number: u8) -> TunnelId {
    TunnelId::from_bytes([number; 16])
}

fn limit(name: &str) -> String {
    format!("hybridge_relay_limits_hit_total{{limit=\"{name}\"}}")
}

#[tokio::test(start_paused = true)]
async fn a_source_opens_so_many_tunnels_a_minute() {
    let service = with_config(|config| {
        config.new_rate = Rate { per_minute: 6, burst: 2 };
        config.max_connections_per_source = 1000;
    });
    let ask_for = async |number, peer: &'static str| {
        let (answer, io) = ask(pipe_from(&service, peer), &new_request(tunnel(number), "")).await;
        (answer, io)
    };
    let _first = ask_for(1, A).await;
    // A request that comes to nothing counts, too.
    assert_eq!(status(&ask_for(1, A).await.0), 409);
    let (answer, _) = ask_for(2, A).await;
    assert_eq!(status(&answer), 429);
    assert!(answer.contains("\r\nRetry-After: 1"), "{answer}");
    assert_eq!(status(&ask_for(2, B).await.0), 101);
    sleep(Duration::from_secs(11)).await;
    assert_eq!(status(&ask_for(3, A).await.0), 101);
    assert_eq!(metric(&service, &limit("new_rate")), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_source_asks_to_join_so_many_times_a_minute() {
    let service = with_config(|config| config.connect_rate = Rate::per_minute(3));
    let connect = format!("GET {} HTTP/1.1\r\n{UPGRADE}\r\n", connect_path(RoutingId::from_bytes([1, 2, 3])));
    for expected in [404, 404, 404, 429, 429] {
        assert_eq!(status_from(&service, "2001:db8:1:2::3", &connect).await, expected);
    }
    // The same network, and another one.
    assert_eq!(status_from(&service, "2001:db8:1:2:ffff::", &connect).await, 429);
    assert_eq!(status_from(&service, "2001:db8:1:3::3", &connect).await, 404);
    assert_eq!(metric(&service, &limit("connect_rate")), 3.0);
}

#[tokio::test(start_paused = true)]
async fn a_source_holds_so_many_tunnels() {
    let service = with_config(|config| config.max_tunnels_per_source = 1);
    let (_, phone) = ask(pipe_from(&service, A), &new_request(tunnel(1), "")).await;
    assert_eq!(status_from(&service, A, &new_request(tunnel(2), "")).await, 429);
    assert_eq!(status_from(&service, B, &new_request(tunnel(2), "")).await, 101);
    drop(phone);
    while service.tunnel_count() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(status_from(&service, A, &new_request(tunnel(2), "")).await, 101);
    assert_eq!(metric(&service, &limit("max_tunnels_per_source")), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_source_has_so_many_connections() {
    let service = with_config(|config| config.max_connections_per_source = 2);
    let held = [pipe_from(&service, A), pipe_from(&service, "::ffff:192.0.2.1")];
    tokio::task::yield_now().await;
    // Answered without a request.
    let mut answer = String::new();
    pipe_from(&service, A).read_to_string(&mut answer).await.unwrap();
    assert_eq!(status(&answer), 429);
    assert_eq!(status_from(&service, B, &new_request(tunnel(1), "")).await, 101);
    drop(held);
    while metric(&service, "hybridge_relay_connections") > 0.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(status_from(&service, A, &new_request(tunnel(2), "")).await, 101);
    assert_eq!(metric(&service, &limit("max_connections_per_source")), 1.0);
}

#[tokio::test(start_paused = true)]
async fn the_same_machine_is_bounded_as_a_whole_only() {
    let service = with_config(|config| {
        config.max_connections_per_source = 1;
        config.max_tunnels_per_source = 1;
        config.new_rate = Rate::per_minute(1);
    });
    let mut held = Vec::new();
    for number in 0..5 {
        let (answer, io) = ask(pipe_from(&service, "127.0.0.1"), &new_request(tunnel(number), "")).await;
        assert_eq!(status(&answer), 101);
        held.push(io);
    }
}

#[tokio::test(start_paused = true)]
async fn a_trusted_proxy_speaks_for_others() {
    let service = with_config(|config| {
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap(), "127.0.0.1/32".parse().unwrap()];
        config.max_connections_per_source = 1;
    });
    let through = async |proxy: &str, number, header: &str| {
        let (answer, io) = ask(pipe_from(&service, proxy), &new_request(tunnel(number), header)).await;
        (status(&answer), io)
    };
    let (first, _a) = through(PROXY, 1, "X-Forwarded-For: 192.0.2.1\r\n").await;
    let (other, _b) = through("127.0.0.1", 2, "X-Forwarded-For: 192.0.2.1, 192.0.2.2, 10.0.0.9\r\n").await;
    assert_eq!((first, other), (101, 101));
    for made_up in ["198.51.100.1, ", "\", ", "198.51.100.1\r\nX-Forwarded-For: "] {
        let header = format!("X-Forwarded-For: {made_up}192.0.2.1\r\n");
        assert_eq!(through(PROXY, 3, &header).await.0, 429, "{made_up}");
    }
    // Who is not trusted speaks for itself only.
    assert_eq!(through(A, 3, "X-Forwarded-For: 198.51.100.1\r\n").await.0, 429);
    // Whom no address can be made out for are in one boat.
    let (unclear, _c) = through(PROXY, 3, "X-Forwarded-For: unknown\r\n").await;
    assert_eq!(unclear, 101);
    assert_eq!(through("127.0.0.1", 4, "X-Forwarded-For: who?\r\n").await.0, 429);
    // The proxy itself is bounded as a whole only.
    let (one, _d) = through(PROXY, 5, "").await;
    let (two, _e) = through(PROXY, 6, "Forwarded: for=192.0.2.1\r\n").await;
    assert_eq!((one, two), (101, 101));
}

#[tokio::test(start_paused = true)]
async fn the_other_header_counts_where_it_is_chosen() {
    let service = with_config(|config| {
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        config.forwarded_header = ForwardedHeader::Forwarded;
        config.max_connections_per_source = 1;
    });
    let header = "X-Forwarded-For: 198.51.100.1\r\nForwarded: for=192.0.2.1;proto=https\r\n";
    let (_, _held) = ask(pipe_from(&service, PROXY), &new_request(tunnel(1), header)).await;
    assert_eq!(status_from(&service, PROXY, &new_request(tunnel(2), header)).await, 429);
}

#[tokio::test(start_paused = true)]
async fn tunnels_that_wait_are_bounded_by_themselves() {
    let service = with_config(|config| config.max_pending_tunnels = 1);
    let (_phone, routing) = open(&service).await;
    let other = new_request(tunnel(1), "");
    let answer = exchange(&service, &other).await;
    assert_eq!(status(&answer), 503);
    assert!(answer.contains("\r\nRetry-After: 60\r\n"));
    let _client = join(&service, routing).await.unwrap();
    assert_eq!(status(&ask(pipe(&service, 4096), &other).await.0), 101);
    assert_eq!(metric(&service, &limit("max_pending_tunnels")), 1.0);
}

#[tokio::test(start_paused = true)]
async fn messages_can_be_limited_and_fragments_are_none() {
    let service = with_config(|config| config.max_tunnel_messages = 2);
    let (mut phone, mut client) = pair(&service).await;
    let io = client.get_mut();
    for part in [frame(0x02, b"a"), frame(0x00, b"b"), frame(0x80, b"c"), frame(0x82, b"d")] {
        io.write_all(&part).await.unwrap();
    }
    assert_eq!(next(&mut phone).await, binary("abc"));
    assert_eq!(next(&mut phone).await, binary("d"));
    phone.send(binary("the phone has its own")).await.unwrap();
    assert_eq!(next(&mut client).await, binary("the phone has its own"));
    client.send(binary("e")).await.unwrap();
    assert_eq!(close_code(&mut client).await, 1008);
    assert_eq!(close_code(&mut phone).await, 1008);
    assert_eq!(metric(&service, &limit("max_tunnel_messages")), 1.0);
}

fn patient(idle: u64) -> impl FnOnce(&mut Config) {
    move |config| {
        config.idle_lifetime = Duration::from_secs(idle);
        config.lifetime = Duration::from_secs(10_000);
        config.pending_lifetime = Duration::from_secs(1000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_in_which_nothing_is_said_is_closed() {
    let service = with_config(patient(40));
    let (mut phone, routing) = open(&service).await;
    // While it waits, it is not idle.
    sleep(Duration::from_secs(500)).await;
    let mut client = join(&service, routing).await.unwrap();
    let start = Instant::now();
    assert_eq!(close_code(&mut phone).await, 1008);
    assert_eq!(close_code(&mut client).await, 1008);
    assert_eq!(start.elapsed().as_secs(), 40);
    assert_eq!(metric(&service, &limit("idle_lifetime")), 1.0);
    assert_eq!(metric(&service, r#"hybridge_relay_tunnels_ended_total{reason="idle"}"#), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_message_or_ping_from_either_side_is_a_sign_of_life() {
    let service = with_config(patient(40));
    let (mut phone, mut client) = pair(&service).await;
    for round in 0..8 {
        sleep(Duration::from_secs(39)).await;
        match round % 4 {
            0 => phone.send(binary("")).await.unwrap(),
            1 => client.send(binary("x")).await.unwrap(),
            2 => phone.send(Message::Ping("p".into())).await.unwrap(),
            _ => client.send(Message::Ping("p".into())).await.unwrap(),
        }
    }
    let last = Instant::now();
    assert_eq!(next(&mut phone).await, binary("x"));
    assert_eq!(next(&mut phone).await, binary("x"));
    assert_eq!(close_code(&mut phone).await, 1008);
    let waited = last.elapsed().as_secs();
    assert!((40..=50).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a_message_on_its_way_is_a_sign_of_life() {
    let service = with_config(patient(40));
    let (mut phone, mut client) = pair(&service).await;
    let bytes = frame(0x82, &[7; 20]);
    for byte in &bytes {
        client.get_mut().write_all(&[*byte]).await.unwrap();
        sleep(Duration::from_secs(30)).await;
    }
    assert_eq!(next(&mut phone).await, binary(vec![7; 20]));
}
