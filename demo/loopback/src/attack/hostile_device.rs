//! A device that does nothing but send and record adverts.

use hybridge_ble::{
    Advertisement, Advertiser, Scan, Scanner, ServiceUuid, Sighting,
    sim::{SimAdvert, SimDevice, SimScan, TraceKind},
};
use rand_core::CryptoRng;

use super::{failure::Setup, scene::Scene};

/// The name of every attacker's device in the air's trace.
const NAME: &str = "attacker";

/// An attacker's radio.
pub(super) struct HostileDevice {
    radio: SimDevice,
    rng: Box<dyn CryptoRng + Send>,
}

impl HostileDevice {
    /// A radio at some place.
    pub(super) fn at(scene: &Scene, place: &str) -> Self {
        Self { radio: scene.device(place, NAME), rng: scene.rng(NAME) }
    }

    /// Starts to record.
    pub(super) async fn record(&self) -> Result<SimScan, Setup> {
        Ok(self.radio.scan().await?)
    }

    /// Sends what was heard once more, from the address that it was heard from.
    pub(super) fn replay(&self, heard: &Sighting) -> Result<SimAdvert, Setup> {
        let advert = Advertisement::new(heard.uuid, heard.data.clone());
        Ok(self.radio.advertise_from(advert, heard.device)?)
    }

    /// Sends these bytes as service data.
    pub(super) async fn send(&self, uuid: ServiceUuid, data: Vec<u8>) -> Result<SimAdvert, Setup> {
        Ok(self.radio.advertise(Advertisement::new(uuid, data)).await?)
    }

    /// Sends random bytes of every length that fits, under both UUIDs.
    pub(super) async fn babble(&mut self) -> Result<Vec<SimAdvert>, Setup> {
        let mut adverts = Vec::new();
        for uuid in ServiceUuid::ALL {
            for length in [0, 1, 16, 19, 20, 20, 20, 20, 20, 21, 24] {
                let mut data = vec![0; length];
                self.rng.fill_bytes(&mut data);
                adverts.push(self.send(uuid, data).await?);
            }
        }
        Ok(adverts)
    }
}

/// The first advert that a recording has.
pub(super) async fn first(recording: &mut SimScan) -> Result<Sighting, Setup> {
    Ok(recording.next().await?)
}

/// How many adverts of attackers the laptop's radio handed to its program. An attack that was not heard proves nothing.
pub(super) fn heard_by_laptop(scene: &Scene) -> Result<usize, Setup> {
    let of_attacker = |kind: &TraceKind| matches!(kind, TraceKind::Heard { from, .. } if **from == *NAME);
    let trace = scene.air.trace();
    let heard = trace.iter().filter(|event| *event.device == *"laptop" && of_attacker(&event.kind));
    match heard.count() {
        0 => Err("the laptop heard no advert of the attacker".into()),
        heard => Ok(heard),
    }
}
