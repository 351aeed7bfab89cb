//! What strangers' bytes on the wire may look like beyond what a websocket library would send.
#![allow(clippy::unwrap_used)]

mod support;

use hybridge_proto::ids::RoutingId;
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// The head of the service's answer, byte by byte, so that nothing behind it is taken.
async fn head(io: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\n{UPGRADE}\r\n")
}

#[tokio::test(start_paused = true)]
async fn frames_right_behind_the_clients_request_reach_the_phone() {
    let service = service();
    let (mut phone, routing) = open(&service).await;
    let mut io = pipe(&service, 4096);
    let mut bytes = request(&connect_path(routing)).into_bytes();
    bytes.extend(
        [frame(0x82, b"one"), frame(0x02, b"two "), frame(0x80, b"parts"), frame(0x82, b"")].concat(),
    );
    io.write_all(&bytes).await.unwrap();
    for expected in ["one", "two parts", ""] {
        assert_eq!(next(&mut phone).await, binary(expected));
    }
    assert_eq!(status(&head(&mut io).await), 101);
    // And a whole life in one write: the phone gets the message and the goodbye.
    drop((phone, io));
    while service.tunnel_count() != 0 {
        tokio::task::yield_now().await;
    }
    let (mut phone, routing) = open(&service).await;
    let mut io = pipe(&service, 4096);
    let mut bytes = request(&connect_path(routing)).into_bytes();
    bytes.extend([frame(0x82, b"all"), frame(0x88, &[3, 0xe9])].concat());
    io.write_all(&bytes).await.unwrap();
    io.shutdown().await.unwrap();
    assert_eq!(next(&mut phone).await, binary("all"));
    assert_eq!(close_code(&mut phone).await, 1001);
}

#[tokio::test(start_paused = true)]
async fn a_broken_frame_right_behind_the_request_is_1002_behind_the_answer() {
    let service = service();
    let mut io = pipe(&service, 4096);
    let mut bytes = request(&new_path()).into_bytes();
    bytes.extend(b"\xc2\x80mask");
    io.write_all(&bytes).await.unwrap();
    assert_eq!(status(&head(&mut io).await), 101);
    let mut rest = Vec::new();
    io.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"\x88\x02\x03\xEA");
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_comes_before_the_new_is_404_and_can_be_repeated() {
    let service = service();
    let (phone, routing) = open(&service).await;
    drop(phone);
    while service.tunnel_count() != 0 {
        tokio::task::yield_now().await;
    }
    // The client has heard of a tunnel that is not there yet, or not any more.
    assert_eq!(join(&service, routing).await.err(), Some(404));
    let (_phone, routing) = open(&service).await;
    join(&service, routing).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_id_that_was_used_up_opens_a_tunnel_again_and_again() {
    let service = service();
    for round in 0..5_u8 {
        let (mut phone, mut client) = pair(&service).await;
        futures_util::SinkExt::send(&mut client, binary(vec![round])).await.unwrap();
        assert_eq!(next(&mut phone).await, binary(vec![round]));
        client.close(None).await.unwrap();
        assert_eq!(close_code(&mut phone).await, 1000);
        drop((phone, client));
        while service.tunnel_count() != 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_frame_has_a_mask_of_its_own_and_any_mask_will_do() {
    let service = service();
    let (mut phone, routing) = open(&service).await;
    let (client, _) = websocket(pipe(&service, 4096), &connect_path(routing)).await.unwrap();
    let mut io = client.into_inner();
    let masks = [[0; 4], [0xff; 4], [1, 2, 3, 4], [0, 0, 0, 9]];
    for (at, mask) in masks.into_iter().enumerate() {
        let first = [0x02, 0x00, 0x00, 0x80][at];
        let payload: Vec<u8> = (0..9_u8).zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        io.write_all(&[&[first, 0x89][..], &mask, &payload].concat()).await.unwrap();
    }
    assert_eq!(next(&mut phone).await, binary((0..9_u8).collect::<Vec<_>>().repeat(4)));
}

#[tokio::test(start_paused = true)]
async fn lengths_may_be_written_longer_than_they_have_to_be() {
    let (mut phone, mut client) = pair(&service()).await;
    let io = client.get_mut();
    for length in [&[0xfe, 0, 1][..], &[0xff, 0, 0, 0, 0, 0, 0, 0, 1]] {
        io.write_all(&[&[0x82][..], length, &[0; 4], b"x"].concat()).await.unwrap();
        assert_eq!(next(&mut phone).await, binary("x"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_peer_still_gets_what_was_under_way_for_it() {
    let service = service();
    let (mut phone, mut client) = pair(&service).await;
    futures_util::SinkExt::send(&mut client, binary("for the phone")).await.unwrap();
    tokio::task::yield_now().await;
    phone.get_mut().shutdown().await.unwrap();
    assert_eq!(next(&mut phone).await, binary("for the phone"));
    assert_eq!(close_code(&mut client).await, 1001);
}

#[tokio::test]
async fn paths_that_are_nearly_right_are_404() {
    let tunnel = TUNNEL.to_hex();
    let (short, long) = (&tunnel[1..], format!("{tunnel}0"));
    for path in [
        format!("/cable/new/{short}"),
        format!("/cable/new/{long}"),
        format!("/cable/new/{}", tunnel.replace('7', "g")),
        format!("/cable/new/{tunnel}/x"),
        format!("/cable/new//{tunnel}"),
        format!("//cable/new/{tunnel}"),
        format!("/cable/./new/{tunnel}"),
        format!("/cable/new/%41{}", &tunnel[1..]),
        format!("/CABLE/NEW/{tunnel}"),
        format!("/cable/new/{tunnel}#x"),
        format!("http://a/cable/new/{tunnel}"),
        format!("/cable/connect/{tunnel}"),
        format!("/cable/connect/00000/{tunnel}"),
        format!("/cable/connect/0000000/{tunnel}"),
        format!("/cable/connect/000000/{tunnel}/"),
        format!("/cable/connect/000000/{tunnel}/x"),
        format!("/cable/connect/{tunnel}/000000"),
        format!("/cable/connect/00000g/{tunnel}"),
    ] {
        let answer = exchange(&service(), &request(&path)).await;
        assert_eq!(status(&answer), 404, "{path}");
    }
    let near = connect_path(RoutingId::from_bytes([0; 3])).to_lowercase();
    let answer = exchange(&service(), &request(&near)).await;
    assert!(answer.contains("No tunnel") || answer.contains("tunnel is"), "{answer}");
}
