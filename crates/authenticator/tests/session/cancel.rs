//! A program that drops its session: at every stage nothing is left within a second.

use std::{sync::Arc, time::Duration};

use hybridge_authenticator::{Authenticator, Operation, Progress};
use hybridge_ble::{Advertisement, Advertiser, RadioError, sim::SimAdvert};
use hybridge_tunnel::ChannelError;
use tokio::time::{sleep, timeout};

use crate::{laptop::Laptop, world::*};

#[tokio::test(start_paused = true)]
async fn while_it_dials() {
    let world = World::new();
    world.dialer.script([Answer::Hang]);
    let phone = world.answer(&Laptop::new().code, &Scripted::replying([0]));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(world.dialer.dials(), 1);
    phone.task.abort();
    world.nothing_is_left().await;
}

/// A radio that never starts.
struct Stuck;

impl Advertiser for Stuck {
    type Handle = SimAdvert;

    async fn advertise(&self, _: Advertisement) -> Result<SimAdvert, RadioError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_radio_starts() {
    let world = World::new();
    let authenticator = Authenticator::new(DOMAIN, Arc::new(Stuck), world.dialer.clone());
    let phone = world.answer_with(authenticator, &Laptop::new().code, &Scripted::replying([0]));
    sleep(Duration::from_secs(5)).await;
    assert!(!phone.task.is_finished());
    phone.task.abort();
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn while_it_advertises() {
    let world = World::new();
    let mut phone = world.answer(&Laptop::new().code, &Scripted::replying([0]));
    phone.until(Progress::Advertising).await;
    assert_eq!(world.phone.live_adverts(), 1);
    phone.task.abort();
    tokio::task::yield_now().await;
    assert_eq!(world.phone.live_adverts(), 0, "the advert is withdrawn at once");
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn while_a_client_is_connected() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let phone = world.answer(&laptop.code, &Scripted::replying([0]));
    laptop.connect(&world).await;
    phone.task.abort();
    let end = timeout(Duration::from_secs(1), laptop.end()).await.unwrap();
    assert!(matches!(end, ChannelError::Vanished), "{end}");
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn while_the_owner_is_asked() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let service = Scripted::silent();
    let mut phone = world.answer(&laptop.code, &service);
    laptop.connect(&world).await;
    laptop.ask(&[0x02, 0xA0]).await;
    phone.until(Progress::Request(Operation::GetAssertion)).await;
    sleep(Duration::from_secs(5)).await;
    phone.task.abort();
    let end = timeout(Duration::from_secs(1), laptop.end()).await.unwrap();
    assert!(matches!(end, ChannelError::Vanished), "{end}");
    assert_eq!(service.dropped(), 1);
    world.nothing_is_left().await;
}

/// A client that takes nothing cannot keep a session alive that is over.
#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let phone = world.answer(&laptop.code, &Scripted::replying([0]));
    laptop.connect(&world).await;
    laptop.ask(&[0x04]).await;
    laptop.send(&[0; 48]).await;
    phone.outcome().await.unwrap_err();
    world.nothing_is_left().await;
}
