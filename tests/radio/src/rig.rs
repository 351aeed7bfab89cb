//! Two adapters of the system as a rig of the conformance checks.

use std::time::Duration;

use hybridge_ble::bluez::SystemRadio;
use hybridge_ble::btleplug::SystemScanner;
use hybridge_ble::conformance::{Bounds, Rig, l2cap};
use hybridge_ble::{PayloadLimit, RadioError};

use crate::table::Failure;

/// Two adapters in range of each other.
pub(crate) struct SystemRig {
    scanner: SystemScanner,
    advertiser: SystemRadio,
    /// The scanner's adapter, for connecting.
    connector: SystemRadio,
    /// What BlueZ says of the two.
    listening: bluer::Adapter,
    sending: bluer::Adapter,
    mark: [u8; 6],
}

impl SystemRig {
    pub(crate) async fn open(scanner: &str, advertiser: &str) -> Result<Self, Failure> {
        let session = bluer::Session::new().await.map_err(Failure::needed("BlueZ"))?;
        let mut mark = [0; 6];
        getrandom::fill(&mut mark).map_err(Failure::needed("randomness"))?;
        Ok(Self {
            scanner: SystemScanner::open(Some(scanner)).await?,
            advertiser: SystemRadio::open(Some(advertiser)).await?,
            connector: SystemRadio::open(Some(scanner)).await?,
            listening: session.adapter(scanner).map_err(Failure::needed("the adapter"))?,
            sending: session.adapter(advertiser).map_err(Failure::needed("the adapter"))?,
            mark,
        })
    }
}

/// BlueZ knows what it does, and has to say so.
fn unsaid(source: bluer::Error) -> RadioError {
    RadioError::Driver { action: "tell what it does", source: source.into() }
}

impl Rig for SystemRig {
    type Scanner = SystemScanner;
    type Advertiser = SystemRadio;

    fn scanner(&self) -> &SystemScanner {
        &self.scanner
    }

    fn advertiser(&self) -> &SystemRadio {
        &self.advertiser
    }

    fn max_data(&self) -> usize {
        PayloadLimit::LEGACY.service_data()
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            hear: Duration::from_secs(20),
            withdraw: Duration::from_secs(2),
            // More than twice as long as an advert's interval of 1.28 s.
            quiet: Duration::from_secs(3),
        }
    }

    async fn running_scans(&self) -> Result<Option<usize>, RadioError> {
        let asked = self.listening.is_discovering().await;
        asked.map(|runs| Some(usize::from(runs))).map_err(unsaid)
    }

    async fn live_adverts(&self) -> Result<Option<usize>, RadioError> {
        let asked = self.sending.active_advertising_instances().await;
        asked.map(|count| Some(usize::from(count))).map_err(unsaid)
    }

    fn mark(&self) -> [u8; 6] {
        self.mark
    }
}

impl l2cap::Rig for SystemRig {
    type Connector = SystemRadio;
    type Listener = SystemRadio;

    fn connector(&self) -> &SystemRadio {
        &self.connector
    }

    fn listener(&self) -> &SystemRadio {
        &self.advertiser
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }
}
