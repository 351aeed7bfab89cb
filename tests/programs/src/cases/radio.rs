//! Radios that cannot be used.

use crate::{
    failure::Failure,
    laptop::Order,
    scene::{LAPTOP, Scene},
    site::Site,
};

fn order() -> Result<Order, Failure> {
    Ok(Order::create(Site::new()?.creation()?.0))
}

pub(super) async fn missing_adapter(scene: &mut Scene) -> Result<(), Failure> {
    let order = Order { adapter: "hci7", ..order()? };
    order.run_for_a_person(scene).await?.refused(4, "hci0")
}

pub(super) async fn adapter_off(scene: &mut Scene) -> Result<(), Failure> {
    scene.bluez.set_powered(LAPTOP, false).await?;
    order()?.run_for_a_person(scene).await?.refused(4, "off")
}

pub(super) async fn no_service(scene: &mut Scene) -> Result<(), Failure> {
    scene.bluez.stop().await;
    order()?.run_for_a_person(scene).await?.refused(4, "not running")
}

pub(super) async fn no_permission(scene: &mut Scene) -> Result<(), Failure> {
    scene.bluez.set_forbidden(true).await?;
    order()?.run_for_a_person(scene).await?.refused(4, "may not use Bluetooth")
}

pub(super) async fn pulled_out(scene: &mut Scene) -> Result<(), Failure> {
    let mut laptop = order()?.start(scene).await?;
    laptop.code().await?;
    scene.bluez.unplug(LAPTOP).await?;
    laptop.end().await?.refused(4)
}
