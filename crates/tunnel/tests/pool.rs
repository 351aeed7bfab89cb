//! Several channels behind one receiving end.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    io::ErrorKind,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use hybridge_proto::{
    authenticator::{Action, AuthenticatorConfig, AuthenticatorMachine},
    channel::{ChannelId, CloseCode},
    domain::DomainId,
    keys::{PrivateKey, QrSecret},
    qr::QrCode,
    service::ServiceRequest,
};
use hybridge_tunnel::{
    ChannelError, ChannelPool, DataChannel, DialError, Dialed, Dialer, Report, WebSocketDialer,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

/// The first channel that a machine asks for: only machines name channels.
fn first_dial() -> (ChannelId, ServiceRequest) {
    let code = QrCode::new(*PrivateKey::from_seed(b"pool").public_key(), QrSecret::from_bytes(&[1; 16]));
    let config = AuthenticatorConfig::new(DomainId::new(266), [0xA0]);
    let rng = Box::new(ChaCha20Rng::seed_from_u64(1));
    let now = Instant::now().into_std();
    let mut machine = AuthenticatorMachine::answer_code(config, &code, rng, now).unwrap();
    match machine.poll_action() {
        Some(Action::Dial { channel, request }) => (channel, request),
        other => panic!("{other:?}"),
    }
}

/// Gives out channels that a test holds the other end of; without one it hangs.
#[derive(Default)]
struct Prepared(Mutex<Option<DataChannel>>);

impl Prepared {
    fn pair(capacity: usize) -> (Arc<Self>, DataChannel) {
        let (ours, theirs) = DataChannel::pair(capacity);
        (Arc::new(Self(Mutex::new(Some(ours)))), theirs)
    }
}

impl Dialer for Prepared {
    async fn dial(&self, _: &ServiceRequest) -> Result<Dialed, DialError> {
        let channel = self.0.lock().unwrap().take();
        match channel {
            Some(channel) => {
                let routing_id = Err(hybridge_proto::service::RoutingIdError::Missing);
                Ok(Dialed { channel, routing_id, signal: false })
            }
            None => std::future::pending().await,
        }
    }
}

/// A pool with one open channel, and the other end of it.
async fn open(capacity: usize) -> (ChannelPool, ChannelId, DataChannel) {
    let (dialer, theirs) = Prepared::pair(capacity);
    let (channel, request) = first_dial();
    let mut pool = ChannelPool::new(dialer);
    pool.dial(channel, request);
    assert!(matches!(pool.next().await, (of, Report::Opened { signal: false, .. }) if of == channel));
    (pool, channel, theirs)
}

/// Waits for a report that must not come.
async fn silence(pool: &mut ChannelPool) {
    assert!(timeout(Duration::from_secs(60), pool.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn messages_go_both_ways_in_order() {
    let (mut pool, channel, mut theirs) = open(4).await;
    for message in [b"one", b"two"] {
        pool.send(channel, message.to_vec());
        theirs.send(message).await.unwrap();
    }
    for message in [b"one", b"two"] {
        assert_eq!(theirs.receive().await.unwrap(), message);
        assert!(matches!(pool.next().await, (_, Report::Message(came)) if came == message));
    }
    silence(&mut pool).await;
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_end_is_reported_before_it() {
    let (mut pool, channel, mut theirs) = open(4).await;
    theirs.send(b"last").await.unwrap();
    let (sender, receiver) = theirs.split();
    sender.close(CloseCode::NORMAL).await;
    drop(receiver);
    // A peer that is gone already takes nothing, which must not hide what it said.
    pool.send(channel, b"too late".to_vec());
    assert!(matches!(pool.next().await, (_, Report::Message(message)) if message == b"last"));
    assert!(matches!(pool.next().await, (_, Report::Closed(ChannelError::Closed { .. }))));
    pool.send(channel, b"much too late".to_vec());
    silence(&mut pool).await;
}

#[tokio::test(start_paused = true)]
async fn a_closed_channel_reports_nothing_more() {
    let (mut pool, channel, mut theirs) = open(4).await;
    theirs.send(b"unread").await.unwrap();
    tokio::task::yield_now().await;
    pool.send(channel, b"last".to_vec());
    pool.close(channel, CloseCode::NORMAL);
    assert_eq!(theirs.receive().await.unwrap(), b"last");
    let code = CloseCode::NORMAL;
    assert!(matches!(theirs.receive().await, Err(ChannelError::Closed { code: came }) if came == code));
    silence(&mut pool).await;
}

#[tokio::test(start_paused = true)]
async fn closing_stops_a_dial() {
    let (channel, request) = first_dial();
    let dialer = Arc::new(Prepared::default());
    let mut pool = ChannelPool::new(dialer.clone());
    pool.dial(channel, request);
    silence(&mut pool).await;
    assert_eq!(Arc::strong_count(&dialer), 3);
    pool.close(channel, CloseCode::GOING_AWAY);
    silence(&mut pool).await;
    assert_eq!(Arc::strong_count(&dialer), 2, "the dial holds on");
}

#[tokio::test(start_paused = true)]
async fn a_flood_waits_in_the_channel_and_not_in_memory() {
    let (mut pool, _, mut theirs) = open(1).await;
    let mut taken = 0;
    while timeout(Duration::from_secs(1), theirs.send(&[7; 1000])).await.is_ok() {
        taken += 1;
    }
    assert!((16..=20).contains(&taken), "{taken} messages taken");
    for _ in 0..taken {
        assert!(matches!(pool.next().await, (_, Report::Message(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn finishing_sends_what_is_queued_past_reports_that_nobody_takes() {
    let (pool, channel, mut theirs) = open(64).await;
    for _ in 0..40 {
        theirs.send(b"a flood").await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    pool.send(channel, b"goodbye".to_vec());
    let finishing = tokio::spawn(pool.finish(Duration::from_secs(1)));
    assert_eq!(theirs.receive().await.unwrap(), b"goodbye");
    assert!(matches!(theirs.receive().await, Err(ChannelError::Closed { .. })));
    let start = Instant::now();
    finishing.await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn finishing_gives_up_on_a_peer_that_takes_nothing() {
    let (pool, channel, mut theirs) = open(1).await;
    for _ in 0..3 {
        pool.send(channel, b"goodbye".to_vec());
    }
    let start = Instant::now();
    pool.finish(Duration::from_secs(1)).await;
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    assert_eq!(theirs.receive().await.unwrap(), b"goodbye");
    assert!(matches!(theirs.receive().await, Err(ChannelError::Vanished)));
}

/// Answers an upgrade and gives the websocket.
async fn accept(listener: TcpListener) -> WebSocketStream<TcpStream> {
    let (mut io, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let key = head.split("Sec-WebSocket-Key: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: fido.cable\r\n\r\n"
    );
    io.write_all(answer.as_bytes()).await.unwrap();
    WebSocketStream::from_raw_socket(io, Role::Server, None).await
}

/// A socket that is dropped with unread bytes is reset, and the reset destroys what its peer has not read.
#[tokio::test]
async fn a_peer_that_is_still_talking_gets_the_goodbye_and_no_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dialer = WebSocketDialer::new().dangerous_plaintext_loopback(address).unwrap();
    let (channel, request) = first_dial();
    let mut pool = ChannelPool::new(Arc::new(dialer));
    pool.dial(channel, request);
    let service = tokio::spawn(async move {
        let mut websocket = accept(listener).await;
        // More than the reports and the buffers of both sockets hold, until the laptop closes.
        let (mut sink, mut stream) = websocket.split();
        let mut heard = Vec::new();
        let talking = async { while sink.send(Message::Binary(vec![7; 100_000].into())).await.is_ok() {} };
        let listening = async {
            while let Some(Ok(Message::Binary(message))) = stream.next().await {
                heard.push(message);
            }
        };
        tokio::select! { () = talking => panic!("reset"), () = listening => {} }
        websocket = sink.reunite(stream).unwrap();
        let _ = websocket.close(None).await;
        let end = websocket.into_inner().read_to_end(&mut Vec::new()).await;
        (heard, end.err().map(|error| error.kind()))
    });
    assert!(matches!(pool.next().await, (_, Report::Opened { .. })));
    while !matches!(pool.next().await, (_, Report::Message(_))) {}
    pool.send(channel, b"goodbye".to_vec());
    pool.close(channel, CloseCode::NORMAL);
    let (heard, end) = timeout(Duration::from_secs(30), service).await.unwrap().unwrap();
    assert_eq!(heard, [&b"goodbye"[..]]);
    assert_ne!(end, Some(ErrorKind::ConnectionReset));
}
