//! Remembered phones: links that are not what they claim, and calls that somebody else answers.

use std::{sync::Arc, time::Duration};

use hybridge_authenticator::{IncomingCall, LinkOffer};
use hybridge_client::{AttemptError, Error as LaptopError, Link, Progress};
use hybridge_proto::{
    channel::DialFailure,
    handshake::{HandshakeError, HandshakeHash},
    ids::{ContactId, LinkId},
    keys::{LinkSecret, PrivateKey, PublicKey},
    link::{ClientPayload, LinkError, LinkingInfo},
    message::{Message, Update},
    qr::QrCode,
    service::{ServicePath, ServiceRequest},
};
use hybridge_tunnel::{DialError, Dialer, MemoryService, WakeUp};
use rand_core::CryptoRng;

use super::{
    Failure, Verdict,
    failure::{Setup, only},
    hostile_laptop::until_hung_up,
    hostile_phone::{Connected, GET_INFO, HostilePhone},
    hostile_service::HostileService,
    laptop::{self, Laptop, SigningIn},
    network::{Directory, stand_up},
    noise::{Handshake, Pattern, message, parts},
    phone,
    report::Refusal,
    scene::{HOME, SERVICE, Scene},
};

/// A phone's half of a link, beside what it tells the laptop.
pub(super) struct Remembered {
    link: Link,
    secret: [u8; 32],
    identity: Arc<PrivateKey>,
}

fn contact() -> Result<ContactId, Setup> {
    Ok(ContactId::new(*b"where the phone can be called")?)
}

/// Linking information of the phone with this identity key.
fn linking_info(secret: &[u8; 32], identity: &PrivateKey) -> Result<LinkingInfo, Setup> {
    let (link, secret) = (LinkId::from_bytes([7; 8]), LinkSecret::from_bytes(secret));
    Ok(LinkingInfo::new(contact()?, link, secret, *identity.public_key(), "Ada's phone"))
}

fn link_parts(rng: &mut dyn CryptoRng) -> ([u8; 32], Arc<PrivateKey>) {
    let mut secret = [0; 32];
    rng.fill_bytes(&mut secret);
    (secret, Arc::new(PrivateKey::generate(rng)))
}

impl Remembered {
    /// A link from a session in the past.
    fn of(scene: &Scene) -> Result<Self, Setup> {
        let (secret, identity) = link_parts(&mut *scene.rng("phone's links"));
        let link = Link::new(SERVICE, linking_info(&secret, &identity)?);
        Ok(Self { link, secret, identity })
    }
}

/// The owner signs in with a code, and lets the laptop remember the phone.
pub(super) async fn remember_phone(scene: &Scene) -> Result<Remembered, Failure> {
    let (secret, identity) = link_parts(&mut *scene.rng("phone's links"));
    let mut laptop = scene.laptop()?;
    laptop.config.accept_linking = true;
    let mut laptop = laptop.sign_in();
    let mut phone = scene.phone()?;
    let info = linking_info(&secret, &identity)?;
    phone.linking = Some(LinkOffer { identity: Arc::clone(&identity), info });
    let phone = phone.answer(laptop.code().await?);
    let mut ended = laptop.end().await?;
    phone.end().await?.satisfied()?;
    let linked = ended.progress.iter().position(|progress| matches!(progress, Progress::Linked(_)));
    let linked = linked.map(|position| ended.progress.swap_remove(position));
    ended.signed_in()?;
    match linked {
        Some(Progress::Linked(link)) => Ok(Remembered { link: *link, secret, identity }),
        _ => Err(Setup::from("the laptop was offered no link").into()),
    }
}

/// The laptop calls the phone it remembers, and the owner signs in without a code.
pub(super) async fn call_remembered_phone(
    scene: &Scene,
    remembered: Remembered,
) -> Result<(laptop::Ended, phone::Ended), Setup> {
    let service = MemoryService::new();
    let mut calls = service.register(contact()?);
    let directory = Directory::of([(SERVICE, Arc::new(service))])?;
    let laptop = calling(scene.laptop()?.dialing(directory.clone()), remembered.link).sign_in();
    let call = calls.recv().await.ok_or("nobody called")?;
    let payload = ClientPayload::from_header(&call.client_payload)?;
    let secret = LinkSecret::from_bytes(&remembered.secret);
    let call = IncomingCall::new(call.tunnel, call.routing, payload, secret, remembered.identity);
    let phone = scene.phone()?.dialing(SERVICE, directory).answer_call(call);
    Ok((laptop.end().await?, phone.end().await?))
}

/// Shows no code and calls instead.
fn calling(mut laptop: Laptop, link: Link) -> Laptop {
    laptop.config.show_code = false;
    laptop.config.links = vec![link];
    laptop
}

/// The owner's laptop, ready to remember phones, connected to the attacker's.
async fn offered(scene: &Scene) -> Result<(SigningIn, Connected, QrCode, HostilePhone), Setup> {
    let mut laptop = scene.laptop()?;
    laptop.config.accept_linking = true;
    let mut laptop = laptop.sign_in();
    let code = laptop.code().await?;
    let mut phone = HostilePhone::at(scene, HOME)?;
    let connected = phone.pose(&code, GET_INFO.to_vec()).await?;
    Ok((laptop, connected, QrCode::parse(&code)?, phone))
}

/// What the laptop makes of linking information whose owner is not the phone of this session.
async fn refused_link(mut laptop: SigningIn, mut phone: Connected, info: &[u8]) -> Verdict {
    let update = Update { linking_info: Some(info) };
    phone.send(&Message::Update(update.encode()).encode()).await?;
    // The session goes on, so the phone can still say no.
    phone.receive().await?;
    phone.send(&[1, 0x27]).await?;
    laptop.until(|progress| matches!(progress, Progress::LinkRefused(_) | Progress::Linked(_))).await?;
    phone.until_hung_up().await;
    let ended = laptop.end().await?;
    let error = ended.progress.iter().find_map(|progress| match progress {
        Progress::LinkRefused(error) => Some(*error),
        _ => None,
    });
    let error = error.ok_or(Failure::Succeeded("the laptop stored a false link".to_owned()))?;
    let refusal = only!(Refusal::Link(error), Refusal::Link(LinkError::Signature))?;
    only!(ended.refusal()?, Refusal::Laptop(LaptopError::Refused(_)))?;
    Ok(vec![refusal])
}

/// The identity key in the link is the owner's, so that later calls would go to the owner's phone.
pub(super) async fn forged_link(scene: &Scene) -> Verdict {
    scene.did("answers the code, and offers a link with the owner's identity key, signed with its own");
    let owner = Remembered::of(scene)?;
    let (laptop, phone, code, mut attacker) = offered(scene).await?;
    let own = PrivateKey::generate(&mut *attacker.rng);
    let info = linking_info(&owner.secret, &owner.identity)?;
    let info = info.encode(&own, &code.public_key, &phone.keys.hash);
    refused_link(laptop, phone, &info).await
}

/// The owner's phone has signed it, for another session.
pub(super) async fn replayed_link(scene: &Scene) -> Verdict {
    scene.did("answers the code, and offers a link that the owner's phone signed in another session");
    let owner = Remembered::of(scene)?;
    let (laptop, phone, code, _) = offered(scene).await?;
    let earlier = HandshakeHash::from_bytes(&[0x5a; 32]);
    let info = linking_info(&owner.secret, &owner.identity)?;
    let info = info.encode(&owner.identity, &code.public_key, &earlier);
    refused_link(laptop, phone, &info).await
}

/// Whoever holds the link's secret can be called and can advertise: another browser of the owner's, say. But it has
/// not the phone's identity key.
pub(super) async fn wrong_identity_key(scene: &Scene) -> Verdict {
    scene.did("knows the link's secret, answers the laptop's call, advertises, and shakes hands with a key of its own");
    let remembered = Remembered::of(scene)?;
    let secret = LinkSecret::from_bytes(&remembered.secret);
    let service = MemoryService::new();
    let mut calls = service.register(contact()?);
    let directory = Directory::of([(SERVICE, Arc::new(service))])?;
    let laptop = calling(scene.laptop()?.dialing(directory.clone()), remembered.link).sign_in();
    let call = calls.recv().await.ok_or(Setup::from("nobody called"))?;
    let mut attacker = HostilePhone::at(scene, HOME)?;
    answer_call(&mut attacker, &directory, &call, &secret).await?;
    let refusal =
        laptop.end().await?.failed_handshake(AttemptError::Handshake(HandshakeError::Authentication))?;
    Ok(vec![refusal])
}

/// Plays the called phone without its identity key.
async fn answer_call(
    attacker: &mut HostilePhone,
    directory: &Directory,
    call: &WakeUp,
    secret: &LinkSecret,
) -> Result<(), Setup> {
    let path = ServicePath::Connect { routing: call.routing, tunnel: call.tunnel };
    let mut channel = directory.dial(&ServiceRequest::new(SERVICE, path)?).await?.channel;
    let payload = ClientPayload::from_header(&call.client_payload)?;
    let plaintext = attacker.plaintext(call.routing, SERVICE);
    let _advert = attacker.advertise(&secret.eid_key(&payload.nonce), &plaintext).await?;
    let message_1 = channel.receive().await?;
    let (laptop, _) = parts(&message_1).ok_or("no message 1")?;

    let (own, fresh) = (PrivateKey::generate(&mut *attacker.rng), PrivateKey::generate(&mut *attacker.rng));
    let mut state =
        Handshake::start(Pattern::Link, own.public_key().to_uncompressed(), &secret.psk(&plaintext));
    state.ephemeral(laptop);
    let laptop = PublicKey::from_uncompressed(laptop)?;
    state.mix_key(own.diffie_hellman(&laptop).expose_bytes());
    // It cannot verify the tag of message 1, and goes on.
    state.tag();
    let point = fresh.public_key().to_uncompressed();
    state.ephemeral(point);
    state.mix_key(fresh.diffie_hellman(&laptop).expose_bytes());
    channel.send(&message(point, &state.tag())).await?;
    until_hung_up(&mut channel).await;
    Ok(())
}

/// The connect signal is one byte from the tunnel service. It is for the display, and opens nothing.
pub(super) async fn false_signal(scene: &Scene) -> Verdict {
    scene.did(
        "takes the laptop's call, tells the phone nothing, and tells the laptop that the phone has come",
    );
    let standing = stand_up(SERVICE, HostileService::forwarding())?;
    let directory = Directory::of([(SERVICE, Arc::new(standing.dialer))])?;
    let mut laptop = calling(scene.laptop()?.dialing(directory), Remembered::of(scene)?.link);
    laptop.config.timing.call = Duration::from_secs(1);
    let ended = laptop.sign_in().end().await?;
    if ended.count(|progress| matches!(progress, Progress::PhoneJoined(_))) != 1 {
        return Err(Setup::from("the laptop heard no signal").into());
    }
    if ended.count(|progress| matches!(progress, Progress::Handshaking(_))) > 0 {
        return Err(Failure::Succeeded("the laptop shook hands without an advert".to_owned()));
    }
    let timed_out = |progress: &Progress| {
        matches!(progress, Progress::AttemptFailed { error: AttemptError::CallTimeout, .. })
    };
    if ended.count(timed_out) != 1 {
        return Err(Setup::from("the call did not run out of time").into());
    }
    Ok(vec![only!(ended.refusal()?, Refusal::Laptop(LaptopError::NoAnswer))?])
}

/// "This phone is gone for good" makes a laptop forget a link, so it counts only from the tunnel service itself.
pub(super) async fn false_gone(scene: &Scene) -> Verdict {
    scene.did("stands in the network before the tunnel service, without its certificate, and says 410");
    let service =
        HostileService::answering(|_| Some("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n".to_owned()));
    let standing = stand_up(SERVICE, service)?;
    let directory = Directory::of([(SERVICE, Arc::new(standing.suspicious))])?;
    let ended =
        calling(scene.laptop()?.dialing(directory), Remembered::of(scene)?.link).sign_in().end().await?;
    if ended.count(|progress| matches!(progress, Progress::LinkGone(_))) > 0 {
        return Err(Failure::Succeeded("the laptop forgot the link".to_owned()));
    }
    Ok(vec![untrusted(ended.refusal()?)?])
}

/// No connection, since nobody vouches for the host.
pub(super) fn untrusted(refusal: Refusal) -> Result<Refusal, Failure> {
    let unreachable = AttemptError::Dial(DialFailure::Unreachable);
    only!(
        refusal,
        Refusal::Laptop(LaptopError::Tunnel { error, source: Some(source) })
            if *error == unreachable && matches!(source, DialError::Tls(_))
    )
}
