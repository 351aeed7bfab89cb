//! The air: a phone's adverts, and those of others.

use core::time::Duration;

use hybridge_proto::{
    advert::{AdvertPlaintext, seal},
    domain::DomainId,
    ids::{AdvertNonce, RoutingId},
    qr::QrCode,
};

use super::{
    faults::Point,
    remembered::domain_of,
    trace::Who,
    world::{Happening, World},
};

/// From one broadcast of an advert to the next.
const INTERVAL: Duration = Duration::from_secs(2);
/// Where adverts come from that no phone of this world sent.
const NOWHERE: u64 = u64::MAX;

impl World {
    /// A phone's radio is on: one broadcast, and the next one later.
    pub(super) fn broadcast(&mut self, phone: usize) {
        let Some(data) = self.phones[phone].advert.clone() else { return };
        self.later(INTERVAL, Happening::Broadcast { phone });
        let from = u64::try_from(phone).expect("a handful of phones");
        let fault = self.strike(Point::Advert);
        let copies = match fault {
            Some(fault) => fault.copies(data, None),
            None => vec![(Duration::ZERO, data)],
        };
        for (late, data) in copies {
            self.later(Duration::from_millis(1) + late, Happening::Heard { data, from });
        }
    }

    /// People with other phones and other laptops are near, and somebody plays back what was heard yesterday.
    pub(super) fn send_strangers(&mut self) {
        for _ in 0..self.settings.strangers {
            let after = self.dice.millis(0, 30_000);
            let length = self.dice.pick(&[0, 3, 19, 20, 20, 20, 24, 31, 255, 300]);
            let data = self.dice.bytes(length);
            self.later(after, Happening::Heard { data, from: NOWHERE });
        }
    }

    /// Somebody has photographed the code and sends adverts for it, which lead nowhere.
    pub(super) fn send_impostors(&mut self, code: &QrCode) {
        for _ in 0..self.settings.impostors {
            let (nonce, routing) = (AdvertNonce::from_bytes(&self.dice.array()), self.dice.array());
            let domains = [DomainId::new(7), DomainId::new(300), DomainId::new(301), domain_of(0)];
            let domain = self.dice.pick(&domains);
            let plaintext = AdvertPlaintext::new(&nonce, RoutingId::from_bytes(routing), domain);
            let data = seal(&code.secret.eid_key(), &plaintext).as_bytes().to_vec();
            let after = self.dice.millis(0, 10_000);
            self.trace.note(Who::World, "an impostor has the code");
            for repeat in 0..3 {
                let after = after + Duration::from_secs(5 * repeat);
                self.later(after, Happening::Heard { data: data.clone(), from: NOWHERE });
            }
        }
    }
}
