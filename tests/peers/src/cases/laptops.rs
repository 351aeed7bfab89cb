//! Our phone, and the laptops of others.

use hybridge_authenticator::{DomainId, Error};
use hybridge_proto::qr::QrCode;
use serde_json::Value;
use webauthn_rs::prelude::Passkey;

use crate::{
    orders::{Event, Order, Way},
    peer,
    phone::Phone,
    process::Peer,
    table::Case,
    web::{APPLE, GOOGLE, HASHED},
    website::Website,
    world::World,
};

/// One laptop.
#[derive(Debug, Clone, Copy)]
struct Laptop {
    name: &'static str,
    pair: &'static str,
    /// Whether it writes IDs into paths in upper case.
    upper_case: bool,
    /// Whether it passes on the user's ID that comes with a signature.
    tells_user: bool,
}

const LAPTOPS: [Laptop; 2] = [
    Laptop {
        name: peer::LIBWEBAUTHN,
        pair: "our phone x libwebauthn 0.11.0",
        upper_case: false,
        tells_user: true,
    },
    Laptop {
        name: peer::WEBAUTHN_LAPTOP,
        pair: "our phone x webauthn-authenticator-rs 0.6.2 (client)",
        upper_case: true,
        tells_user: false,
    },
];

/// The ceremonies in a row of one laptop.
const ROW: usize = 20;

pub(super) fn cases() -> Vec<Case<World>> {
    let mut cases = Vec::new();
    for laptop in LAPTOPS {
        let pair = laptop.pair;
        for domain in [HASHED, GOOGLE, APPLE] {
            let title = format!("register and sign in, {}", domain.host().unwrap());
            cases.push(Case::new(pair, title, move |world| both(world, laptop, domain)));
        }
        cases.extend([
            Case::new(pair, "sign in without a name", move |world| without_name(world, laptop)),
            Case::new(pair, "excluded credential: CTAP status 0x19", move |world| excluded(world, laptop)),
            Case::new(pair, "unknown credential: CTAP status 0x2e", move |world| unknown(world, laptop)),
            Case::new(pair, "the owner declines: CTAP status 0x27", move |world| declined(world, laptop)),
            Case::new(pair, "advert under 0xfde2", move |world| old_uuid(world, laptop)),
            Case::new(pair, "among the adverts of strangers", move |world| crowded(world, laptop)),
            Case::new(pair, format!("{ROW} ceremonies in a row"), move |world| row(world, laptop)),
        ]);
        if laptop.name == peer::LIBWEBAUTHN {
            cases.push(Case::new(pair, "a code that offers L2CAP, over the tunnel", l2cap_offered));
        }
    }
    cases
}

/// One ceremony of a laptop with our phone, which has to be content too.
pub(super) async fn meet(laptop: &mut Peer, phone: &mut Phone, order: &Order) -> Event {
    laptop.order(order).await;
    let code = laptop.code().await;
    together(phone.answer(&code), laptop).await
}

/// Waits for both. A laptop that has failed is not waited for by the phone, which would do so for long.
pub(super) async fn together(answer: impl Future<Output = Result<(), Error>>, laptop: &mut Peer) -> Event {
    let event = async {
        match laptop.event().await {
            Event::Failed(reason) => Err(format!("laptop: {reason}")),
            event => Ok(event),
        }
    };
    let answer = async { answer.await.map_err(|error| format!("phone: {error}")) };
    match tokio::try_join!(answer, event) {
        Ok(((), event)) => event,
        Err(reason) => panic!("{reason}"),
    }
}

/// What a ceremony gave that has to give something.
pub(super) fn credential(event: Event) -> Value {
    match event {
        Event::Credential(credential) => credential,
        other => panic!("no credential: {other:?}"),
    }
}

/// Makes a passkey that the website verifies.
pub(super) async fn register(website: &Website, laptop: &mut Peer, phone: &mut Phone, way: Way) -> Passkey {
    let (options, state) = website.begin_registration(&[]);
    let event = meet(laptop, phone, &Order::Create { options, way }).await;
    website.finish_registration(&state, credential(event))
}

/// Signs in with a passkey that is named.
async fn sign_in(website: &Website, laptop: &mut Peer, phone: &mut Phone, passkey: &Passkey) {
    let (options, state) = website.begin_sign_in(std::slice::from_ref(passkey));
    let event = meet(laptop, phone, &Order::Get { options, way: Way::Code }).await;
    let signed_in = website.finish_sign_in(&state, credential(event));
    assert!(signed_in.user_verified(), "the user was not verified");
}

async fn both(world: World, laptop: Laptop, domain: DomainId) -> String {
    let (website, mut phone, mut peer) = (Website::new(), world.phone(domain), world.peer(laptop.name));
    let passkey = register(&website, &mut peer, &mut phone, Way::Code).await;
    sign_in(&website, &mut peer, &mut phone, &passkey).await;
    let seen = world.web.take_seen();
    let joins: Vec<_> = seen.iter().filter(|seen| seen.path.starts_with("/cable/connect/")).collect();
    assert_eq!(joins.len(), 2, "{seen:?}");
    for join in joins {
        assert_eq!(join.host, domain.host().unwrap());
        let ids = join.path.trim_start_matches("/cable/connect/");
        let other_case = |letter: char| {
            if laptop.upper_case { letter.is_ascii_lowercase() } else { letter.is_ascii_uppercase() }
        };
        assert!(!ids.contains(other_case), "{ids}");
    }
    format!("path in {} case", if laptop.upper_case { "upper" } else { "lower" })
}

async fn without_name(world: World, laptop: Laptop) -> String {
    let (website, mut phone, mut peer) = (Website::new(), world.phone(HASHED), world.peer(laptop.name));
    let passkey = register(&website, &mut peer, &mut phone, Way::Code).await;
    let (options, state) = website.begin_sign_in_without_name();
    let event = meet(&mut peer, &mut phone, &Order::Get { options, way: Way::Code }).await;
    let credential = credential(event);
    if laptop.tells_user {
        website.identify(&passkey, &credential);
    }
    let signed_in = website.finish_sign_in_without_name(state, &passkey, credential);
    assert!(signed_in.user_verified(), "the user was not verified");
    format!("user ID {}", if laptop.tells_user { "passed on" } else { "dropped by the laptop" })
}

async fn excluded(world: World, laptop: Laptop) -> String {
    let (website, mut phone, mut peer) = (Website::new(), world.phone(HASHED), world.peer(laptop.name));
    let passkey = register(&website, &mut peer, &mut phone, Way::Code).await;
    let (options, _) = website.begin_registration(&[&passkey]);
    let event = meet(&mut peer, &mut phone, &Order::Create { options, way: Way::Code }).await;
    assert_eq!(event, Event::Refused(0x19));
    String::new()
}

async fn unknown(world: World, laptop: Laptop) -> String {
    let (website, mut phone, mut peer) = (Website::new(), world.phone(HASHED), world.peer(laptop.name));
    let passkey = register(&website, &mut peer, &mut phone, Way::Code).await;
    let mut empty = world.phone(HASHED);
    let (options, _) = website.begin_sign_in(&[passkey]);
    let event = meet(&mut peer, &mut empty, &Order::Get { options, way: Way::Code }).await;
    assert_eq!(event, Event::Refused(0x2e));
    String::new()
}

async fn declined(world: World, laptop: Laptop) -> String {
    let (website, mut phone, mut peer) = (Website::new(), world.phone(HASHED), world.peer(laptop.name));
    phone.owner.declines();
    let (options, _) = website.begin_registration(&[]);
    let event = meet(&mut peer, &mut phone, &Order::Create { options, way: Way::Code }).await;
    assert_eq!(event, Event::Refused(0x27));
    String::new()
}

async fn old_uuid(world: World, laptop: Laptop) -> String {
    let mut phone = world.phone(HASHED).with_old_uuid();
    register(&Website::new(), &mut world.peer(laptop.name), &mut phone, Way::Code).await;
    String::new()
}

async fn crowded(world: World, laptop: Laptop) -> String {
    let strangers = world.strangers().await;
    let mut phone = world.phone(HASHED);
    register(&Website::new(), &mut world.peer(laptop.name), &mut phone, Way::Code).await;
    format!("{} strangers", strangers.len())
}

async fn row(world: World, laptop: Laptop) -> String {
    let (website, mut phone, mut peer) = (Website::new(), world.phone(HASHED), world.peer(laptop.name));
    let passkey = register(&website, &mut peer, &mut phone, Way::Code).await;
    for _ in 1..ROW {
        sign_in(&website, &mut peer, &mut phone, &passkey).await;
    }
    "by one process".to_owned()
}

async fn l2cap_offered(world: World) -> String {
    let (website, mut phone, mut peer) = (Website::new(), world.phone(HASHED), world.peer(peer::LIBWEBAUTHN));
    let (options, state) = website.begin_registration(&[]);
    peer.order(&Order::Create { options, way: Way::CodeWithL2cap }).await;
    let code = peer.code().await;
    assert_eq!(QrCode::parse(&code).unwrap().effective_channels().numbers(), [0, 1]);
    let event = together(phone.answer(&code), &mut peer).await;
    website.finish_registration(&state, credential(event));
    "the L2CAP socket itself is the kernel's; see the README".to_owned()
}
