//! Our phone lets libwebauthn remember it, and answers its calls. webauthn-authenticator-rs remembers nobody.

use std::sync::Arc;

use hybridge_authenticator::{DomainId, IncomingCall, LinkOffer};
use hybridge_proto::{
    ids::{ContactId, LinkId},
    keys::{PrivateKey, RootSecret},
    link::{ClientPayload, LinkingInfo},
};
use hybridge_tunnel::WakeUp;
use webauthn_rs::prelude::Passkey;

use super::laptops::{credential, register, together};
use crate::{
    layers,
    orders::{Event, Order, Way},
    peer,
    phone::Phone,
    process::Peer,
    table::Case,
    web::WAKING,
    website::Website,
    world::World,
};

const PAIR: &str = "our phone x libwebauthn 0.11.0, remembered";

pub(super) fn cases() -> Vec<Case<World>> {
    vec![
        Case::new(PAIR, "linking information is verified and stored", link),
        Case::new(PAIR, "a code that does not ask to link gets no link", no_link),
        Case::new(PAIR, "sign in by calling the phone, three times", call),
        Case::new(PAIR, "410: the laptop forgets the phone", gone),
    ]
}

/// What a phone needs to let itself be remembered, and to answer later.
struct Link {
    identity: Arc<PrivateKey>,
    root: RootSecret,
    contact: ContactId,
    id: LinkId,
}

impl Link {
    fn new(seed: u64) -> Self {
        let mut rng = layers::rng(seed);
        let root = RootSecret::generate(&mut rng);
        let identity = Arc::new(root.identity_seed().private_key());
        let contact = ContactId::new(layers::bytes(&mut rng, 40)).unwrap();
        Self { identity, root, contact, id: LinkId::generate(&mut rng) }
    }

    fn offer(&self) -> LinkOffer {
        let secret = self.root.per_contact(&self.contact).link_secret(&self.id);
        let info =
            LinkingInfo::new(self.contact.clone(), self.id, secret, *self.identity.public_key(), "Anna's");
        LinkOffer { identity: Arc::clone(&self.identity), info }
    }

    fn call(&self, wake_up: &WakeUp) -> IncomingCall {
        let payload = ClientPayload::from_header(&wake_up.client_payload).unwrap();
        assert_eq!(payload.link, self.id);
        let secret = self.root.per_contact(&self.contact).link_secret(&self.id);
        IncomingCall::new(wake_up.tunnel, wake_up.routing, payload, secret, Arc::clone(&self.identity))
    }
}

/// A phone at the service that can wake it.
fn phone(world: &World) -> Phone {
    Phone::new(WAKING, Arc::new(world.air.device("phone")), Arc::new(world.web.waking.clone()))
}

async fn links(peer: &mut Peer) -> usize {
    peer.order(&Order::CountLinks).await;
    match peer.event().await {
        Event::Links(count) => count,
        other => panic!("{other:?}"),
    }
}

/// A website, a laptop that remembers a phone, and the phone.
async fn remembered(world: &World, seed: u64) -> (Website, Peer, Phone, Link, Passkey) {
    let (website, link) = (Website::new(), Link::new(seed));
    let (mut peer, mut phone) = (world.peer(peer::LIBWEBAUTHN), phone(world));
    phone.linking = Some(link.offer());
    let passkey = register(&website, &mut peer, &mut phone, Way::CodeAndLink).await;
    assert_eq!(links(&mut peer).await, 1, "not remembered");
    (website, peer, phone, link, passkey)
}

async fn link(world: World) -> String {
    remembered(&world, 21).await;
    format!("by way of {}", host(WAKING))
}

async fn no_link(world: World) -> String {
    let (mut peer, mut phone) = (world.peer(peer::LIBWEBAUTHN), phone(&world));
    phone.linking = Some(Link::new(22).offer());
    register(&Website::new(), &mut peer, &mut phone, Way::Code).await;
    assert_eq!(links(&mut peer).await, 0);
    String::new()
}

async fn call(world: World) -> String {
    let (website, mut peer, mut phone, link, passkey) = remembered(&world, 23).await;
    let mut calls = world.web.waking.register(link.contact.clone());
    for _ in 0..3 {
        let (options, state) = website.begin_sign_in(std::slice::from_ref(&passkey));
        peer.order(&Order::Get { options, way: Way::Link }).await;
        let wake_up = calls.recv().await.unwrap();
        let event = together(phone.answer_call(link.call(&wake_up)), &mut peer).await;
        assert!(website.finish_sign_in(&state, credential(event)).user_verified());
    }
    "without a code".to_owned()
}

async fn gone(world: World) -> String {
    let (website, mut peer, _, _, passkey) = remembered(&world, 24).await;
    // The service does not know the contact ID: it was never registered, or has been withdrawn.
    let (options, _) = website.begin_sign_in(&[passkey]);
    peer.order(&Order::Get { options, way: Way::Link }).await;
    let event = peer.event().await;
    assert!(matches!(event, Event::Failed(_)), "{event:?}");
    assert_eq!(links(&mut peer).await, 0, "still remembered");
    String::new()
}

fn host(domain: DomainId) -> String {
    domain.host().unwrap()
}
