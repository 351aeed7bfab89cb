//! Worlds with parts exchanged.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail loudly")]

use std::sync::Arc;

use hybridge_authenticator::CtapService;
use hybridge_ble::sim::{Adapter, Probability};
use hybridge_client::{Error, Status, webauthn};
use hybridge_demo::{
    browser::BrowserError,
    ceremony,
    journal::{Event, Journal},
    laptop::{LaptopError, LaptopEvent},
    owner::{Owner, Passkeys, passkeys_of},
    phone::PhoneError,
    relying_party::RelyingPartyError,
    world::{World, WorldOptions},
};
use hybridge_proto::qr::QrCode;
use hybridge_tunnel::MemoryService;

async fn world() -> World {
    World::new(WorldOptions::default()).await.unwrap()
}

/// A phone's passkeys, with one byte put behind what it sends.
struct Sloppy {
    passkeys: Passkeys,
    info: bool,
    replies: bool,
}

impl CtapService for Sloppy {
    async fn get_info(&mut self) -> Vec<u8> {
        let mut info = self.passkeys.get_info().await;
        if self.info {
            info.push(0);
        }
        info
    }

    async fn call(&mut self, request: &[u8]) -> Vec<u8> {
        let mut reply = self.passkeys.call(request).await;
        if self.replies {
            reply.push(0);
        }
        reply
    }
}

#[tokio::test]
async fn what_is_not_canonical_fails_the_ceremony() {
    let mut world = world().await;
    for (info, replies) in [(true, false), (false, true), (false, false)] {
        let passkeys = passkeys_of(Owner::Agrees);
        let mut phone = world.phone("sloppy phone", Sloppy { passkeys, info, replies });
        let outcome = ceremony::register(&world.website, &mut world.laptop, &mut phone, "ada").await;
        match outcome.laptop {
            Err(LaptopError::Description(_)) => assert!(info),
            Err(LaptopError::Browser(BrowserError::Phone(webauthn::PhoneError::NotCanonical(_)))) => {
                assert!(replies)
            }
            Ok(()) => assert!(!info && !replies),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_owner_may_decline() {
    let mut world = world().await;
    let mut phone = world.phone("other phone", passkeys_of(Owner::Declines));
    let outcome = ceremony::register(&world.website, &mut world.laptop, &mut phone, "ada").await;
    assert!(
        matches!(outcome.laptop, Err(LaptopError::Session(Error::Refused(Status::OPERATION_DENIED)))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_phone_without_a_passkey_does_not_sign_in() {
    let mut world = world().await;
    let outcome = world.sign_in().await;
    assert!(
        matches!(outcome.laptop, Err(LaptopError::Session(Error::Refused(Status::NO_CREDENTIALS)))),
        "{outcome:?}"
    );
    // A passkey that was made for another site of the same name does not help.
    let mut elsewhere = World::new(WorldOptions::default()).await.unwrap();
    elsewhere.register("ada").await.laptop.unwrap();
    let outcome = ceremony::sign_in(&world.website, &mut elsewhere.laptop, &mut elsewhere.phone).await;
    let refused = matches!(outcome.laptop, Err(LaptopError::Website(RelyingPartyError::UnknownCredential)));
    assert!(refused, "{outcome:?}");
}

#[tokio::test]
async fn a_laptop_without_bluetooth_shows_no_code() {
    let mut world = world().await;
    let radio = world.air.device("broken radio");
    radio.set_adapter(Adapter::PoweredOff);
    world.laptop.radio = Arc::new(radio);
    let outcome = world.register("ada").await;
    assert!(matches!(outcome.laptop, Err(LaptopError::Session(Error::Radio(_)))), "{outcome:?}");
    assert!(matches!(outcome.phone, Err(PhoneError::NothingToScan)), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn two_tunnel_services_do_not_meet() {
    let mut world = world().await;
    world.laptop.dialer = Arc::new(MemoryService::new());
    let outcome = world.register("ada").await;
    assert!(matches!(outcome.laptop, Err(LaptopError::Session(Error::Tunnel { .. }))), "{outcome:?}");
    let phone = outcome.phone;
    assert!(
        matches!(phone, Err(PhoneError::Session(hybridge_authenticator::Error::NobodyCame(_)))),
        "{phone:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_meets_in_dead_air() {
    let options = WorldOptions { loss: Probability::ALWAYS, ..WorldOptions::default() };
    let outcome = World::new(options).await.unwrap().register("ada").await;
    assert!(matches!(outcome.laptop, Err(LaptopError::Session(Error::NobodyScanned))), "{outcome:?}");
    let phone = outcome.phone;
    assert!(
        matches!(phone, Err(PhoneError::Session(hybridge_authenticator::Error::NobodyCame(_)))),
        "{phone:?}"
    );
}

#[tokio::test]
async fn the_tunnel_service_sees_tunnel_ids_and_nothing_of_the_code() {
    let (journal, mut entries) = Journal::begin();
    let options = WorldOptions { journal, ..WorldOptions::default() };
    let mut world = World::new(options).await.unwrap();
    world.register("ada").await.laptop.unwrap();
    let mut codes = Vec::new();
    while let Ok(entry) = entries.try_recv() {
        if let Event::Laptop(LaptopEvent::Shows(shown)) = entry.event {
            let text = hybridge_picture::from_png(&shown.png).unwrap();
            codes.push(QrCode::parse(&text).unwrap());
        }
    }
    let [code] = codes.as_slice() else { panic!("{} codes", codes.len()) };
    let seen = world.tunnel_service.seen();
    assert_eq!(seen.requests(), 2);
    assert!(seen.contains(code.secret.tunnel_id().to_hex().as_bytes()));
    assert!(!seen.contains_any_run(code.secret.expose_bytes(), 6));
    assert!(seen.message_lengths().len() >= 5, "{:?}", seen.message_lengths());
}
