//! The Bluetooth of the laptop and of the phone: one bus, or two with a translator between them.

use hybridge_ble::{
    Advertisement, Advertiser, Scan, Scanner, ServiceUuid,
    sim::{Air, SimDevice},
};
use hybridge_testkit::bluez::FakeBluez;
use tokio::task::JoinSet;

use crate::failure::Failure;

/// The adapter of phones.
pub(crate) const PHONE_ADAPTER: &str = "hci1";

/// What Chromium and a phone find under `org.bluez`.
pub(crate) struct Radios {
    laptop: FakeBluez,
    /// One of its own for a phone that is heard in translation only.
    phone: Option<FakeBluez>,
    air: Air,
    _translator: JoinSet<()>,
}

impl Radios {
    /// Both on one bus.
    pub(crate) async fn shared() -> Result<Self, Failure> {
        let air = Air::new(1);
        let laptop = FakeBluez::start(&air, 2).await?;
        Ok(Self { laptop, phone: None, air, _translator: JoinSet::new() })
    }

    /// The phone on a bus of its own. What it sends reaches the laptop under the UUID that phones used before there was
    /// the FIDO Alliance's.
    pub(crate) async fn translated() -> Result<Self, Failure> {
        let (air, phones_air) = (Air::new(1), Air::new(2));
        let (laptop, phone) = (FakeBluez::start(&air, 1).await?, FakeBluez::start(&phones_air, 2).await?);
        let mut translator = JoinSet::new();
        translator.spawn(translate(phones_air.device("translator"), air.device("translator")));
        Ok(Self { laptop, phone: Some(phone), air, _translator: translator })
    }

    pub(crate) fn laptop_bus(&self) -> &str {
        self.laptop.bus_address()
    }

    pub(crate) fn phone_bus(&self) -> &str {
        self.phone.as_ref().unwrap_or(&self.laptop).bus_address()
    }

    /// A device in the laptop's air, for a phone within this program.
    pub(crate) fn device(&self) -> SimDevice {
        self.air.device("phone")
    }
}

async fn translate(from: SimDevice, to: SimDevice) {
    let Ok(mut scan) = from.scan().await else { return };
    let mut last = None;
    let mut on_air = None;
    while let Ok(sighting) = scan.next().await {
        if last.as_ref() != Some(&sighting.data) {
            // What the phone does not send any more stays until it sends something else: no harm in it.
            drop(on_air.take());
            on_air = to.advertise(Advertisement::new(ServiceUuid::Google, sighting.data.clone())).await.ok();
            last = Some(sighting.data);
        }
    }
}
