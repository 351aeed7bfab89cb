//! What happens to messages in a tunnel, over in-memory pipes and on virtual time.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use futures_util::SinkExt;
use support::*;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

const MIB: usize = 1 << 20;

#[tokio::test(start_paused = true)]
async fn messages_pass_unchanged_and_in_order() {
    let (mut phone, mut client) = pair(&service()).await;
    for length in [0, 1, 81, 125, 126, 65_535, 65_536, MIB] {
        let message = vec![0x5A; length];
        for (from, to) in [(0, 1), (1, 0)] {
            let mut ends = [&mut phone, &mut client];
            let sent = binary(message.clone());
            let [a, b] = &mut ends;
            let (from, to) = if from < to { (a, b) } else { (b, a) };
            let (received, sending) = tokio::join!(next(to), from.send(sent));
            sending.unwrap();
            assert!(received == binary(message.clone()), "{length}");
        }
    }
    for number in 0..100_u8 {
        client.send(binary(vec![number])).await.unwrap();
    }
    for number in 0..100_u8 {
        assert_eq!(next(&mut phone).await, binary(vec![number]));
    }
}

#[tokio::test(start_paused = true)]
async fn messages_wait_for_the_client_to_join() {
    let service = service();
    let (mut phone, routing) = open(&service).await;
    for number in 0..50_u8 {
        phone.send(binary(vec![number])).await.unwrap();
    }
    sleep(Duration::from_secs(30)).await;
    let mut client = join(&service, routing).await.unwrap();
    phone.send(binary(vec![50])).await.unwrap();
    for number in 0..=50_u8 {
        assert_eq!(next(&mut client).await, binary(vec![number]));
    }
}

#[tokio::test(start_paused = true)]
async fn too_much_waiting_closes_with_1008_and_empty_messages_count() {
    for (count, length) in [(3, 30_000), (2_000, 0)] {
        let service = service();
        let (mut phone, routing) = open(&service).await;
        let start = Instant::now();
        for _ in 0..count {
            // The later ones may find the websocket closed.
            let _ = phone.send(binary(vec![0; length])).await;
        }
        assert_eq!(close_code(&mut phone).await, 1008);
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(join(&service, routing).await.err(), Some(404));
    }
}

#[tokio::test(start_paused = true)]
async fn data_right_behind_the_upgrade_is_part_of_the_tunnel() {
    let service = service();
    let mut io = pipe(&service, 4096);
    let mut bytes = format!("GET {} HTTP/1.1\r\n{UPGRADE}\r\n", new_path()).into_bytes();
    bytes.extend(frame(0x82, b"early"));
    bytes.extend(&frame(0x82, b"split")[..7]);
    io.write_all(&bytes).await.unwrap();
    let mut head = [0; 512];
    let length = io.read(&mut head).await.unwrap();
    let head = std::str::from_utf8(&head[..length]).unwrap();
    let routing = head.split("X-caBLE-Routing-ID: ").nth(1).unwrap().get(..6).unwrap();

    let mut client =
        join(&service, hybridge_proto::ids::RoutingId::from_hex(routing).unwrap()).await.unwrap();
    assert_eq!(next(&mut client).await, binary("early"));
    io.write_all(&frame(0x82, b"split")[7..]).await.unwrap();
    assert_eq!(next(&mut client).await, binary("split"));
}

#[tokio::test(start_paused = true)]
async fn fragments_arrive_as_one_message_with_control_frames_between() {
    let service = service();
    let (mut phone, routing) = open(&service).await;
    let (client, _) = websocket(pipe(&service, 4096), &connect_path(routing)).await.unwrap();
    let mut io = client.into_inner();
    for part in [frame(0x02, b"one "), frame(0x89, b"ping"), frame(0x00, b""), frame(0x80, b"two")] {
        io.write_all(&part).await.unwrap();
    }
    assert_eq!(next(&mut phone).await, binary("one two"));
    let mut pong = [0; 6];
    io.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\x8A\x04ping");
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_before_and_after_joining() {
    let service = service();
    let (mut phone, routing) = open(&service).await;
    phone.send(Message::Ping("one".into())).await.unwrap();
    assert_eq!(
        futures_util::StreamExt::next(&mut phone).await.unwrap().unwrap(),
        Message::Pong("one".into())
    );
    let mut client = join(&service, routing).await.unwrap();
    for socket in [&mut phone, &mut client] {
        socket.send(Message::Ping("two".into())).await.unwrap();
        let answer = futures_util::StreamExt::next(socket).await.unwrap().unwrap();
        assert_eq!(answer, Message::Pong("two".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn text_is_1003_and_the_other_side_1008() {
    for text in [frame(0x81, b"hello"), frame(0x81, b"\xFF\xFE")] {
        let service = service();
        let (mut phone, routing) = open(&service).await;
        let (mut client, _) = websocket(pipe(&service, 4096), &connect_path(routing)).await.unwrap();
        client.get_mut().write_all(&text).await.unwrap();
        assert_eq!(close_code(&mut client).await, 1003);
        assert_eq!(close_code(&mut phone).await, 1008);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_above_the_limit_is_1009_whole_or_in_fragments() {
    let limit = 1000;
    for parts in [vec![frame(0x82, &[0; 1001])], vec![frame(0x02, &[0; 600]), frame(0x80, &[0; 401])]] {
        let service = with_config(|config| config.max_message = limit);
        let (mut phone, mut client) = pair(&service).await;
        client.send(binary(vec![1; limit])).await.unwrap();
        for part in parts {
            client.get_mut().write_all(&part).await.unwrap();
        }
        assert_eq!(close_code(&mut client).await, 1009);
        assert_eq!(next(&mut phone).await, binary(vec![1; limit]));
        assert_eq!(close_code(&mut phone).await, 1008);
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_announces_too_much_is_1009_at_once() {
    let start = Instant::now();
    let (_phone, mut client) = pair(&service()).await;
    client.get_mut().write_all(b"\x82\xFF\0\0\x01\0\0\0\0\0mask").await.unwrap();
    assert_eq!(close_code(&mut client).await, 1009);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_unmasked_frame_is_1002_and_the_other_side_1008() {
    let (mut phone, mut client) = pair(&service()).await;
    client.get_mut().write_all(b"\x82\x01a").await.unwrap();
    assert_eq!(close_code(&mut client).await, 1002);
    assert_eq!(close_code(&mut phone).await, 1008);
}

#[tokio::test(start_paused = true)]
async fn close_codes_are_passed_on_behind_the_last_message() {
    for (sent, passed) in [(Some(1000), 1000), (Some(1001), 1001), (Some(4711), 4711), (None, 1000)] {
        let (mut phone, mut client) = pair(&service()).await;
        phone.send(binary("last")).await.unwrap();
        let frame = sent.map(|code| CloseFrame { code: CloseCode::from(code), reason: "why".into() });
        phone.close(frame).await.unwrap();
        assert_eq!(next(&mut client).await, binary("last"));
        match next(&mut client).await {
            Message::Close(Some(frame)) => {
                assert_eq!((u16::from(frame.code), frame.reason.as_str()), (passed, ""))
            }
            other => unreachable!("{other:?}"),
        }
        let echoed = match next(&mut phone).await {
            Message::Close(frame) => frame.map(|frame| u16::from(frame.code)),
            other => unreachable!("{other:?}"),
        };
        assert_eq!(echoed, sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_vanished_peer_is_1001_behind_its_last_message() {
    let (mut phone, mut client) = pair(&service()).await;
    client.send(binary("last")).await.unwrap();
    drop(client);
    assert_eq!(next(&mut phone).await, binary("last"));
    assert_eq!(close_code(&mut phone).await, 1001);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_ends_its_sending_direction_has_vanished() {
    let (mut phone, mut client) = pair(&service()).await;
    phone.get_mut().shutdown().await.unwrap();
    assert_eq!(close_code(&mut client).await, 1001);
    let mut rest = Vec::new();
    phone.get_mut().read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
}

#[tokio::test(start_paused = true)]
async fn waiting_and_life_are_limited() {
    let service = with_config(|config| config.idle_lifetime = Duration::MAX);
    let start = Instant::now();
    let (mut phone, routing) = open(&service).await;
    assert_eq!(close_code(&mut phone).await, 1008);
    assert_eq!((start.elapsed().as_secs(), service.tunnel_count()), (120, 0));
    assert_eq!(join(&service, routing).await.err(), Some(404));

    let start = Instant::now();
    let (mut phone, routing) = open(&service).await;
    sleep(Duration::from_secs(100)).await;
    let mut client = join(&service, routing).await.unwrap();
    assert_eq!(close_code(&mut phone).await, 1008);
    assert_eq!(close_code(&mut client).await, 1008);
    assert_eq!(start.elapsed().as_secs(), 300);
    assert_eq!(service.tunnel_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_used_up_quota_is_1008_for_both() {
    let service = with_config(|config| config.max_tunnel_bytes = 10);
    let (mut phone, mut client) = pair(&service).await;
    phone.send(binary("0123456789")).await.unwrap();
    client.send(binary("01234")).await.unwrap();
    client.send(binary("567890")).await.unwrap();
    assert_eq!(next(&mut client).await, binary("0123456789"));
    assert_eq!(close_code(&mut client).await, 1008);
    assert_eq!(next(&mut phone).await, binary("01234"));
    assert_eq!(close_code(&mut phone).await, 1008);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_stops_the_other_one() {
    let (mut phone, mut client) = pair(&service()).await;
    let mut sent = 0_u8;
    while timeout(Duration::from_secs(1), client.send(binary(vec![sent; 100_000]))).await.is_ok() {
        sent += 1;
        assert!(sent < 10, "the service takes whatever comes");
    }
    // The message whose sending was given up is complete in the client's buffer.
    let reading = async {
        for number in 0..=sent {
            assert!(next(&mut phone).await == binary(vec![number; 100_000]), "{number}");
        }
    };
    let (flushed, ()) = tokio::join!(client.flush(), reading);
    flushed.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_does_not_outlive_the_tunnel() {
    let service = service();
    let start = Instant::now();
    let (_phone, mut client) = pair(&service).await;
    while timeout(Duration::from_secs(1), client.send(binary(vec![0; 100_000]))).await.is_ok() {}
    assert_eq!(close_code(&mut client).await, 1008);
    assert!(start.elapsed() <= Duration::from_secs(306), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn dropping_a_served_stream_tells_the_other_side() {
    let service = service();
    let (mut phone, routing) = open(&service).await;
    let (ours, theirs) = tokio::io::duplex(1024);
    let serving = {
        let service = service.clone();
        tokio::spawn(async move { service.serve_stream(theirs).await })
    };
    let _client = websocket(ours, &connect_path(routing)).await.unwrap();
    serving.abort();
    assert_eq!(close_code(&mut phone).await, 1001);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_ignores_the_close_frame_is_dropped() {
    let service = service();
    let (mut phone, client) = pair(&service).await;
    let mut io = client.into_inner();
    phone.close(None).await.unwrap();
    let start = Instant::now();
    let mut rest = Vec::new();
    io.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"\x88\x02\x03\xE8");
    assert!(io.write_all(b"more").await.is_err());
    assert_eq!(start.elapsed().as_secs(), 5);
}
