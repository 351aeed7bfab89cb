//! Remembered phones: linking in a session with a code, then calls without one.

use std::{sync::Arc, time::Duration};

use hybridge_authenticator::{DomainId, IncomingCall, LinkOffer};
use hybridge_ble::sim::Adapter;
use hybridge_client::{Error, FoundBy, Hint, Link, Progress, Session, SessionConfig};
use hybridge_proto::{
    keys::{LinkSecret, PrivateKey},
    link::{ClientPayload, LinkingInfo},
};
use hybridge_tunnel::WakeUp;
use tokio::{sync::mpsc::UnboundedReceiver, task::JoinHandle, time::Instant};

use crate::support::*;

fn calling(links: Vec<Link>) -> SessionConfig {
    let mut config = config();
    (config.show_code, config.links) = (false, links);
    config
}

/// What a phone makes of a push message.
fn incoming(call: WakeUp) -> IncomingCall {
    let payload = ClientPayload::from_header(&call.client_payload).unwrap();
    assert_eq!(payload.link, link_info(1).link);
    let (secret, identity) = (LinkSecret::from_bytes(&LINK_SECRET), Arc::new(identity()));
    IncomingCall::new(call.tunnel, call.routing, payload, secret, identity)
}

/// A phone that answers one call.
fn answer_call(
    world: &World,
    mut calls: UnboundedReceiver<WakeUp>,
    mut service: Passkeys,
) -> JoinHandle<Result<(), hybridge_authenticator::Error>> {
    let mut authenticator = world.authenticator();
    tokio::spawn(async move {
        let call = incoming(calls.recv().await.unwrap());
        authenticator.answer_call(call, &mut service, |_| {}).await
    })
}

#[tokio::test(start_paused = true)]
async fn a_phone_is_remembered_and_signs_in_without_a_code() {
    let world = World::new();
    let (connecting, screen) = world.connecting(linking_config());
    let mut authenticator = world.authenticator();
    authenticator.linking = Some(link_offer());
    let mut service = passkeys(Owner::Agrees);
    let code = screen.code(0).await;
    let phone = authenticator.answer_code(&code, &mut service, |_| {});
    let laptop = async {
        let mut channel = connecting.await.unwrap().unwrap();
        channel.make_credential(&creation()).await.unwrap();
        channel.close().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(phone, laptop);
    outcome.unwrap();
    assert!(authenticator.linking.is_none());
    let link = screen.link().await;
    assert_eq!(link.info.secret, LinkSecret::from_bytes(&LINK_SECRET));

    let calls = world.service.register(link.info.contact.clone());
    let phone = answer_call(&world, calls, service);
    let (connecting, screen) = world.connecting(calling(vec![link]));
    let mut channel = connecting.await.unwrap().unwrap();
    channel.get_assertion(&assertion()).await.unwrap();
    channel.close().await.unwrap();
    phone.await.unwrap().unwrap();
    assert_eq!(
        screen.steps(),
        [
            "Scanning",
            "Connecting",
            "PhoneJoined",
            "PhoneNearby",
            "Handshaking",
            "Connected",
            "WaitingForPhone"
        ]
    );
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn links_are_refused_where_they_are_not_wanted_or_do_not_hold() {
    let offers = || [(config(), link_offer()), (linking_config(), forged_offer())];
    for ((config, offer), expected) in offers().into_iter().zip([None, Some("LinkRefused")]) {
        let world = World::new();
        let (connecting, screen) = world.connecting(config);
        let code = screen.code(0).await;
        let mut authenticator = world.authenticator();
        authenticator.linking = Some(offer);
        let mut service = Scripted::replying([0]);
        let phone = authenticator.answer_code(&code, &mut service, |_| {});
        let laptop = async {
            let mut channel = connecting.await.unwrap().unwrap();
            channel.raw(&[0x04]).await.unwrap();
            channel.close().await.unwrap();
        };
        let (outcome, ()) = tokio::join!(phone, laptop);
        outcome.unwrap();
        let steps = screen.steps();
        assert!(!steps.contains(&"Linked".to_owned()), "{steps:?}");
        assert_eq!(steps.contains(&"LinkRefused".to_owned()), expected.is_some());
        // A client that cannot remember phones leaves the offer with the phone.
        assert_eq!(authenticator.linking.is_some(), expected.is_none());
    }
}

/// Signed with another key than the one that stands in it.
fn forged_offer() -> LinkOffer {
    let identity = Arc::new(PrivateKey::from_seed(b"another phone"));
    LinkOffer { identity, info: link_info(1) }
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_has_forgotten_us_is_told_by_its_call() {
    let world = World::new();
    let _calls = world.service.register(link_info(2).contact);
    let links = vec![link(1), link(2)];
    let session = world.session_with(calling(links));
    let calls = session.calls().to_vec();
    assert_eq!(calls.len(), 2);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let connecting = tokio::spawn(session.connect(move |step| drop(tell.send(step))));
    let gone = loop {
        match told.recv().await.unwrap() {
            Progress::LinkGone(call) => break call,
            Progress::Connecting(FoundBy::Call(call)) => assert!(calls.contains(&call)),
            Progress::Connecting(other) => panic!("{other:?}"),
            _ => {}
        }
    };
    assert_eq!(calls.iter().position(|call| *call == gone), Some(0));
    // The other phone is switched off.
    let start = Instant::now();
    assert!(matches!(connecting.await.unwrap(), Err(Error::NoAnswer)));
    assert_eq!(start.elapsed(), Duration::from_secs(120));
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn forgotten_by_the_only_phone() {
    let world = World::new();
    let (connecting, screen) = world.connecting(calling(vec![link(1)]));
    let start = Instant::now();
    assert!(matches!(connecting.await.unwrap(), Err(Error::LinkGone)));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(screen.steps(), ["Scanning", "Connecting", "LinkGone", "AttemptFailed"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_keeps_the_link() {
    let world = World::new();
    world.dialer.script([Answer::Refuse(500), Answer::Refuse(500)]);
    let (connecting, screen) = world.connecting(calling(vec![link(1)]));
    let error = connecting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Tunnel { source: Some(_), .. }), "{error}");
    assert!(!screen.steps().contains(&"LinkGone".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_code_serves_where_the_called_phone_does_not_come() {
    let world = World::new();
    let mut config = config();
    config.links = vec![link(1)];
    let (connecting, screen) = world.connecting(config);
    let phone = world.answer(screen.code(0).await, Scripted::replying([0]));
    let channel = connecting.await.unwrap().unwrap();
    assert!(screen.steps().contains(&"LinkGone".to_owned()));
    channel.close().await.unwrap();
    phone.await.unwrap().1.unwrap();
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_called_phone_serves_where_nobody_scans_the_code() {
    let world = World::new();
    let calls = world.service.register(link_info(1).contact);
    let phone = answer_call(&world, calls, passkeys(Owner::Agrees));
    let mut config = SessionConfig::new(Hint::MakeCredential);
    config.links = vec![link(1)];
    let (connecting, screen) = world.connecting(config);
    let mut channel = connecting.await.unwrap().unwrap();
    channel.make_credential(&creation()).await.unwrap();
    channel.close().await.unwrap();
    phone.await.unwrap().unwrap();
    let steps = screen.steps();
    assert_eq!(steps.iter().filter(|step| *step == "HideQr").count(), 1, "{steps:?}");
    world.nothing_is_left().await;
}

#[tokio::test(start_paused = true)]
async fn a_called_phone_without_a_radio_gives_up() {
    let world = World::new();
    let calls = world.service.register(link_info(1).contact);
    world.phone.set_adapter(Adapter::ScanOnly);
    let phone = answer_call(&world, calls, passkeys(Owner::Agrees));
    let (connecting, _screen) = world.connecting(calling(vec![link(1)]));
    assert!(matches!(phone.await.unwrap(), Err(hybridge_authenticator::Error::Radio(_))));
    let error = connecting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Handshake(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_ends_the_call() {
    let world = World::new();
    let mut calls = world.service.register(link_info(1).contact);
    let (connecting, screen) = world.connecting(calling(vec![link(1)]));
    let call = calls.recv().await.unwrap();
    screen.until("Connecting").await;
    connecting.abort();
    world.nothing_is_left().await;
    let mut authenticator = world.authenticator();
    let mut service = Scripted::replying([0]);
    let outcome = authenticator.answer_call(incoming(call), &mut service, |_| {}).await;
    assert!(matches!(outcome, Err(hybridge_authenticator::Error::Tunnel { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_link_to_an_unassigned_service_is_refused_at_the_start() {
    let world = World::new();
    let unassigned = Link::new(
        DomainId::new(77),
        LinkingInfo::new(
            link_info(1).contact,
            link_info(1).link,
            LinkSecret::from_bytes(&LINK_SECRET),
            *identity().public_key(),
            "phone",
        ),
    );
    let started =
        Session::start(calling(vec![unassigned]), Arc::new(world.laptop.clone()), world.dialer.clone());
    assert!(matches!(started, Err(Error::Link(_))));
    world.nothing_is_left().await;
}

#[test]
fn outside_a_runtime_there_is_no_session() {
    let laptop = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (radio, dialer) = laptop.block_on(async {
        let world = World::new();
        (world.laptop.clone(), world.dialer.clone())
    });
    assert!(matches!(Session::start(config(), Arc::new(radio), dialer), Err(Error::NoRuntime)));
}
