//! Ceremonies that bring a credential.

use std::{os::unix::fs::PermissionsExt, path::Path};

use tokio::process::Command;

use crate::{
    failure::{Failure, check},
    laptop::{Order, name},
    phone::Phone,
    scene::{OTHER_PHONE, Scene},
    site::Site,
};

/// Makes a passkey on this phone.
pub(super) async fn register(scene: &Scene, site: &mut Site, phone: &Phone) -> Result<(), Failure> {
    let (options, state) = site.creation()?;
    let mut laptop = Order::create(options).start(scene).await?;
    let answering = phone.answer(scene, &laptop.code().await?).await?;
    site.created(&state, laptop.end().await?.credential()?)?;
    answering.content().await
}

pub(super) async fn create(scene: &mut Scene) -> Result<(), Failure> {
    register(scene, &mut Site::new()?, &Phone::default()).await
}

pub(super) async fn create_then_get(scene: &mut Scene) -> Result<(), Failure> {
    let (mut site, phone) = (Site::new()?, Phone::default());
    register(scene, &mut site, &phone).await?;
    let (options, state) = site.discovery()?;
    let mut laptop = Order::get(options).start(scene).await?;
    let answering = phone.answer(scene, &laptop.code().await?).await?;
    let ended = laptop.end().await?;
    let names: Vec<_> = ended.events.iter().filter_map(name).collect();
    let steps =
        ["code", "phone-nearby", "connecting", "handshaking", "connected", "waiting-for-approval", "done"];
    let in_order =
        steps.iter().try_fold(names.iter(), |mut rest, step| rest.find(|name| *name == step).map(|_| rest));
    check(in_order.is_some() && names.contains(&"code-hidden"), "all steps in order", names.join(", "))?;
    site.discovered(state, ended.credential()?)?;
    answering.content().await
}

pub(super) async fn get_with_allow_list(scene: &mut Scene) -> Result<(), Failure> {
    let (mut site, phone) = (Site::new()?, Phone::default());
    register(scene, &mut site, &phone).await?;
    let (options, state) = site.request()?;
    let mut laptop = Order::get(options).start(scene).await?;
    let answering = phone.answer(scene, &laptop.code().await?).await?;
    site.signed(&state, laptop.end().await?.credential()?)?;
    answering.content().await
}

pub(super) async fn create_with_exclude_list(scene: &mut Scene) -> Result<(), Failure> {
    let (mut site, phone) = (Site::new()?, Phone::default());
    register(scene, &mut site, &phone).await?;
    let (options, _) = site.creation()?;
    let mut laptop = Order::create(options).start(scene).await?;
    let answering = phone.answer(scene, &laptop.code().await?).await?;
    laptop.end().await?.refused(9)?;
    // It has answered as it was meant to.
    answering.content().await
}

pub(super) async fn second_phone(scene: &mut Scene) -> Result<(), Failure> {
    let mut site = Site::new()?;
    let (options, state) = site.creation()?;
    let mut laptop = Order::create(options).start(scene).await?;
    let code = laptop.code().await?;
    let first = Phone::default().answer(scene, &code).await?;
    let other = Phone { adapter: OTHER_PHONE, name: "other phone", ..Phone::default() };
    let second = other.answer(scene, &code).await?;
    site.created(&state, laptop.end().await?.credential()?)?;
    // The code leads both to the same tunnel, which has room for one. A phone that comes when the other one has left it
    // waits there for nobody, longer than is waited for it here.
    let (first, second) = tokio::join!(first.end(), second.end());
    let codes = [first, second].map(|end| end.ok().flatten());
    let content = codes.iter().filter(|code| **code == Some(0)).count();
    check(content == 1, "one phone that is content, and one that is not", format!("{codes:?}"))
}

pub(super) async fn l2cap_falls_back(scene: &mut Scene) -> Result<(), Failure> {
    let mut site = Site::new()?;
    let (options, state) = site.creation()?;
    let mut laptop = Order::create(options).with(&["--l2cap"]).start(scene).await?;
    let answering = Phone::default().answer(scene, &laptop.code().await?).await?;
    site.created(&state, laptop.end().await?.credential()?)?;
    answering.content().await
}

pub(super) async fn picture(scene: &mut Scene) -> Result<(), Failure> {
    let mut site = Site::new()?;
    let (options, state) = site.creation()?;
    let file = scene.file("code.png");
    let path = file.display().to_string();
    let mut laptop = Order::create(options).with(&["--qr-png", &path]).start(scene).await?;
    let code = laptop.code().await?;
    let metadata = std::fs::metadata(&file).map_err(Failure::system("picture"))?;
    let mode = metadata.permissions().mode() & 0o777;
    check(mode == 0o600, "a picture for its owner alone", format!("mode {mode:o}"))?;
    let read = zbarimg(&file).await?;
    check(read == code, "the code in the picture", "another text")?;
    let answering = Phone::default().answer(scene, &read).await?;
    laptop.until("code-hidden").await?;
    check(!file.exists(), "no picture any more", "a picture")?;
    site.created(&state, laptop.end().await?.credential()?)?;
    answering.content().await
}

/// What a program that knows nothing of this project reads in a picture.
async fn zbarimg(file: &Path) -> Result<String, Failure> {
    let output = Command::new("zbarimg").args(["--quiet", "--raw"]).arg(file).output().await;
    let output = output.map_err(Failure::system("zbarimg"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

pub(super) async fn person(scene: &mut Scene) -> Result<(), Failure> {
    let mut site = Site::new()?;
    let (options, state) = site.creation()?;
    let file = scene.file("code.png");
    let order = Order::create(options).with(&["--qr-png", &file.display().to_string()]);
    let look = async {
        while !file.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Phone::default().answer(scene, &zbarimg(&file).await?).await
    };
    let (plain, answering) = tokio::join!(order.run_for_a_person(scene), look);
    let plain = plain?;
    check(plain.code == Some(0), "a credential", plain.told())?;
    site.created(&state, serde_json::from_str(&plain.stdout)?)?;
    for words in ["make a passkey for", "https://www.demo.example", "(demo.example)", "Approve on the phone."]
    {
        check(plain.stderr.contains(words), words, &plain.stderr)?;
    }
    answering?.content().await
}
