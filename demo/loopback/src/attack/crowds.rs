//! More devices at one code, or at one tunnel, than belong there.

use std::{sync::Arc, time::Duration};

use hybridge_authenticator::{AuthenticatorError, Progress as PhoneProgress};
use hybridge_client::{Error as LaptopError, Progress};
use hybridge_proto::{
    channel::DialFailure,
    qr::QrCode,
    service::{ServicePath, ServiceRequest},
};
use hybridge_tunnel::{DialError, Dialer};
use tokio::sync::Notify;

use super::{
    Failure, Verdict,
    failure::{Setup, only},
    hostile_laptop::{HostileLaptop, overhear},
    hostile_service::HostileService,
    meddling::{Toward, silence},
    network::{Directory, stand_up},
    phone::PhoneError,
    report::Refusal,
    scene::{HOME, OTHER_SERVICE, SERVICE, Scene},
};

/// Two phones of one tunnel service would meet in one tunnel. The second one finds it taken.
pub(super) async fn two_phones(scene: &Scene) -> Verdict {
    scene.did("scans the owner's code right after the owner");
    let mut laptop = scene.laptop()?;
    let go = Arc::new(Notify::new());
    laptop.hesitation = Some(Arc::clone(&go));
    let mut laptop = laptop.sign_in();
    let code = laptop.code().await?;
    let mut owner = scene.phone()?.answer(code.clone());
    owner.until(PhoneProgress::Advertising).await?;
    let passkeys = scene.strangers_passkeys().await?;
    let stranger = scene.phone_of("attacker", passkeys)?.answer(code);
    let refusal = stranger.end().await?.refusal()?;
    go.notify_one();
    laptop.end().await?.signed_in()?;
    owner.end().await?.satisfied()?;
    let taken = AuthenticatorError::Dial(DialFailure::Refused(409));
    Ok(vec![only!(refusal, Refusal::Phone(PhoneError::Tunnel { error, .. }) if *error == taken)?])
}

/// A phone with a tunnel service of its own is heard first, and keeps the laptop waiting. The owner's phone, heard
/// second, is followed all the same and gets through.
pub(super) async fn stalling_phone(scene: &Scene) -> Verdict {
    scene.did("photographs the code, and answers it first, through a tunnel service that says nothing to the laptop");
    let standing = stand_up(OTHER_SERVICE, HostileService::new(silence(Toward::Laptop)))?;
    let stalling = Arc::new(standing.dialer);
    let both = Directory::of([(SERVICE, Arc::new(scene.service.dialer())), (OTHER_SERVICE, stalling)])?;
    let mut laptop = scene.laptop()?.dialing(both.clone()).sign_in();
    let code = laptop.code().await?;
    let passkeys = scene.strangers_passkeys().await?;
    let stranger = scene.phone_of("attacker", passkeys)?.dialing(OTHER_SERVICE, both).answer(code.clone());
    laptop.until(|progress| matches!(progress, Progress::Handshaking(_))).await?;
    let owner = scene.phone()?.answer(code);
    laptop.end().await?.signed_in()?;
    owner.end().await?.satisfied()?;
    Ok(vec![only!(stranger.end().await?.refusal()?, Refusal::Phone(PhoneError::ClientLeft))?])
}

/// A tunnel is joined once. Who comes second gets nothing, not even with everything in hand that opens it.
pub(super) async fn second_connect(scene: &Scene) -> Verdict {
    scene.did("photographs the code, overhears the advert, and joins the tunnel after the laptop");
    let mut laptop = scene.laptop()?;
    let go = Arc::new(Notify::new());
    laptop.hesitation = Some(Arc::clone(&go));
    let mut laptop = laptop.sign_in();
    let code = laptop.code().await?;
    let secret = QrCode::parse(&code).map_err(Setup::from)?.secret;
    let attacker = HostileLaptop::at(scene, HOME)?;
    let recording = attacker.listen().await?;
    let owner = scene.phone()?.answer(code);
    laptop.until(|progress| matches!(progress, Progress::Connected(_))).await?;
    let heard = overhear(recording, &secret).await?;
    let joined = attacker.join(secret.tunnel_id(), heard.routing_id()).await;
    go.notify_one();
    laptop.end().await?.signed_in()?;
    owner.end().await?.satisfied()?;
    let Err(error) = joined else {
        return Err(Failure::Succeeded("the tunnel service let a second client in".to_owned()));
    };
    Ok(vec![only!(Refusal::Dial(error), Refusal::Dial(DialError::Refused { status: 404, .. }))?])
}

/// Whoever has the code can take its tunnel first. That stops the phone, and gains nothing.
pub(super) async fn taken_tunnel(scene: &Scene) -> Verdict {
    scene.did("photographs the code, and opens its tunnel before the phone does");
    let mut laptop = scene.laptop()?.searching(Duration::from_secs(1)).sign_in();
    let code = laptop.code().await?;
    let tunnel = QrCode::parse(&code).map_err(Setup::from)?.secret.tunnel_id();
    let request = ServiceRequest::new(SERVICE, ServicePath::New { tunnel }).map_err(Setup::from)?;
    let _taken = scene.directory()?.dial(&request).await.map_err(Setup::from)?;
    let owner = scene.phone()?.answer(code);
    let refusal = owner.end().await?.refusal()?;
    let taken = AuthenticatorError::Dial(DialFailure::Refused(409));
    Ok(vec![
        only!(refusal, Refusal::Phone(PhoneError::Tunnel { error, .. }) if *error == taken)?,
        only!(laptop.end().await?.refusal()?, Refusal::Laptop(LaptopError::NobodyScanned))?,
    ])
}
