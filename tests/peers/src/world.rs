//! Everything that a case needs around a phone and a laptop: the air, BlueZ without a radio, and the tunnel services.

use std::sync::Arc;

use hybridge_authenticator::DomainId;
use hybridge_ble::{Advertisement, Advertiser, ServiceUuid, sim::Air};
use hybridge_testkit::bluez::FakeBluez;

use crate::{phone::Phone, process::Peer, web::Web};

/// The same world for all cases; each makes its own phone and laptop.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) air: Air,
    pub(crate) web: Web,
    bluez: Arc<FakeBluez>,
}

impl World {
    pub(crate) async fn start() -> Self {
        let air = Air::new(11);
        let bluez = Arc::new(FakeBluez::start(&air, 1).await.unwrap());
        Self { air, web: Web::start().await, bluez }
    }

    /// One of the peers, in a process of its own, on the bus of the BlueZ without a radio.
    pub(crate) fn peer(&self, name: &str) -> Peer {
        Peer::start(name, self.bluez.bus_address(), self.web.authority())
    }

    /// A phone of ours that uses the tunnel service with this number.
    pub(crate) fn phone(&self, domain: DomainId) -> Phone {
        let (radio, dialer) = (self.air.device("phone"), self.web.dialer());
        self.web.take_seen();
        Phone::new(domain, Arc::new(radio), Arc::new(dialer))
    }

    /// The adverts of people who are not meant, for as long as they are kept.
    pub(crate) async fn strangers(&self) -> Vec<impl Send + use<>> {
        let mut adverts = Vec::new();
        for number in 0..12_u8 {
            let stranger = self.air.device(format!("stranger {number}"));
            let uuid = ServiceUuid::ALL[usize::from(number % 2)];
            let mut advert = Advertisement::new(uuid, vec![number; 12 + usize::from(number)]);
            advert.uuid = uuid;
            adverts.push(stranger.advertise(advert).await.unwrap());
        }
        adverts
    }
}
