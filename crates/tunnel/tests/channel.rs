//! Channels over websockets: what passes, and how each end is called.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hybridge_tunnel::{ChannelError, CloseCode, DataChannel, Dialer};
use support::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

/// A channel, and the service's side of it after the upgrade.
async fn raw() -> (DataChannel, Io) {
    let (give, take) = oneshot::channel();
    let give = std::sync::Arc::new(std::sync::Mutex::new(Some(give)));
    let dialer = Authority::new().dialer(move |mut io| {
        let give = give.lock().unwrap().take().unwrap();
        async move {
            let head = read_head(&mut io).await;
            io.write_all(UPGRADED.replace("ACCEPT", &accept(&head)).as_bytes()).await.unwrap();
            io.flush().await.unwrap();
            let _ = give.send(io);
        }
    });
    let channel = dialer.dial(&new()).await.unwrap().channel;
    (channel, take.await.unwrap())
}

async fn websocket() -> (DataChannel, WebSocketStream<Io>) {
    let (channel, io) = raw().await;
    (channel, WebSocketStream::from_raw_socket(io, Role::Server, None).await)
}

#[tokio::test(start_paused = true)]
async fn messages_pass_both_ways_up_to_the_limit() {
    let dialer = service();
    let (mut phone, mut client) = pair(&dialer).await;
    for length in [0, 1, 81, 70_000, 1 << 20] {
        let message = vec![0x5A; length];
        let (sent, received) = tokio::join!(client.channel.send(&message), phone.channel.receive());
        sent.unwrap();
        assert!(received.unwrap() == message, "{length}");
        let (sent, received) = tokio::join!(phone.channel.send(&message), client.channel.receive());
        sent.unwrap();
        assert!(received.unwrap() == message, "{length}");
    }
    let large = vec![0; (1 << 20) + 1];
    assert!(matches!(client.channel.send(&large).await, Err(ChannelError::MessageTooLarge)));
    client.channel.send(b"still good").await.unwrap();
    assert_eq!(phone.channel.receive().await.unwrap(), b"still good");
}

#[tokio::test(start_paused = true)]
async fn close_codes_reach_the_other_side_behind_the_last_message() {
    for (sent, arrives) in [
        (CloseCode::NORMAL, CloseCode::NORMAL),
        (CloseCode::new(4711).unwrap(), CloseCode::new(4711).unwrap()),
        (CloseCode::NO_STATUS, CloseCode::NORMAL),
    ] {
        let (phone, mut client) = pair(&service()).await;
        let (mut sender, mut receiver) = phone.channel.split();
        sender.send(b"last").await.unwrap();
        sender.close(sent).await;
        assert_eq!(client.channel.receive().await.unwrap(), b"last");
        for _ in 0..2 {
            match client.channel.receive().await {
                Err(ChannelError::Closed { code }) => assert_eq!(code, arrives),
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(client.channel.send(b"late").await, Err(ChannelError::Closed { .. })));
        match receiver.receive().await {
            Err(ChannelError::Closed { code }) => assert_eq!(code, sent),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_both_halves_closes_the_connection_and_one_does_not() {
    let (phone, mut client) = pair(&service()).await;
    let (mut sender, receiver) = phone.channel.split();
    drop(receiver);
    sender.send(b"still here").await.unwrap();
    assert_eq!(client.channel.receive().await.unwrap(), b"still here");
    assert!(timeout(Duration::from_secs(1), client.channel.receive()).await.is_err());
    drop(sender);
    let end = client.channel.receive().await;
    assert!(matches!(end, Err(ChannelError::Closed { code: CloseCode::GOING_AWAY })), "{end:?}");
}

#[tokio::test]
async fn a_close_frame_is_answered() {
    let (mut channel, mut socket) = websocket().await;
    socket.close(None).await.unwrap();
    let end = channel.receive().await;
    assert!(matches!(end, Err(ChannelError::Closed { code: CloseCode::NO_STATUS })), "{end:?}");
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Close(None));
}

#[tokio::test]
async fn pings_are_answered_while_receiving() {
    let (mut channel, mut socket) = websocket().await;
    let serving = async {
        socket.send(Message::Ping("one".into())).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("one".into()));
        socket.send(Message::Binary("two".into())).await.unwrap();
    };
    let (received, ()) = tokio::join!(channel.receive(), serving);
    assert_eq!(received.unwrap(), b"two");
}

#[tokio::test]
async fn a_vanished_service_ends_the_channel_behind_its_last_message() {
    let (mut channel, mut socket) = websocket().await;
    socket.send(Message::Binary("last".into())).await.unwrap();
    drop(socket);
    assert_eq!(channel.receive().await.unwrap(), b"last");
    for _ in 0..2 {
        let end = channel.receive().await;
        assert!(matches!(end, Err(ChannelError::Vanished)), "{end:?}");
    }
    assert!(channel.send(b"late").await.is_err());
}

#[tokio::test]
async fn broken_rules_are_told_apart() {
    type Check = fn(&ChannelError) -> bool;
    let cases: [(&[u8], Check); 6] = [
        (b"\x81\x02hi", |error| matches!(error, ChannelError::TextMessage)),
        (b"\x81\x01\xFF", |error| matches!(error, ChannelError::TextMessage)),
        (b"\x82\x7F\0\0\0\0\0\x10\0\x01", |error| matches!(error, ChannelError::MessageTooLarge)),
        (b"\x82\x81\0\0\0\0a", |error| matches!(error, ChannelError::Malformed)),
        (b"\xC2\x01a", |error| matches!(error, ChannelError::Malformed)),
        (b"\x80\x01a", |error| matches!(error, ChannelError::Malformed)),
    ];
    for (bytes, is_expected) in cases {
        let (mut channel, mut io) = raw().await;
        io.write_all(bytes).await.unwrap();
        io.flush().await.unwrap();
        let end = channel.receive().await.unwrap_err();
        assert!(is_expected(&end), "{bytes:?}: {end:?}");
        assert!(matches!(channel.receive().await, Err(ChannelError::Vanished)));
    }
}

#[tokio::test]
async fn a_message_too_large_in_fragments_is_too_large() {
    let (mut channel, mut io) = raw().await;
    let writing = tokio::spawn(async move {
        for (number, first) in [0x02, 0x00, 0x80].into_iter().enumerate() {
            let mut frame = vec![first, 0x7F, 0, 0, 0, 0, 0, 0x08, 0, 0];
            frame.resize(frame.len() + (1 << 19), u8::try_from(number).unwrap());
            if io.write_all(&frame).await.is_err() || io.flush().await.is_err() {
                break;
            }
        }
        io
    });
    assert!(matches!(channel.receive().await, Err(ChannelError::MessageTooLarge)));
    drop(channel);
    writing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn receiving_can_be_cancelled_in_the_middle_of_a_message() {
    let (mut channel, mut io) = raw().await;
    io.write_all(b"\x82\x04ha").await.unwrap();
    io.flush().await.unwrap();
    assert!(timeout(Duration::from_secs(1), channel.receive()).await.is_err());
    io.write_all(b"lf").await.unwrap();
    io.flush().await.unwrap();
    assert_eq!(channel.receive().await.unwrap(), b"half");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_holds_the_sender_up_and_not_the_receiver() {
    let (channel, mut io) = raw().await;
    let (mut sender, mut receiver) = channel.split();
    let sending = tokio::spawn(async move {
        let mut sent = 0;
        while sent < 10 {
            sender.send(&[0; 100_000]).await.unwrap();
            sent += 1;
        }
        sender
    });
    io.write_all(b"\x82\x02hi").await.unwrap();
    io.flush().await.unwrap();
    assert_eq!(receiver.receive().await.unwrap(), b"hi");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!sending.is_finished());
    let mut read = 0;
    let mut bytes = vec![0; 65_536];
    while read < 10 * (100_000 + 14) {
        read += io.read(&mut bytes).await.unwrap();
    }
    sending.await.unwrap();
}
