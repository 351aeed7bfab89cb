//! What a phone that offers a Bluetooth data channel does while nobody comes over it.

use std::sync::Arc;

use hybridge_authenticator::{Authenticator, AuthenticatorError, Error, Progress};
use hybridge_ble::sim::Adapter;
use hybridge_proto::qr::{Channels, QrCode};

use crate::{laptop::Laptop, world::*};

/// The laptop's code, with these channels in it.
fn code(laptop: &Laptop, channels: &[u64]) -> String {
    let mut code = QrCode::parse(&laptop.code).unwrap();
    code.channels = Some(Channels::from_numbers(channels));
    code.to_uri().expose_text().to_owned()
}

fn offering(world: &World) -> Authenticator {
    let mut authenticator = world.authenticator();
    authenticator.l2cap = Some(Arc::new(world.phone.clone()));
    authenticator
}

#[tokio::test(start_paused = true)]
async fn the_tunnel_serves_clients_that_come_through_it() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let phone =
        world.answer_with(offering(&world), &code(&laptop, &[0, 1]), &Scripted::replying([0x00, 0xA0]));
    laptop.connect(&world).await;
    laptop.ask(&[0x04]).await;
    assert_eq!(laptop.reply().await, [0x00, 0xA0]);
    laptop.say_goodbye().await;
    phone.outcome().await.unwrap();
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_tunnel_the_advert_goes_on_the_air_all_the_same() {
    let (world, laptop) = (World::new(), Laptop::new());
    world.dialer.script([Answer::Unreachable; 2]);
    let mut phone = world.answer_with(offering(&world), &code(&laptop, &[0, 1]), &Scripted::silent());
    let mut steps = Vec::new();
    while steps.last() != Some(&Progress::Advertising) {
        steps.push(phone.steps.recv().await.unwrap());
    }
    let Progress::TunnelUnavailable { error: AuthenticatorError::Dial(_), reason: Some(reason) } = &steps[1]
    else {
        panic!("{steps:?}")
    };
    assert!(reason.contains("does not answer") && reason.contains("(connection refused)"), "{reason}");
    assert_eq!((world.dialer.dials(), world.phone.live_adverts()), (2, 1));
    phone.task.abort();
}

/// A client that cannot connect over Bluetooth would wait in vain.
#[tokio::test(start_paused = true)]
async fn without_a_tunnel_a_client_that_needs_one_is_not_kept_waiting() {
    let (world, laptop) = (World::new(), Laptop::new());
    world.dialer.script([Answer::Unreachable; 2]);
    let phone = world.answer_with(offering(&world), &laptop.code, &Scripted::silent());
    assert!(matches!(phone.outcome().await, Err(Error::Tunnel { source: Some(_), .. })));
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_radio_that_cannot_be_connected_to_leaves_the_tunnel() {
    struct Deaf;

    impl hybridge_ble::l2cap::L2capListener for Deaf {
        type Listening = hybridge_ble::sim::SimListening;

        async fn listen(&self) -> Result<Self::Listening, hybridge_ble::RadioError> {
            Err(hybridge_ble::RadioError::Unsupported { action: "listen" })
        }
    }

    let (world, mut laptop) = (World::new(), Laptop::new());
    let mut authenticator = world.authenticator();
    authenticator.l2cap = Some(Arc::new(Deaf));
    let phone = world.answer_with(authenticator, &code(&laptop, &[0, 1]), &Scripted::replying([0]));
    laptop.connect(&world).await;
    laptop.ask(&[0x04]).await;
    assert_eq!(laptop.reply().await, [0]);
    laptop.say_goodbye().await;
    phone.outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_radio_that_fails_while_nobody_can_come_otherwise_is_the_end() {
    let (world, laptop) = (World::new(), Laptop::new());
    let mut phone = world.answer_with(offering(&world), &code(&laptop, &[1]), &Scripted::silent());
    phone.until(Progress::Advertising).await;
    assert_eq!(world.dialer.dials(), 0);
    world.phone.set_adapter(Adapter::PoweredOff);
    assert!(phone.outcome().await.is_err());
    world.nothing_is_left().await;
}
