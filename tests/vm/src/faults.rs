//! What goes wrong around the programs.

use hybridge_ble::btleplug::SystemScanner;
use hybridge_ble::{Scan, Scanner};
use hybridge_radio_conformance::table::Failure;
use tokio::time::timeout;

use crate::ceremony::{Way, meet};
use crate::programs::{Laptop, Phone};
use crate::system::{SOON, System, adverts, until};
use crate::website::Website;
use crate::{LAPTOP, PHONE};

/// The laptop's exit code for "no radio".
const NO_RADIO: i32 = 4;

/// BlueZ ends and does not come back: the laptop says so, and says it with its exit code.
pub(crate) async fn killed(system: &mut System, website: &Website, way: &Way) -> Result<(), Failure> {
    let (options, _pending) = website.sign_in()?;
    let laptop = Laptop::start("get", &options, way).await?;
    system.kill_bluez().await?;
    let ended = laptop.end().await;
    system.start_bluez().await?;
    let (output, errors) = ended?;
    if output.status.code() != Some(NO_RADIO) || !errors.contains("the Bluetooth service") {
        return Err(Failure::unexpected("the end for want of a Bluetooth service", (output.status, errors)));
    }
    output.stdout.is_empty().then_some(()).ok_or_else(|| Failure::unexpected("no credential", output.stdout))
}

/// BlueZ is started again at once: the ceremony goes on.
pub(crate) async fn restarted(system: &mut System, website: &mut Website, way: &Way) -> Result<(), Failure> {
    let (options, pending) = website.sign_in()?;
    let laptop = Laptop::start("get", &options, way).await?;
    system.kill_bluez().await?;
    system.start_bluez().await?;
    let printed = meet(laptop, way).await?;
    website.signed_in(pending, &printed)
}

/// The phone's program is killed: its advert does not stay on the air.
pub(crate) async fn phone_killed(website: &Website, way: &Way) -> Result<(), Failure> {
    let (options, _pending) = website.sign_in()?;
    let laptop = Laptop::start("get", &options, way).await?;
    let code = laptop.code().to_owned();
    // Its laptop goes away, so that the phone waits.
    drop(laptop);
    let mut phone = Phone::start(&code, way).await?;
    phone.tells("advertising").await?;
    until("an advert", async || adverts(PHONE).await == Some(1)).await?;
    phone.kill().await?;
    until("no advert any more", async || adverts(PHONE).await == Some(0)).await
}

/// BlueZ is started again while the phone advertises: the advert is put on the air again.
pub(crate) async fn restarted_advertising(
    system: &mut System,
    website: &Website,
    way: &Way,
) -> Result<(), Failure> {
    let (options, _pending) = website.sign_in()?;
    // Its laptop goes away, so that the phone waits.
    let code = Laptop::start("get", &options, way).await?.code().to_owned();
    let mut phone = Phone::start(&code, way).await?;
    phone.tells("advertising").await?;
    until("an advert", async || adverts(PHONE).await == Some(1)).await?;
    system.kill_bluez().await?;
    system.start_bluez().await?;
    until("the advert once more", async || adverts(PHONE).await == Some(1)).await?;
    let scanner = SystemScanner::open(Some(LAPTOP)).await?;
    // Nobody else sends here, and this BlueZ remembers nothing. The virtual controller tells an advert when a scan starts.
    for _ in 0..3 {
        let mut scan = scanner.scan().await?;
        if let Ok(heard) = timeout(SOON / 4, scan.next()).await {
            heard?;
            return phone.kill().await;
        }
    }
    Err(Failure::Stuck)
}

/// With no way to connect the phone says so, and the laptop goes on waiting.
pub(crate) async fn no_way(website: &Website, way: &Way) -> Result<(), Failure> {
    let (options, _pending) = website.sign_in()?;
    let mut laptop = Laptop::start("get", &options, way).await?;
    let phone = Phone::start(laptop.code(), way).await?;
    match phone.finish().await {
        Err(Failure::Unexpected { found, .. }) if found.contains("tunnel service") => laptop.waits(),
        other => Err(Failure::unexpected("a phone without a tunnel service", other)),
    }
}
