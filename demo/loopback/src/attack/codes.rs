//! What can be done with a code: shown to the wrong person, photographed by one, made up.

use std::{sync::Arc, time::Duration};

use hybridge_authenticator::Progress;
use hybridge_client::Error as LaptopError;
use hybridge_proto::{
    advert::AdvertPlaintext,
    cbor::{CborError, CborProblem},
    digits,
    handshake::{HandshakeError, Initiator},
    ids::{AdvertNonce, RoutingId},
    keys::KeyError,
    qr::{QrCode, QrError},
};
use hybridge_tunnel::DialError;
use zeroize::Zeroizing;

use super::{
    Failure, Verdict,
    failure::{Setup, only},
    hostile_laptop::{HostileLaptop, until_hung_up},
    hostile_service::{HostileService, ROUTING},
    messages::nobody_came,
    network::{Directory, stand_up},
    phone::PhoneError,
    report::Refusal,
    scene::{ELSEWHERE, SERVICE, Scene},
};
use crate::relying_party::RelyingPartyError;

/// How long either side looks out for a peer that is out of range.
const SEARCH: Duration = Duration::from_secs(1);

/// The attacker starts a sign-in elsewhere and shows the owner its code, on a page that looks like the real one.
pub(super) async fn relayed_code(scene: &Scene) -> Verdict {
    scene.did("starts a sign-in elsewhere, and gets the owner to scan its code at home");
    let mut laptop = scene.laptop_at(ELSEWHERE, "attacker")?.searching(SEARCH).sign_in();
    let phone = scene.phone()?.advertising(SEARCH).answer(laptop.code().await?);
    let phone = phone.end().await?;
    let laptop = laptop.end().await?;
    Ok(vec![nobody_came(phone)?, only!(laptop.refusal()?, Refusal::Laptop(LaptopError::NobodyScanned))?])
}

/// The code tells the tunnel's ID, but the way to it stands in the advert.
pub(super) async fn relayed_code_connect(scene: &Scene) -> Verdict {
    scene.did(
        "gets the owner to scan a code, and asks the tunnel service for its tunnel with eight routing IDs",
    );
    let mut attacker = HostileLaptop::at(scene, ELSEWHERE)?;
    let code = attacker.make_code();
    let mut phone = scene.phone()?.advertising(SEARCH).answer(code.text());
    phone.until(Progress::Advertising).await?;
    let mut refusals = Vec::new();
    for _ in 0..8 {
        let guess = RoutingId::generate(&mut *attacker.rng);
        let Err(error) = attacker.join(code.secret.tunnel_id(), guess).await else {
            return Err(Failure::Succeeded("the tunnel service let a guess in".to_owned()));
        };
        refusals.push(only!(Refusal::Dial(error), Refusal::Dial(DialError::Refused { status: 404, .. }))?);
    }
    refusals.push(nobody_came(phone.end().await?)?);
    Ok(refusals)
}

/// The tunnel service helps, and tells everything that it knows of the advert. What is left is the nonce.
pub(super) async fn relayed_code_guess(scene: &Scene) -> Verdict {
    scene.did("gets the owner to scan a code, joins its tunnel with the tunnel service's help");
    scene.did("does everything right with an advert that it made up");
    let standing = stand_up(SERVICE, HostileService::forwarding())?;
    let directory = Directory::of([(SERVICE, Arc::new(standing.dialer))])?;
    let mut attacker = HostileLaptop::at(scene, ELSEWHERE)?.dialing(directory.clone());
    let code = attacker.make_code();
    let mut phone = scene.phone()?.dialing(SERVICE, directory).answer(code.text());
    phone.until(Progress::Advertising).await?;

    let guess = AdvertPlaintext::new(&AdvertNonce::generate(&mut *attacker.rng), ROUTING, SERVICE);
    let mut channel = attacker.join(code.secret.tunnel_id(), ROUTING).await.map_err(Setup::from)?;
    let (_, message_1) =
        Initiator::qr(&code.key, &code.secret.psk(&guess), &mut *attacker.rng).map_err(Setup::from)?;
    channel.send(&message_1).await.map_err(Setup::from)?;
    until_hung_up(&mut channel).await;
    Ok(vec![phone.end().await?.failed_handshake(HandshakeError::Authentication)?])
}

/// Somebody near the laptop photographs the code and is quicker than the owner. This is the one who gets through
/// the handshake, and whom only the website can tell from the owner.
pub(super) async fn photographed_code(scene: &Scene) -> Verdict {
    scene.did("photographs the code on the owner's screen, and answers it with a phone of its own");
    let passkeys = scene.strangers_passkeys().await?;
    let mut laptop = scene.laptop()?.sign_in();
    let phone = scene.phone_of("attacker", passkeys)?.answer(laptop.code().await?);
    let laptop = laptop.end().await?;
    phone.end().await?.satisfied()?;
    Ok(vec![only!(laptop.refusal()?, Refusal::Website(RelyingPartyError::UnknownCredential))?])
}

/// Codes that no laptop shows. A phone refuses them before it says or sends anything.
pub(super) async fn hostile_code(scene: &Scene) -> Verdict {
    scene.did(
        "shows the phone codes that are no code, damaged, badly encoded, short of a field, and off the curve",
    );
    let good = HostileLaptop::at(scene, ELSEWHERE)?.make_code();
    let map = QrCode::parse(&good.text()).map_err(Setup::from)?.to_cbor();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut map = map.to_vec();
        change(&mut map);
        format!("FIDO:/{}", digits::encode(&map))
    };
    let mut refusals = Vec::new();
    refuse(scene, "https://demo.example".to_owned(), |e| matches!(e, QrError::Prefix), &mut refusals).await?;
    refuse(scene, "FIDO:/12x".to_owned(), |e| matches!(e, QrError::Digits(_)), &mut refusals).await?;
    let trailing = with(&|map| map.push(0));
    refuse(
        scene,
        trailing,
        |e| matches!(e, QrError::Cbor(CborError { problem: CborProblem::TrailingBytes, .. })),
        &mut refusals,
    )
    .await?;
    let empty = with(&|map| *map = vec![0xa0]);
    refuse(scene, empty, |e| matches!(e, QrError::Field(0)), &mut refusals).await?;
    // Map head, key 0, byte string head of two bytes, and then the key.
    let infinity = with(&|map| map.iter_mut().skip(5).take(32).for_each(|byte| *byte = 0xff));
    refuse(scene, infinity, |e| matches!(e, QrError::Point(KeyError::NotOnCurve)), &mut refusals).await?;
    Ok(refusals)
}

async fn refuse(
    scene: &Scene,
    code: String,
    expected: impl Fn(&QrError) -> bool,
    refusals: &mut Vec<Refusal>,
) -> Result<(), Failure> {
    let phone = scene.phone()?;
    let directory = phone.directory.clone();
    let phone = phone.answer(Zeroizing::new(code));
    let radio = phone.radio.clone();
    let refusal = phone.end().await?.refusal()?;
    if directory.dials() > 0 || radio.live_adverts() > 0 {
        return Err(Failure::Succeeded("the phone acted on a hostile code".to_owned()));
    }
    refusals.push(only!(refusal, Refusal::Phone(PhoneError::Code(error)) if expected(error))?);
    Ok(())
}
