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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hybridge_ble::{Scan, Scanner};

    use super::*;

    async fn heard(seed: u64) -> BTreeSet<(ServiceUuid, Vec<u8>)> {
        let air = Air::new(seed);
        let _neighbours = Neighbours::advertise(&air, 5, Chance::new(seed)).await.unwrap();
        let mut scan = air.device("laptop").scan().await.unwrap();
        let mut heard = BTreeSet::new();
        for _ in 0..20 {
            let sighting = scan.next().await.unwrap();
            heard.insert((sighting.uuid, sighting.data));
        }
        heard
    }

    #[tokio::test(start_paused = true)]
    async fn each_neighbour_repeats_an_advert_of_its_own() {
        let adverts = heard(1).await;
        assert_eq!(adverts.len(), 5);
        assert_eq!(adverts.iter().filter(|(uuid, _)| *uuid == ServiceUuid::Google).count(), 1);
        assert!(adverts.iter().all(|(_, data)| data.len() == 20));
        assert_eq!(adverts, heard(1).await);
        assert!(adverts.is_disjoint(&heard(2).await));
    }
}
