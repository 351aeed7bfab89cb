//! Every way in which a session of a phone fails, told apart.

use std::{error::Error as _, time::Duration};

use hybridge_authenticator::{AuthenticatorError, DomainId, Error, Progress, StartError};
use hybridge_ble::{RadioError, sim::Adapter};
use hybridge_proto::{
    channel::DialFailure,
    handshake::HandshakeError,
    keys::{PrivateKey, QrSecret},
    qr::{QrCode, QrError},
};
use hybridge_tunnel::{ChannelError, CloseCode, DialError, Dialer};
use tokio::time::Instant;

use crate::{laptop::Laptop, world::*};

#[tokio::test(start_paused = true)]
async fn a_text_that_is_no_code_causes_no_traffic() {
    for (text, problem) in
        [("https://demo.example", QrError::Prefix), ("FIDO:/", QrError::Empty), ("", QrError::Prefix)]
    {
        let (world, service) = (World::new(), Scripted::replying([0]));
        let outcome = world.answer(text, &service).outcome().await;
        assert!(matches!(outcome, Err(Error::Code(error)) if error == problem), "{outcome:?}");
        assert_eq!((world.dialer.dials(), service.infos()), (0, 0));
    }
    let (world, service) = (World::new(), Scripted::replying([0]));
    let outcome = world.answer("FIDO:/123", &service).outcome().await;
    assert!(matches!(outcome, Err(Error::Code(QrError::Cbor(_)))), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_service_without_a_host_or_unknown_to_the_client() {
    let secret = QrSecret::from_bytes(&[7; 16]);
    let mut old = QrCode::new(*PrivateKey::from_seed(b"old").public_key(), secret);
    old.known_domains = Some(1);
    let old = old.to_uri();
    for (code, domain, problem) in [
        (Laptop::new().code.as_str(), 200, StartError::UnknownToClient(DomainId::new(200))),
        (old.expose_text(), 1, StartError::UnknownToClient(DomainId::APPLE)),
    ] {
        let world = World::new();
        let mut authenticator = world.authenticator();
        authenticator.domain = DomainId::new(domain);
        let phone = world.answer_with(authenticator, code, &Scripted::replying([0]));
        let outcome = phone.outcome().await;
        assert!(matches!(outcome, Err(Error::Start(error)) if error == problem), "{outcome:?}");
        assert_eq!(world.dialer.dials(), 0);
        world.nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_radio_that_cannot_advertise() {
    for (adapter, text) in [
        (Adapter::Missing, "no Bluetooth adapter"),
        (Adapter::PoweredOff, "Bluetooth is off"),
        (Adapter::ScanOnly, "cannot advertise"),
    ] {
        let world = World::new();
        world.phone.set_adapter(adapter);
        let mut phone = world.answer(&Laptop::new().code, &Scripted::replying([0]));
        assert_eq!(phone.steps.recv().await, Some(Progress::Connecting));
        assert_eq!(phone.steps.recv().await, None);
        let error = phone.outcome().await.unwrap_err();
        assert!(matches!(error, Error::Radio(_)) && error.to_string().contains(text), "{error}");
        assert!(error.source().unwrap().is::<RadioError>());
        world.nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_tunnel_is_taken() {
    let world = World::new();
    world.dialer.script([Answer::Refuse(409)]);
    let error = world.answer(&Laptop::new().code, &Scripted::replying([0])).outcome().await.unwrap_err();
    let refused = AuthenticatorError::Dial(DialFailure::Refused(409));
    assert!(matches!(error, Error::Tunnel { error, .. } if error == refused), "{error}");
    let cause: &DialError = error.source().unwrap().downcast_ref().unwrap();
    assert!(matches!(cause, DialError::Refused { status: 409, .. }));
    assert_eq!(world.dialer.dials(), 1);
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn the_tunnel_service_is_out_of_reach() {
    let world = World::new();
    world.dialer.script([Answer::Unreachable, Answer::Unreachable]);
    let error = world.answer(&Laptop::new().code, &Scripted::replying([0])).outcome().await.unwrap_err();
    let unreachable = AuthenticatorError::Dial(DialFailure::Unreachable);
    assert!(matches!(error, Error::Tunnel { error, source: Some(_) } if error == unreachable));
    assert_eq!(world.dialer.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_tunnel_service_does_not_answer() {
    let world = World::new();
    world.dialer.script([Answer::Hang, Answer::Hang]);
    let start = Instant::now();
    let error = world.answer(&Laptop::new().code, &Scripted::replying([0])).outcome().await.unwrap_err();
    let late = AuthenticatorError::DialTimeout;
    assert!(matches!(error, Error::Tunnel { error, source: None } if error == late), "{error}");
    assert_eq!(start.elapsed(), Duration::from_secs(20), "two tries of ten seconds");
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_passing_fault_of_the_tunnel_service_is_not_noticed() {
    for answer in [Answer::Refuse(502), Answer::Unreachable, Answer::Hang] {
        let (world, mut laptop) = (World::new(), Laptop::new());
        world.dialer.script([answer]);
        let _phone = world.answer(&laptop.code, &Scripted::replying([0]));
        laptop.connect(&world).await;
        laptop.ask(&[0x04]).await;
        assert_eq!(laptop.reply().await, [0]);
    }
}

/// A tunnel service that answers without a routing ID is none.
#[tokio::test(start_paused = true)]
async fn a_service_without_routing_ids() {
    struct Nameless(hybridge_tunnel::MemoryService);
    impl Dialer for Nameless {
        async fn dial(
            &self,
            request: &hybridge_proto::service::ServiceRequest,
        ) -> Result<hybridge_tunnel::Dialed, DialError> {
            let mut dialed = self.0.dial(request).await?;
            dialed.routing_id = Err(hybridge_proto::service::RoutingIdError::Missing);
            Ok(dialed)
        }
    }
    let world = World::new();
    let dialer = std::sync::Arc::new(Nameless(world.service.clone()));
    let authenticator =
        hybridge_authenticator::Authenticator::new(DOMAIN, std::sync::Arc::new(world.phone.clone()), dialer);
    let phone = world.answer_with(authenticator, &Laptop::new().code, &Scripted::replying([0]));
    let outcome = phone.outcome().await;
    let other = AuthenticatorError::Dial(DialFailure::NotATunnelService);
    assert!(matches!(outcome, Err(Error::Tunnel { error, .. }) if error == other), "{outcome:?}");
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_comes() {
    let world = World::new();
    let mut phone = world.answer(&Laptop::new().code, &Scripted::replying([0]));
    phone.until(Progress::Advertising).await;
    let start = Instant::now();
    let outcome = phone.outcome().await;
    assert!(matches!(outcome, Err(Error::NobodyCame(AuthenticatorError::NobodyCame))), "{outcome:?}");
    assert!((120..=121).contains(&start.elapsed().as_secs()));
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn the_tunnel_ends_before_the_client_says_anything() {
    let (world, mut laptop) = (World::new(), Laptop::new());
    let phone = world.answer(&laptop.code, &Scripted::replying([0]));
    laptop.find(&world).await;
    drop(laptop);
    let outcome = phone.outcome().await;
    assert!(matches!(outcome, Err(Error::NobodyCame(AuthenticatorError::TunnelLost))), "{outcome:?}");
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn somebody_else_comes() {
    for length in [81, 80, 0, 100_000] {
        let (world, mut laptop) = (World::new(), Laptop::new());
        let phone = world.answer(&laptop.code, &Scripted::replying([0]));
        laptop.find(&world).await;
        laptop.send(&vec![4; length]).await;
        let error = phone.outcome().await.unwrap_err();
        let Error::Handshake(AuthenticatorError::Handshake(problem)) = error else { panic!("{error}") };
        let is_length = matches!(problem, HandshakeError::Length(found) if found == length);
        assert_eq!(is_length, length != 81, "{problem}");
        assert!(matches!(laptop.end().await, ChannelError::Closed { code: CloseCode::PROTOCOL }));
        world.nothing_is_left().await;
    }
}
