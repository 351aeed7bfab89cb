//! Dialing: what is asked, which answers are good, and what each bad one is called.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::{io, time::Duration};

use hybridge_proto::{
    ids::RoutingId,
    service::{CLIENT_PAYLOAD_HEADER, RoutingIdError, SIGNAL_HEADER},
};
use hybridge_relay::{Config, Service};
use hybridge_tunnel::{
    DialError, Dialer, NotLoopback, NotTunnelService, RedirectRefused, WebSocketDialer, connect_fn,
};
use support::*;
use tokio::{
    io::{AsyncWriteExt, duplex},
    net::TcpListener,
    time::Instant,
};

const ROUTING: RoutingId = RoutingId::from_bytes([1, 2, 3]);

#[tokio::test]
async fn the_request_is_as_the_standard_wants_it() {
    let (dialer, heads) = scripted(&[UPGRADED], true);
    let mut request = contact();
    request.headers.push((CLIENT_PAYLOAD_HEADER, "A0".to_owned()));
    let dialed = dialer.dial(&request).await.unwrap();
    assert_eq!(dialed.routing_id, Ok(ROUTING));
    let head = heads.lock().unwrap().first().unwrap().clone();
    assert!(head.starts_with(&format!("GET {} HTTP/1.1\r\n", request.path)), "{head}");
    for line in [
        &format!("Host: {HOST}"),
        &format!("Origin: wss://{HOST}"),
        "Sec-WebSocket-Protocol: fido.cable",
        "X-caBLE-Client-Payload: A0",
    ] {
        assert_eq!(head.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line}: {head}");
    }
    assert!(!head.contains("Extensions"));
}

#[tokio::test]
async fn the_real_service_is_dialed_over_tls_and_tcp() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&[HOST]);
    let service = Service::new(Config::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, service) = (acceptor.clone(), service.clone());
            tokio::spawn(async move { service.serve_stream(acceptor.accept(stream).await.unwrap()).await });
        }
    });
    let dialer = WebSocketDialer::new().with_extra_roots_pem(authority.pem().as_bytes()).unwrap();
    for dialer in [dialer.clone().with_address(address), dialer.with_address_for(HOST, address)] {
        let (mut phone, mut client) = pair(&dialer).await;
        client.channel.send(b"question").await.unwrap();
        assert_eq!(phone.channel.receive().await.unwrap(), b"question");
    }
}

#[tokio::test]
async fn untrusted_certificates_and_wrong_hosts_are_tls_errors() {
    let untrusted = service().with_extra_roots_pem(Authority::new().pem().as_bytes()).unwrap();
    untrusted.dial(&new()).await.unwrap();

    let service = Service::new(Config::default()).unwrap();
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (acceptor, host) in [(stranger.acceptor(&[HOST]), HOST), (authority.acceptor(&["a.example"]), HOST)] {
        let served = service.clone();
        let connector = connect_fn(move |_, _| {
            let (ours, theirs) = duplex(16 * 1024);
            let (acceptor, service) = (acceptor.clone(), served.clone());
            tokio::spawn(async move {
                if let Ok(io) = acceptor.accept(theirs).await {
                    service.serve_stream(io).await;
                }
            });
            async { Ok(ours) }
        });
        let dialer = WebSocketDialer::new().with_connector(connector);
        let dialer = dialer.with_extra_roots_pem(authority.pem().as_bytes()).unwrap();
        let mut request = new();
        request.host = host.to_owned();
        let error = dialer.dial(&request).await.unwrap_err();
        assert!(matches!(error, DialError::Tls(_)), "{error:?}");
        assert_eq!(service.tunnel_count(), 0);
    }
}

#[tokio::test]
async fn something_else_than_tls_is_a_tls_error() {
    let connector = connect_fn(|_, _| async {
        let (ours, mut theirs) = duplex(1024);
        theirs.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await?;
        Ok(ours)
    });
    let error = WebSocketDialer::new().with_connector(connector).dial(&new()).await.unwrap_err();
    assert!(matches!(error, DialError::Tls(_)), "{error:?}");
}

#[tokio::test]
async fn refusals_of_the_real_service_keep_their_status() {
    let dialer = service();
    let status = async |request| match dialer.dial(&request).await {
        Err(DialError::Refused { status, text }) => (status, text),
        other => panic!("{other:?}"),
    };
    let absent = (404, "No tunnel with these IDs waits to be joined.".to_owned());
    let elsewhere =
        "This tunnel is at another machine of the service. Its proxy has to route by the routing ID.";
    assert_eq!(status(connect(ROUTING)).await, (404, elsewhere.to_owned()));
    let phone = dialer.dial(&new()).await.unwrap();
    assert_eq!(status(new()).await, (409, "A tunnel with this ID exists already.".to_owned()));
    let routing = phone.routing_id.unwrap();
    let _client = dialer.dial(&connect(routing)).await.unwrap();
    assert_eq!(status(connect(routing)).await, absent);
    assert!(matches!(dialer.dial(&contact()).await, Err(DialError::Gone)));
}

#[tokio::test]
async fn only_a_remembered_phone_can_be_gone() {
    let (dialer, _) = scripted(&["HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"], true);
    assert!(matches!(dialer.dial(&contact()).await, Err(DialError::Gone)));
    for request in [new(), connect(ROUTING)] {
        let error = dialer.dial(&request).await.unwrap_err();
        assert!(matches!(&error, DialError::Refused { status: 410, text } if text.is_empty()), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusals_words_are_read_as_far_as_they_come() {
    let unfinished = "Content-Length: 100\r\n\r\nSome of it";
    for (rest, expected) in [
        ("Content-Length: 11\r\n\r\nNot today.\nBecause", "Not today."),
        ("\r\nNot \u{7}today,\u{202E} D5D511FB41CFB9760F5B1782E906F558\n", "Not today, …"),
        ("Content-Length: 3\r\n\r\nNot today.", "Not"),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", ""),
        (unfinished, "Some of it"),
    ] {
        for hold in [true, false] {
            let (dialer, _) = scripted(&[&format!("HTTP/1.1 400 Bad Request\r\n{rest}")], hold);
            let start = Instant::now();
            match dialer.dial(&new()).await {
                Err(DialError::Refused { status: 400, text }) => assert_eq!(text, expected),
                other => panic!("{other:?}"),
            }
            assert!(start.elapsed() <= Duration::from_millis(501));
        }
    }
}

#[tokio::test]
async fn other_answers_are_not_a_tunnel_services() {
    use NotTunnelService as Not;
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(), Not::Status(200)),
        ("HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(), Not::Status(304)),
        ("SSH-2.0-OpenSSH_9.6\r\n".to_owned(), Not::Malformed),
        (format!("HTTP/1.1 200 OK\r\nA: {}\r\n", "a".repeat(20_000)), Not::HeadTooLarge),
        ("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000), Not::HeadTooLarge),
        (upgraded("Sec-WebSocket-Protocol: fido.cable\r\n", ""), Not::Subprotocol),
        (upgraded("fido.cable", "chat"), Not::Subprotocol),
        (upgraded("ACCEPT", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), Not::Accept),
        (upgraded("Upgrade: websocket\r\n", ""), Not::Upgrade),
        (upgraded("X-caBLE", "Sec-WebSocket-Extensions: permessage-deflate\r\nX-caBLE"), Not::Extension),
    ] {
        let (dialer, _) = scripted(&[&answer], true);
        match dialer.dial(&new()).await {
            Err(DialError::NotTunnelService(reason)) => assert_eq!(reason, expected),
            other => panic!("{other:?} instead of {expected:?}"),
        }
    }
}

#[tokio::test]
async fn interim_answers_are_skipped() {
    let answer =
        format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n{UPGRADED}");
    scripted(&[&answer], true).0.dial(&new()).await.unwrap();
}

#[tokio::test]
async fn routing_id_and_signal_are_reported() {
    let routing = "X-caBLE-Routing-ID: 010203\r\n";
    for (answer, expected) in [
        (upgraded(routing, ""), Err(RoutingIdError::Missing)),
        (upgraded(routing, &routing.repeat(2)), Err(RoutingIdError::Repeated)),
        (UPGRADED.to_owned(), Ok(ROUTING)),
    ] {
        assert_eq!(scripted(&[&answer], true).0.dial(&new()).await.unwrap().routing_id, expected);
    }
    // The signal itself comes right behind the answer.
    let (dialer, _) = scripted(
        &[&[upgraded(routing, "x-cable-signal-connection: true\r\n").as_str(), SIGNAL].concat()],
        true,
    );
    let mut request = contact();
    assert!(!dialer.dial(&request).await.unwrap().signal);
    request.headers.push((SIGNAL_HEADER, "true".to_owned()));
    let mut dialed = dialer.dial(&request).await.unwrap();
    assert!(dialed.signal);
    assert_eq!(dialed.channel.receive().await.unwrap(), [0]);
    assert!(!scripted(&[UPGRADED], true).0.dial(&request).await.unwrap().signal);
}

#[tokio::test]
async fn redirects_to_secure_places_are_followed_with_all_headers() {
    let redirect = |status: u16, to: &str| format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\n\r\n");
    let (dialer, heads) = scripted(
        &[
            &redirect(301, "https://other.example.com:8443/start"),
            &redirect(302, "next?a=b"),
            &redirect(307, &format!("wss://{HOST}/end#fragment")),
            UPGRADED,
        ],
        true,
    );
    let mut request = contact();
    request.headers.push((CLIENT_PAYLOAD_HEADER, "A0".to_owned()));
    dialer.dial(&request).await.unwrap();
    let heads = heads.lock().unwrap();
    let other = "other.example.com:8443";
    for (head, (target, host)) in
        heads.iter().skip(1).zip([("/start", other), ("/next?a=b", other), ("/end", HOST)])
    {
        assert!(head.starts_with(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n")), "{head}");
        assert!(head.contains(&format!("\r\nOrigin: wss://{host}\r\n")), "{head}");
        assert!(head.contains("\r\nSec-WebSocket-Protocol: fido.cable\r\n"), "{head}");
        assert!(head.contains("\r\nX-caBLE-Client-Payload: A0\r\n"), "{head}");
    }
    assert_eq!(heads.len(), 4);
}

#[tokio::test]
async fn other_redirects_are_refused() {
    for (location, expected, dials) in [
        ("Location: http://other.example.com/\r\n", RedirectRefused::NotSecure, 1),
        ("Location: ws://other.example.com/\r\n", RedirectRefused::NotSecure, 1),
        ("Location: https://\r\n", RedirectRefused::Malformed, 1),
        ("Location: /a\r\nLocation: /b\r\n", RedirectRefused::Malformed, 1),
        ("", RedirectRefused::Malformed, 1),
        ("Location: /again\r\n", RedirectRefused::TooMany, 6),
    ] {
        let (dialer, heads) = scripted(&[&format!("HTTP/1.1 302 Found\r\n{location}\r\n")], true);
        match dialer.dial(&new()).await {
            Err(DialError::RedirectRefused(reason)) => assert_eq!(reason, expected),
            other => panic!("{other:?} instead of {expected:?}"),
        }
        assert_eq!(heads.lock().unwrap().len(), dials);
    }
}

#[tokio::test]
async fn names_and_ports_that_fail_are_told_apart() {
    let mut request = new();
    // Two dots in a row: no resolver asks the network for that.
    request.host = "a..example".to_owned();
    let error = WebSocketDialer::new().dial(&request).await.unwrap_err();
    assert!(matches!(error, DialError::Resolve(_)), "{error:?}");

    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = WebSocketDialer::new().with_address(address).dial(&new()).await.unwrap_err();
    assert!(matches!(error, DialError::Connect(_)), "{error:?}");

    request.host = "a b".to_owned();
    assert!(matches!(WebSocketDialer::new().dial(&request).await, Err(DialError::InvalidRequest)));
}

#[tokio::test]
async fn a_service_that_leaves_before_it_answers_broke_the_connection() {
    for start in ["", "HTTP/1.1 101 Swit"] {
        let error = scripted(&[start], false).0.dial(&new()).await.unwrap_err();
        assert!(matches!(error, DialError::Broken(_)), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_whole_dial_is_limited_in_time() {
    let silent = connect_fn(|_, _| std::future::pending::<io::Result<tokio::io::DuplexStream>>());
    let deaf = connect_fn(|_, _| async {
        let (ours, theirs) = duplex(1024);
        std::mem::forget(theirs);
        Ok(ours)
    });
    let (mute, _) = scripted(&["HTTP/1.1 1"], true);
    let new_dialer = WebSocketDialer::new;
    for dialer in [new_dialer().with_connector(silent), new_dialer().with_connector(deaf), mute] {
        for (dialer, seconds) in [(dialer.clone(), 10), (dialer.with_timeout(Duration::from_secs(3)), 3)] {
            let start = Instant::now();
            let error = dialer.dial(&new()).await.unwrap_err();
            assert!(
                matches!(error, DialError::TimedOut { after } if after.as_secs() == seconds),
                "{error:?}"
            );
            assert_eq!(start.elapsed(), Duration::from_secs(seconds));
        }
    }
}

#[tokio::test]
async fn plaintext_goes_to_loopback_only_and_follows_no_redirect() {
    for address in ["192.0.2.1:80", "0.0.0.0:80", "[::]:80", "[2001:db8::1]:80", "[::ffff:192.0.2.1]:80"] {
        let refused = WebSocketDialer::new().dangerous_plaintext_loopback(address.parse().unwrap());
        assert_eq!(refused.err(), Some(NotLoopback), "{address}");
    }
    for address in ["127.3.2.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        WebSocketDialer::new().dangerous_plaintext_loopback(address.parse().unwrap()).unwrap();
    }

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = Service::new(Config::default()).unwrap().serve(listener).unwrap();
    let dialer = WebSocketDialer::new().dangerous_plaintext_loopback(serving.local_addr()).unwrap();
    let (mut phone, mut client) = pair(&dialer).await;
    client.channel.send(b"question").await.unwrap();
    assert_eq!(phone.channel.receive().await.unwrap(), b"question");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let found = format!("HTTP/1.1 302 Found\r\nLocation: wss://{HOST}/\r\n\r\n");
        stream.write_all(found.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let dialer = WebSocketDialer::new().dangerous_plaintext_loopback(address).unwrap();
    let error = dialer.dial(&new()).await.unwrap_err();
    assert!(matches!(error, DialError::RedirectRefused(RedirectRefused::Plaintext)), "{error:?}");
}
