//! What goes wrong around the radios, each case on a BlueZ of its own.

use std::time::Duration;

use hybridge_testkit::bluez::FakeBluez;
use tokio::time::{sleep, timeout};

use crate::fake::{bluez, faked};
use crate::host;
use crate::orders::{DONE, Order};
use crate::puppet::Puppet;
use hybridge_radio_conformance::table::{Failure, Table};

/// The scan of a puppet is on the first adapter, its adverts are on the second.
const LISTENS: &str = "hci0";
const SENDS: &str = "hci1";
const SOON: Duration = Duration::from_secs(10);
/// Longer than a radio waits for bluetoothd.
const LONG: Duration = Duration::from_secs(12);

pub(crate) async fn run() -> Result<Table, Failure> {
    let mut table = Table::new("faults", 23);
    table.case("no bus", no_bus()).await;
    table.case("no bluetoothd", no_service()).await;
    table.case("no adapter", no_adapter()).await;
    table.case("no adapter of this name", no_such_adapter()).await;
    table.case("adapter off", adapter_off()).await;
    table.case("the first adapter that is on is taken", first_that_is_on()).await;
    table.case("no permission", no_permission()).await;
    table.case("switched off while it listens", switched_off()).await;
    table.case("unplugged while it listens", unplugged()).await;
    table.case("bluetoothd gone while it listens", service_gone()).await;
    table.case("bluetoothd restarted while it listens", service_restarted()).await;
    table.case("bus gone while it listens", bus_gone()).await;
    table.case("adapter off for a moment while it listens", flicker()).await;
    table.case("one of two scans dropped", one_of_two()).await;
    table.case("one advert too many", one_too_many()).await;
    table.case("bluetoothd restarted while it advertises", restarted_advertising()).await;
    table.case("bluetoothd gone for long while it advertises", gone_advertising()).await;
    table.case("adapter off for a moment while it advertises", flicker_advertising()).await;
    table.case("unplugged while it advertises", unplugged_advertising()).await;
    table.case("withdrawn while bluetoothd is gone", withdrawn_meanwhile()).await;
    table.case("killed while it advertises", killed_advertising()).await;
    table.case("killed while it listens", killed_listening()).await;
    table.case("the fake BlueZ killed: its bus ends", host::killed()).await;
    Ok(table)
}

/// An advert that no other case sends.
fn advert(number: u8) -> Vec<u8> {
    vec![number; 20]
}

fn scanner() -> Order {
    Order::OpenScanner(Some(LISTENS.into()))
}

fn radio() -> Order {
    Order::OpenRadio(Some(SENDS.into()))
}

async fn stage() -> Result<(FakeBluez, Puppet), Failure> {
    let bluez = bluez().await?;
    let puppet = Puppet::start(bluez.bus_address())?;
    Ok((bluez, puppet))
}

/// A puppet that listens, and has heard something.
async fn listening() -> Result<(FakeBluez, Puppet), Failure> {
    let (bluez, mut puppet) = stage().await?;
    for order in [scanner(), radio(), Order::Scan, Order::Advertise(advert(1)), Order::Hear(advert(1))] {
        puppet.done(order).await?;
    }
    Ok((bluez, puppet))
}

async fn no_bus() -> Result<(), Failure> {
    let mut puppet = Puppet::start("unix:path=/nonexistent/bus")?;
    puppet.fails(scanner(), "ServiceGone").await?;
    puppet.fails(radio(), "ServiceGone").await.map(drop)
}

async fn no_service() -> Result<(), Failure> {
    let (mut bluez, mut puppet) = stage().await?;
    puppet.done(scanner()).await?;
    puppet.done(radio()).await?;
    bluez.stop().await;
    for order in [Order::Scan, Order::Advertise(advert(1)), scanner(), radio()] {
        puppet.fails(order, "ServiceGone").await?;
    }
    Ok(())
}

async fn no_adapter() -> Result<(), Failure> {
    let (bluez, mut puppet) = stage().await?;
    faked(bluez.unplug(LISTENS).await)?;
    faked(bluez.unplug(SENDS).await)?;
    puppet.fails(Order::OpenScanner(None), "NoAdapter").await?;
    puppet.fails(Order::OpenRadio(None), "NoAdapter").await.map(drop)
}

async fn no_such_adapter() -> Result<(), Failure> {
    let (_bluez, mut puppet) = stage().await?;
    for order in [Order::OpenScanner(Some("hci7".into())), Order::OpenRadio(Some("hci7".into()))] {
        let text = puppet.fails(order, "AdapterNotFound").await?;
        if !["hci7", LISTENS, SENDS].iter().all(|name| text.contains(name)) {
            return Err(Failure::unexpected("the name and those that are there", text));
        }
    }
    Ok(())
}

async fn adapter_off() -> Result<(), Failure> {
    let (bluez, mut puppet) = stage().await?;
    puppet.done(scanner()).await?;
    puppet.done(radio()).await?;
    faked(bluez.set_powered(LISTENS, false).await)?;
    faked(bluez.set_powered(SENDS, false).await)?;
    let any = [Order::OpenScanner(None), Order::OpenRadio(None)];
    for order in [Order::Scan, Order::Advertise(advert(1)), scanner(), radio()].into_iter().chain(any) {
        puppet.fails(order, "PoweredOff").await?;
    }
    Ok(())
}

async fn first_that_is_on() -> Result<(), Failure> {
    let (bluez, mut puppet) = stage().await?;
    faked(bluez.set_powered("hci0", false).await)?;
    puppet.done(Order::OpenScanner(None)).await?;
    puppet.done(Order::Scan).await?;
    expect_scans(&bluez, "hci1", 1).await
}

async fn no_permission() -> Result<(), Failure> {
    let (bluez, mut puppet) = stage().await?;
    puppet.done(scanner()).await?;
    puppet.done(radio()).await?;
    faked(bluez.set_forbidden(true).await)?;
    for order in [Order::Scan, Order::Advertise(advert(1)), scanner(), radio()] {
        puppet.fails(order, "PermissionDenied").await?;
    }
    Ok(())
}

async fn switched_off() -> Result<(), Failure> {
    let (bluez, mut puppet) = listening().await?;
    puppet.tell(Order::Hear(advert(2))).await?;
    faked(bluez.set_powered(LISTENS, false).await)?;
    puppet.failed("PoweredOff").await?;
    // It stays over, and is left off.
    puppet.fails(Order::Hear(advert(2)), "PoweredOff").await?;
    puppet.fails(Order::Scan, "PoweredOff").await.map(drop)
}

async fn unplugged() -> Result<(), Failure> {
    let (bluez, mut puppet) = listening().await?;
    puppet.tell(Order::Hear(advert(2))).await?;
    faked(bluez.unplug(LISTENS).await)?;
    puppet.failed("AdapterNotFound").await?;
    // Plugged in again, the same program can go on with a new scan.
    faked(bluez.plug(LISTENS).await)?;
    puppet.done(Order::Drop).await?;
    for order in [Order::Scan, Order::Advertise(advert(3)), Order::Hear(advert(3))] {
        puppet.done(order).await?;
    }
    Ok(())
}

async fn service_gone() -> Result<(), Failure> {
    let (mut bluez, mut puppet) = listening().await?;
    puppet.tell(Order::Hear(advert(2))).await?;
    bluez.stop().await;
    puppet.failed("ServiceGone").await.map(drop)
}

async fn service_restarted() -> Result<(), Failure> {
    let (mut bluez, mut puppet) = listening().await?;
    for number in 2..5 {
        puppet.tell(Order::Hear(advert(number))).await?;
        bluez.stop().await;
        sleep(Duration::from_millis(300)).await;
        faked(bluez.restart().await)?;
        // Another program, as this one is busy listening.
        let mut phone = Puppet::start(bluez.bus_address())?;
        phone.done(radio()).await?;
        phone.done(Order::Advertise(advert(number))).await?;
        match puppet.answer().await? {
            heard if heard == DONE => {}
            other => return Err(Failure::unexpected("the advert after the restart", other)),
        }
    }
    Ok(())
}

async fn bus_gone() -> Result<(), Failure> {
    let (mut bluez, mut puppet) = listening().await?;
    puppet.tell(Order::Hear(advert(2))).await?;
    faked(bluez.kill_bus().await)?;
    puppet.failed("ServiceGone").await?;
    // It stays over, and there is nothing to begin another with.
    for order in [Order::Hear(advert(2)), Order::Scan, Order::Advertise(advert(2))] {
        puppet.fails(order, "ServiceGone").await?;
    }
    Ok(())
}

async fn flicker() -> Result<(), Failure> {
    let (bluez, mut puppet) = listening().await?;
    faked(bluez.set_powered(LISTENS, false).await)?;
    faked(bluez.set_powered(LISTENS, true).await)?;
    expect_scans(&bluez, LISTENS, 1).await?;
    puppet.done(Order::Advertise(advert(2))).await?;
    puppet.done(Order::Hear(advert(2))).await
}

async fn one_of_two() -> Result<(), Failure> {
    let (bluez, mut puppet) = listening().await?;
    puppet.done(Order::Scan).await?;
    expect_scans(&bluez, LISTENS, 1).await?;
    puppet.done(Order::Drop).await?;
    puppet.done(Order::Advertise(advert(2))).await?;
    puppet.done(Order::Hear(advert(2))).await?;
    expect_scans(&bluez, LISTENS, 1).await?;
    puppet.done(Order::Drop).await?;
    expect_scans(&bluez, LISTENS, 0).await
}

async fn one_too_many() -> Result<(), Failure> {
    let (bluez, mut puppet) = listening().await?;
    for number in 2..=5 {
        puppet.done(Order::Advertise(advert(number))).await?;
    }
    puppet.fails(Order::Advertise(advert(6)), "TooManyAdverts").await?;
    expect_adverts(&bluez, 5).await
}

/// A puppet whose advert is on the air.
async fn advertising() -> Result<(FakeBluez, Puppet), Failure> {
    let (bluez, mut puppet) = stage().await?;
    puppet.done(radio()).await?;
    puppet.done(Order::Advertise(advert(1))).await?;
    expect_adverts(&bluez, 1).await?;
    Ok((bluez, puppet))
}

/// The first advert of a puppet, and no other, is on the air.
async fn expect_it_back(bluez: &FakeBluez) -> Result<(), Failure> {
    expect_adverts(bluez, 1).await?;
    let mut laptop = Puppet::start(bluez.bus_address())?;
    for order in [scanner(), Order::Scan, Order::Hear(advert(1))] {
        laptop.done(order).await?;
    }
    expect_adverts(bluez, 1).await
}

async fn restarted_advertising() -> Result<(), Failure> {
    let (mut bluez, _puppet) = advertising().await?;
    for _ in 0..3 {
        faked(bluez.restart().await)?;
        expect_it_back(&bluez).await?;
    }
    Ok(())
}

async fn gone_advertising() -> Result<(), Failure> {
    let (mut bluez, _puppet) = advertising().await?;
    bluez.stop().await;
    sleep(LONG).await;
    faked(bluez.restart().await)?;
    expect_it_back(&bluez).await
}

async fn flicker_advertising() -> Result<(), Failure> {
    let (bluez, _puppet) = advertising().await?;
    faked(bluez.set_powered(SENDS, false).await)?;
    faked(bluez.set_powered(SENDS, true).await)?;
    expect_it_back(&bluez).await
}

async fn unplugged_advertising() -> Result<(), Failure> {
    let (bluez, _puppet) = advertising().await?;
    faked(bluez.unplug(SENDS).await)?;
    sleep(LONG).await;
    faked(bluez.plug(SENDS).await)?;
    expect_it_back(&bluez).await
}

async fn withdrawn_meanwhile() -> Result<(), Failure> {
    let (mut bluez, mut puppet) = advertising().await?;
    bluez.stop().await;
    puppet.done(Order::Withdraw).await?;
    faked(bluez.restart().await)?;
    // As soon as it is back: the later one would come after an advert that is put up again.
    puppet.done(Order::Advertise(advert(2))).await?;
    expect_adverts(&bluez, 1).await?;
    let mut laptop = Puppet::start(bluez.bus_address())?;
    for order in [scanner(), Order::Scan, Order::Hear(advert(2))] {
        laptop.done(order).await?;
    }
    expect_adverts(&bluez, 1).await
}

async fn killed_advertising() -> Result<(), Failure> {
    let (bluez, mut puppet) = stage().await?;
    puppet.done(radio()).await?;
    puppet.done(Order::Advertise(advert(1))).await?;
    expect_adverts(&bluez, 1).await?;
    puppet.kill().await?;
    expect_adverts(&bluez, 0).await
}

async fn killed_listening() -> Result<(), Failure> {
    let (bluez, puppet) = listening().await?;
    expect_scans(&bluez, LISTENS, 1).await?;
    puppet.kill().await?;
    expect_scans(&bluez, LISTENS, 0).await
}

async fn expect_scans(bluez: &FakeBluez, adapter: &str, count: usize) -> Result<(), Failure> {
    let settled = async {
        while faked(bluez.status(adapter).await)?.discovery_sessions != count {
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    };
    timeout(SOON, settled).await.map_err(|_| Failure::unexpected("another number of scans", count))?
}

async fn expect_adverts(bluez: &FakeBluez, count: usize) -> Result<(), Failure> {
    let settled = async {
        while faked(bluez.status(SENDS).await)?.adverts != count {
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    };
    timeout(SOON, settled).await.map_err(|_| Failure::unexpected("another number of adverts", count))?
}
