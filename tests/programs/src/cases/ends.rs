//! Ceremonies that somebody ends.

use serde_json::{Value, json};

use crate::{
    failure::{Failure, check},
    laptop::Order,
    phone::Phone,
    scene::Scene,
    site::Site,
};

/// Options that need no verification of the owner, so that a phone without a passphrase asks.
fn plain_options() -> Value {
    json!({
        "rp": {"id": Site::ID, "name": "Demo"},
        "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
        "challenge": "bm9uY2Vub25jZW5vbmNl",
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"residentKey": "discouraged", "userVerification": "discouraged"},
    })
}

pub(super) async fn refused(scene: &mut Scene) -> Result<(), Failure> {
    let (options, _) = Site::new()?.creation()?;
    let mut laptop = Order::create(options).start(scene).await?;
    let answering = Phone::refusing().answer(scene, &laptop.code().await?).await?;
    laptop.end().await?.refused(8)?;
    answering.content().await
}

pub(super) async fn no_passkey(scene: &mut Scene) -> Result<(), Failure> {
    let (options, _) = Site::new()?.discovery()?;
    let mut laptop = Order::get(options).start(scene).await?;
    let answering = Phone::default().answer(scene, &laptop.code().await?).await?;
    laptop.end().await?.refused(8)?;
    answering.content().await
}

pub(super) async fn nobody_scans(scene: &mut Scene) -> Result<(), Failure> {
    let (options, _) = Site::new()?.discovery()?;
    let file = scene.file("code.png");
    let order = Order::get(options).with(&["--timeout", "2s", "--qr-png", &file.display().to_string()]);
    let mut laptop = order.start(scene).await?;
    laptop.code().await?;
    check(file.exists(), "a picture", "none")?;
    laptop.end().await?.refused(6)?;
    check(!file.exists(), "no picture any more", "a picture")
}

pub(super) async fn nobody_approves(scene: &mut Scene) -> Result<(), Failure> {
    let file = scene.file("code.png");
    let order =
        Order::create(plain_options()).with(&["--timeout", "8s", "--qr-png", &file.display().to_string()]);
    let mut laptop = order.start(scene).await?;
    laptop.code().await?;
    let phone = Phone::ponder(scene, &file)?;
    laptop.until("waiting-for-approval").await?;
    laptop.end().await?.refused(6)?;
    phone.ended_with(6).await
}

pub(super) async fn interrupted_before(scene: &mut Scene) -> Result<(), Failure> {
    let (options, _) = Site::new()?.discovery()?;
    let file = scene.file("code.png");
    let order = Order::get(options).with(&["--qr-png", &file.display().to_string()]);
    let mut laptop = order.start(scene).await?;
    laptop.code().await?;
    laptop.interrupt()?;
    laptop.end().await?.refused(130)?;
    check(!file.exists(), "no picture any more", "a picture")
}

pub(super) async fn interrupted_meanwhile(scene: &mut Scene) -> Result<(), Failure> {
    let file = scene.file("code.png");
    let order = Order::create(plain_options()).with(&["--qr-png", &file.display().to_string()]);
    let mut laptop = order.start(scene).await?;
    laptop.code().await?;
    let phone = Phone::ponder(scene, &file)?;
    laptop.until("waiting-for-approval").await?;
    laptop.interrupt()?;
    laptop.end().await?.refused(130)?;
    phone.ended_with(6).await
}
