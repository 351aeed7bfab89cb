//! The end of a session that was connected.

use std::time::Duration;

use futures_util::FutureExt;
use hybridge_client::Error;
use hybridge_tunnel::{ChannelError, CloseCode, MemoryService};
use tokio::time::{Instant, sleep, timeout};

use crate::support::*;

/// What a phone finds in its tunnel without waiting: whether it was dismissed, and how the tunnel ended.
fn found_at_once(phone: &mut Puppet) -> (bool, ChannelError) {
    let end = phone.end().now_or_never().unwrap();
    (phone.was_dismissed(), end)
}

#[tokio::test(start_paused = true)]
async fn the_goodbye_is_said_when_close_returns() {
    let world = World::new();
    let (channel, mut phone, _) = world.connected_to_puppet(config()).await;
    // A phone that does not read does not answer the close frame.
    let start = Instant::now();
    channel.close().await.unwrap();
    assert!(start.elapsed() <= Duration::from_secs(1));
    let (dismissed, end) = found_at_once(&mut phone);
    assert!(dismissed && matches!(end, ChannelError::Closed { code: CloseCode::NORMAL }), "{end}");
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn close_waits_until_a_slow_phone_has_the_goodbye() {
    let mut world = World::new();
    world.use_service(MemoryService::new().with_capacity(1));
    let (mut channel, mut phone, _) = world.connected_to_puppet(config()).await;
    // Fills the tunnel.
    timeout(Duration::from_millis(1), channel.raw(&[0x04])).await.unwrap_err();
    let closing = tokio::spawn(channel.close());
    sleep(Duration::from_millis(500)).await;
    assert!(!closing.is_finished());
    assert!(matches!(phone.end().await, ChannelError::Closed { code: CloseCode::NORMAL }));
    let start = Instant::now();
    closing.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn closing_takes_no_time_with_a_phone_that_answers() {
    for config in [config(), linking_config()] {
        let world = World::new();
        let (channel, phone, screen) = world.connected(config, Scripted::replying([0])).await;
        let start = Instant::now();
        channel.close().await.unwrap();
        let (_, outcome) = phone.await.unwrap();
        outcome.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(!screen.steps().contains(&"Linked".to_owned()));
        world.nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_linking_nobody_waits_for_a_link() {
    let world = World::new();
    let (channel, _phone, _) = world.connected_to_puppet(config()).await;
    let start = Instant::now();
    channel.close().await.unwrap();
    assert!(start.elapsed() <= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn with_linking_a_silent_phone_is_waited_for_three_minutes() {
    let world = World::new();
    let (channel, mut phone, _) = world.connected_to_puppet(linking_config()).await;
    let start = Instant::now();
    let closing = tokio::spawn(channel.close());
    assert!(matches!(phone.end().await, ChannelError::Closed { code: CloseCode::NORMAL }));
    closing.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(180));
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_late_link_arrives() {
    let world = World::new();
    let (connecting, screen) = world.connecting(linking_config());
    let mut phone = Puppet::answer_with_link(&world, &screen.code(0).await, link_offer()).await;
    let mut messages = phone.handshake().await;
    let update = messages.pop().unwrap();
    assert_eq!(messages.len(), 2);
    phone.send(messages).await;
    let closing = tokio::spawn(connecting.await.unwrap().unwrap().close());
    sleep(Duration::from_secs(60)).await;
    assert!(!screen.steps().contains(&"Linked".to_owned()) && !closing.is_finished());
    phone.send([update]).await;
    let link = screen.link().await;
    assert_eq!((link.domain, link.info.name.as_str()), (DOMAIN, "Ada's phone"));
    phone.close().await;
    closing.await.unwrap().unwrap();
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_has_left_is_no_failure_of_close() {
    let world = World::new();
    let (channel, phone, _) = world.connected_to_puppet(config()).await;
    phone.close().await;
    channel.close().await.unwrap();
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn close_tells_of_a_failure_that_nobody_was_told_of() {
    let world = World::new();
    let (channel, mut phone, _) = world.connected_to_puppet(config()).await;
    phone.send([vec![0; 48]]).await;
    settle().await;
    assert!(matches!(channel.close().await, Err(Error::Protocol(_))));

    let (mut channel, mut phone, _) = world.connected_to_puppet(config()).await;
    phone.send([vec![0; 48]]).await;
    assert!(matches!(channel.raw(&[0x04]).await, Err(Error::Protocol(_))));
    channel.close().await.unwrap();
    world.nothing_is_left().await;
}
