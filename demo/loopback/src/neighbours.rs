//! Other people's phones in range: each advertises all the time, for codes of other people's laptops.

use hybridge_ble::{
    Advertisement, Advertiser, RadioError, ServiceUuid,
    sim::{Air, SimAdvert},
};
use hybridge_proto::{
    advert::{AdvertPlaintext, seal},
    domain::DomainId,
    ids::{AdvertNonce, RoutingId},
    keys::QrSecret,
};

use crate::chance::Chance;

/// Adverts of strangers on an air. Dropping them withdraws them.
#[must_use = "dropping them withdraws their adverts"]
pub struct Neighbours {
    _adverts: Vec<SimAdvert>,
}

impl Neighbours {
    /// Lets as many phones advertise, every fourth one under the UUID of older phones.
    ///
    /// # Errors
    /// [`RadioError`], which an air does not give for these.
    pub async fn advertise(air: &Air, phones: usize, chance: Chance) -> Result<Self, RadioError> {
        let mut adverts = Vec::new();
        for number in 1..=phones {
            let name = format!("neighbour {number}");
            let uuid = if number.is_multiple_of(4) { ServiceUuid::Google } else { ServiceUuid::Fido };
            let advert = Advertisement::new(uuid, advert(chance, &name));
            adverts.push(air.device(name).advertise(advert).await?);
        }
        Ok(Self { _adverts: adverts })
    }
}

/// A well-formed advert for a code that nobody here has seen.
fn advert(chance: Chance, name: &str) -> [u8; 20] {
    let mut rng = chance.source(name).draw();
    let eid_key = QrSecret::generate(&mut rng).eid_key();
    let (nonce, routing) = (AdvertNonce::generate(&mut rng), RoutingId::generate(&mut rng));
    *seal(&eid_key, &AdvertPlaintext::new(&nonce, routing, DomainId::GOOGLE)).as_bytes()
}
