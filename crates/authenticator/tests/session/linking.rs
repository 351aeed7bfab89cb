//! Being remembered, and being called.

use std::sync::Arc;

use hybridge_authenticator::{DomainId, Error, IncomingCall, LinkOffer, Progress, StartError};
use hybridge_proto::{
    client::{Event, Link},
    ids::{ContactId, LinkId},
    keys::{LinkSecret, PrivateKey},
    link::{ClientPayload, LinkingInfo},
};
use hybridge_tunnel::{CloseCode, WakeUp};

use crate::{laptop::Laptop, world::*};

const SECRET: [u8; 32] = [0x5E; 32];

fn identity() -> PrivateKey {
    PrivateKey::from_seed(b"a phone")
}

fn info() -> LinkingInfo {
    let contact = ContactId::new([1, 2, 3]).unwrap();
    let secret = LinkSecret::from_bytes(&SECRET);
    LinkingInfo::new(contact, LinkId::from_bytes([8; 8]), secret, *identity().public_key(), "Ada's phone")
}

fn incoming(call: &WakeUp) -> IncomingCall {
    let payload = ClientPayload::from_header(&call.client_payload).unwrap();
    let secret = LinkSecret::from_bytes(&SECRET);
    IncomingCall::new(call.tunnel, call.routing, payload, secret, Arc::new(identity()))
}

#[tokio::test(start_paused = true)]
async fn an_offer_goes_to_the_next_client_that_can_use_it() {
    let world = World::new();
    let mut authenticator = world.authenticator();
    authenticator.linking = Some(LinkOffer { identity: Arc::new(identity()), info: info() });
    let mut service = Scripted::replying([0]);
    for (mut laptop, linked) in
        [(Laptop::new(), false), (Laptop::remembering(), true), (Laptop::remembering(), false)]
    {
        let code = laptop.code.clone();
        let phone = authenticator.answer_code(&code, &mut service, |_| {});
        let laptop = async {
            laptop.connect(&world).await;
            laptop.ask(&[0x04]).await;
            let mut told = Vec::new();
            while !told.iter().any(|event| matches!(event, Event::CtapReply(_))) {
                told.extend(laptop.receive().await);
            }
            laptop.close(CloseCode::NORMAL).await;
            told.iter().filter(|event| matches!(event, Event::Linked(_))).count()
        };
        let (outcome, links) = tokio::join!(phone, laptop);
        outcome.unwrap();
        assert_eq!(links, usize::from(linked));
    }
    assert!(authenticator.linking.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_call_is_answered() {
    let world = World::new();
    let mut calls = world.service.register(info().contact);
    let mut laptop = Laptop::calling(&world, Link::new(DOMAIN, info())).await;
    let call = calls.recv().await.unwrap();
    let mut authenticator = world.authenticator();
    // In a call it stays where it is.
    authenticator.linking = Some(LinkOffer { identity: Arc::new(identity()), info: info() });
    let mut service = Scripted::replying([0x00, 0xA0]);
    let mut steps = Vec::new();
    let phone = authenticator.answer_call(incoming(&call), &mut service, |step| steps.push(step));
    let laptop = async {
        laptop.receive().await;
        laptop.connect(&world).await;
        laptop.ask(&[0x04]).await;
        assert_eq!(laptop.reply().await, [0x00, 0xA0]);
        laptop.close(CloseCode::NORMAL).await;
    };
    let (outcome, ()) = tokio::join!(phone, laptop);
    outcome.unwrap();
    assert_eq!(steps[..3], [Progress::Connecting, Progress::Advertising, Progress::ClientConnected]);
    assert!(authenticator.linking.is_some());
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_has_given_up_is_not_found() {
    let world = World::new();
    let mut calls = world.service.register(info().contact);
    drop(Laptop::calling(&world, Link::new(DOMAIN, info())).await);
    let call = calls.recv().await.unwrap();
    let mut service = Scripted::replying([0]);
    let outcome = world.authenticator().answer_call(incoming(&call), &mut service, |_| {}).await;
    assert!(matches!(outcome, Err(Error::Tunnel { source: Some(_), .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_needs_a_service_with_a_host() {
    let world = World::new();
    let mut calls = world.service.register(info().contact);
    let _laptop = Laptop::calling(&world, Link::new(DOMAIN, info())).await;
    let call = calls.recv().await.unwrap();
    let mut authenticator = world.authenticator();
    authenticator.domain = DomainId::new(99);
    let outcome = authenticator.answer_call(incoming(&call), &mut Scripted::replying([0]), |_| {}).await;
    assert!(matches!(outcome, Err(Error::Start(StartError::Unassigned(_)))), "{outcome:?}");
}
