//! Who may open tunnels, and from which web origins.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, SystemTime};

use hybridge_proto::ids::{RoutingId, TunnelId};
use hybridge_relay::{
    Service,
    access::{Access, HmacKeys, Tokens, mint},
};
use support::*;

const KEYS: &str = "main:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

async fn new(service: &Service, headers: &str) -> String {
    ask(pipe(service, 64 * 1024), &new_request(TUNNEL, headers)).await.0
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[tokio::test]
async fn a_listed_token_opens_a_tunnel() {
    let tokens = Tokens::parse("phone:0123456789abcdef").unwrap();
    let service = with_config(|config| config.access = Access::Bearer(tokens));
    for header in ["authorization: bearer   0123456789abcdef \r\n".to_owned(), bearer("0123456789abcdef")] {
        assert_eq!(status(&new(&service, &header).await), 101, "{header}");
        while service.tunnel_count() > 0 {
            tokio::task::yield_now().await;
        }
    }
    for (headers, challenge) in [
        (String::new(), "Bearer realm=\"tunnel service\""),
        (bearer("0123456789abcdeF"), "Bearer realm=\"tunnel service\", error=\"invalid_token\""),
        (bearer(""), "Bearer realm=\"tunnel service\", error=\"invalid_token\""),
        (bearer("0123456789abcdef").repeat(2), "Bearer realm=\"tunnel service\", error=\"invalid_token\""),
        (
            "Authorization: Basic 0123456789abcdef\r\n".to_owned(),
            "Bearer realm=\"tunnel service\", error=\"invalid_token\"",
        ),
    ] {
        let answer = new(&service, &headers).await;
        assert_eq!(status(&answer), 401, "{headers}");
        assert!(answer.contains(&format!("\r\nWWW-Authenticate: {challenge}\r\n")), "{answer}");
    }
    assert_eq!(metric(&service, r#"hybridge_relay_requests_total{request="new",outcome="accepted"}"#), 2.0);
    assert_eq!(
        metric(&service, r#"hybridge_relay_requests_total{request="new",outcome="token_invalid"}"#),
        4.0
    );
}

#[tokio::test]
async fn a_token_that_expires_opens_a_tunnel_until_it_does() {
    let keys = HmacKeys::parse(KEYS).unwrap();
    let key = keys.first().unwrap().clone();
    let service = with_config(|config| config.access = Access::Hmac(keys));
    let token = |seconds: u64| mint(&key, SystemTime::now() + Duration::from_secs(seconds));
    assert_eq!(status(&new(&service, &bearer(&token(600))).await), 101);
    assert_eq!(status(&new(&service, &bearer(&token(0))).await), 401);
    assert_eq!(status(&new(&service, &bearer(&token(2 * 24 * 60 * 60))).await), 401);
    for outcome in ["token_expired", "token_too_long"] {
        let series = format!(r#"hybridge_relay_requests_total{{request="new",outcome="{outcome}"}}"#);
        assert_eq!(metric(&service, &series), 1.0, "{outcome}");
    }
}

#[tokio::test]
async fn joining_takes_no_token() {
    let tokens = Tokens::parse("0123456789abcdef").unwrap();
    let service = with_config(|config| config.access = Access::Bearer(tokens));
    let (answer, _phone) =
        ask(pipe(&service, 64 * 1024), &new_request(TUNNEL, &bearer("0123456789abcdef"))).await;
    let routing = answer.split("X-caBLE-Routing-ID: ").nth(1).unwrap().get(..6).unwrap();
    join(&service, RoutingId::from_hex(routing).unwrap()).await.unwrap();
}

#[tokio::test]
async fn only_listed_origins_are_let_in_and_requests_without_one() {
    let service = with_config(|config| {
        config.origins = Some(vec!["https://example.com".into(), "wss://cable.example.com".into()]);
        config.max_pending_tunnels = usize::MAX;
    });
    for (number, (headers, expected)) in [
        ("", 101),
        ("Origin: https://example.com\r\n", 101),
        ("origin:  HTTPS://Example.com \r\n", 101),
        ("Origin: wss://cable.example.com\r\n", 101),
        ("Origin: null\r\n", 403),
        ("Origin: \r\n", 403),
        ("Origin: https://example.com.evil.example\r\n", 403),
        ("Origin: http://example.com\r\n", 403),
        ("Origin: https://example.com:8443\r\n", 403),
        ("Origin: https://example.com\r\nOrigin: https://example.com\r\n", 403),
    ]
    .into_iter()
    .enumerate()
    {
        let tunnel = TunnelId::from_bytes([u8::try_from(number).unwrap(); 16]);
        let (answer, _) = ask(pipe(&service, 64 * 1024), &new_request(tunnel, headers)).await;
        assert_eq!(status(&answer), expected, "{headers}");
    }
    let connect = format!(
        "GET {} HTTP/1.1\r\n{UPGRADE}Origin: https://other.example\r\n\r\n",
        connect_path(RoutingId::from_bytes([1, 2, 3]))
    );
    assert_eq!(status(&exchange(&service, &connect).await), 403);
    assert_eq!(status(&new(&with_config(|_| {}), "Origin: whatever\r\n").await), 101);
}

#[tokio::test]
async fn other_rules_hold_for_what_comes_next_and_leave_what_is_there() {
    let service = service();
    let (_phone, routing) = open(&service).await;
    let mut config = hybridge_relay::Config::default();
    config.access = Access::Bearer(Tokens::parse("0123456789abcdef").unwrap());
    config.max_message = 1;
    service.reconfigure(config);
    let other = TunnelId::from_bytes([1; 16]);
    let (answer, _) = ask(pipe(&service, 64 * 1024), &new_request(other, "")).await;
    assert_eq!(status(&answer), 401);
    let mut client = join(&service, routing).await.unwrap();
    // The tunnel keeps the limits that it was opened with, for both sides.
    futures_util::SinkExt::send(&mut client, binary("more than one byte")).await.unwrap();
    let mut phone = _phone;
    assert_eq!(next(&mut phone).await, binary("more than one byte"));
}
