//! A caller who leaves: at every stage, nothing is left within a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hybridge_ble::{RadioError, Scanner, sim::SimScan};
use hybridge_client::Session;
use hybridge_tunnel::{ChannelError, CloseCode};
use tokio::time::{sleep, timeout};

use crate::support::*;

/// Reads a phone's tunnel to its end, which must come within a second.
async fn end_of(phone: &mut Puppet) -> ChannelError {
    timeout(Duration::from_secs(1), phone.end()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn before_anything_happens() {
    let world = World::new();
    drop(world.session());
    world.nothing_is_left().await;
    assert_eq!((world.air.trace().len(), world.dialer.dials()), (0, 0));
}

/// A radio that never starts, and notes when nobody waits for it any more.
struct Stuck(Arc<AtomicBool>);

struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Scanner for Stuck {
    type Scan = SimScan;

    async fn scan(&self) -> Result<SimScan, RadioError> {
        let _note = OnDrop(Arc::clone(&self.0));
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_radio_starts() {
    let world = World::new();
    let given_up = Arc::new(AtomicBool::new(false));
    let radio = Arc::new(Stuck(Arc::clone(&given_up)));
    let session = Session::start(config(), radio, world.dialer.clone()).unwrap();
    let screen = Screen::default();
    let connecting = tokio::spawn(session.connect(screen.watch()));
    sleep(Duration::from_secs(5)).await;
    assert!(!given_up.load(Ordering::Relaxed) && screen.steps().is_empty());
    connecting.abort();
    world.nothing_is_left().await;
    assert!(given_up.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn while_it_listens() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    screen.code(0).await;
    assert_eq!(world.laptop.running_scans(), 1);
    connecting.abort();
    settle().await;
    assert_eq!(world.laptop.running_scans(), 0, "the radio stops at once");
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn while_it_dials() {
    let world = World::new();
    world.dialer.script([Answer::Hang]);
    let (connecting, screen) = world.connecting(config());
    let phone = Puppet::answer(&world, &screen.code(0).await).await;
    screen.until("Connecting").await;
    assert_eq!(world.dialer.dials(), 1);
    connecting.abort();
    drop(phone);
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn in_the_handshake() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    let mut phone = Puppet::answer(&world, &screen.code(0).await).await;
    phone.handshake().await;
    connecting.abort();
    assert!(matches!(end_of(&mut phone).await, ChannelError::Closed { code: CloseCode::GOING_AWAY }));
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn before_the_phone_describes_itself() {
    let world = World::new();
    let (connecting, screen) = world.connecting(config());
    let mut phone = Puppet::answer(&world, &screen.code(0).await).await;
    let messages = phone.handshake().await;
    phone.send(messages.into_iter().take(1)).await;
    settle().await;
    connecting.abort();
    assert!(matches!(end_of(&mut phone).await, ChannelError::Closed { code: CloseCode::GOING_AWAY }));
    assert!(!phone.was_dismissed(), "there is nothing to take leave of yet");
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn while_connected() {
    let world = World::new();
    let (channel, mut phone, _) = world.connected_to_puppet(config()).await;
    drop(channel);
    assert!(matches!(end_of(&mut phone).await, ChannelError::Closed { code: CloseCode::NORMAL }));
    assert!(phone.was_dismissed());
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn while_the_owner_is_asked() {
    let world = World::new();
    let (mut channel, phone, screen) = world.connected(config(), Scripted::silent()).await;
    let request = tokio::spawn(async move { channel.get_assertion(&assertion()).await });
    screen.until("WaitingForPhone").await;
    settle().await;
    request.abort();
    let (service, outcome) = timeout(Duration::from_secs(1), phone).await.unwrap().unwrap();
    assert!(matches!(outcome, Err(hybridge_authenticator::Error::ClientLeft)), "{outcome:?}");
    assert_eq!(service.asked.lock().unwrap().len(), 1);
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn while_it_waits_for_a_late_link() {
    let world = World::new();
    let (channel, mut phone, _) = world.connected_to_puppet(linking_config()).await;
    let closing = tokio::spawn(channel.close());
    sleep(Duration::from_secs(10)).await;
    assert!(!closing.is_finished());
    closing.abort();
    assert!(matches!(end_of(&mut phone).await, ChannelError::Closed { .. }));
    assert!(phone.was_dismissed());
    world.nothing_is_left().await;
}

/// A peer that takes nothing cannot keep the session alive either.
#[tokio::test(start_paused = true)]
async fn while_the_phone_reads_nothing() {
    let world = World::new();
    let (mut channel, mut phone, screen) = world.connected_to_puppet(config()).await;
    let request = tokio::spawn(async move {
        let _ = channel.raw(&[0x04]).await;
    });
    screen.until("WaitingForPhone").await;
    request.abort();
    world.nothing_is_left().await;
    assert!(!matches!(phone.end().await, ChannelError::TextMessage));
}
