//! Connections between two adapters: found by an advert, as in the protocol.

use std::time::Duration;

use hybridge_ble::bluez::{SystemRadio, SystemSocket};
use hybridge_ble::btleplug::SystemScanner;
use hybridge_ble::l2cap::{L2capConnector, L2capListener, L2capListening, L2capSocket};
use hybridge_ble::{Advertisement, Advertiser, DeviceAddress, RadioError, Scan, Scanner, ServiceUuid};
use tokio::time::timeout;

use crate::table::{Failure, Table};

/// Far more than a connection takes.
const SOON: Duration = Duration::from_secs(20);

struct Devices {
    scanner: SystemScanner,
    laptop: SystemRadio,
    phone: SystemRadio,
}

/// Runs every case. The first adapter listens and connects, the second advertises and is connected to.
///
/// # Errors
/// [`Failure::Radio`] when an adapter cannot be opened. What goes wrong later is in the table.
///
/// # Cancel safety
/// Dropping the future leaves nothing on the air and no connection open.
pub async fn run(scanner: &str, advertiser: &str) -> Result<Table, Failure> {
    let devices = Devices {
        scanner: SystemScanner::open(Some(scanner)).await?,
        laptop: SystemRadio::open(Some(scanner)).await?,
        phone: SystemRadio::open(Some(advertiser)).await?,
    };
    let mut table = Table::new("L2CAP", 5);
    table.case("packets arrive whole and in order", packets(&devices)).await;
    table.case("a packet that is too large is refused", too_large(&devices)).await;
    table.case("the end of a connection is noticed", ends(&devices)).await;
    table.case("nobody listens at this PSM", refused(&devices)).await;
    table.case("a PSM is free again when it is dropped", dropped(&devices)).await;
    Ok(table)
}

impl Devices {
    /// Finds the phone by a connectable advert that carries a PSM in its suffix.
    async fn find(&self, psm: u16) -> Result<DeviceAddress, Failure> {
        let mut data = [0; 24];
        getrandom::fill(&mut data).map_err(Failure::needed("randomness"))?;
        let [low, high] = psm.to_le_bytes();
        let [.., a, b] = &mut data;
        (*a, *b) = (low, high);
        let mut scan = self.scanner.scan().await?;
        let _advert = self.phone.advertise(Advertisement::new(ServiceUuid::Fido, data).connectable()).await?;
        let heard = async {
            loop {
                let heard = scan.next().await?;
                if heard.data == data {
                    return Ok(heard.device);
                }
            }
        };
        timeout(SOON, heard).await.map_err(|_| Failure::Stuck)?
    }

    /// Both ends of a new connection. The phone advertises until it is there.
    async fn connect(&self) -> Result<(SystemSocket, SystemSocket), Failure> {
        let mut listening = self.phone.listen().await?;
        let psm = listening.psm();
        if !(0x80..=0xFF).contains(&psm) {
            return Err(Failure::unexpected("a dynamic PSM", psm));
        }
        let device = self.find(psm).await?;
        let reachable = Advertisement::new(ServiceUuid::Fido, [0; 24]).connectable();
        let _reachable = self.phone.advertise(reachable).await?;
        let both = async { tokio::try_join!(self.laptop.connect(device, psm), listening.accept()) };
        Ok(timeout(SOON, both).await.map_err(|_| Failure::Stuck)??)
    }
}

async fn packets(devices: &Devices) -> Result<(), Failure> {
    let (laptop, phone) = devices.connect().await?;
    for (from, to) in [(&laptop, &phone), (&phone, &laptop)] {
        for length in [1, 81, 528, 1023, from.send_mtu()] {
            let packet: Vec<u8> = (0..=250).cycle().take(length).collect();
            let (sent, received) = tokio::join!(from.send(&packet), to.receive());
            sent?;
            if received? != packet {
                return Err(Failure::unexpected("the packet that was sent", length));
            }
        }
    }
    Ok(())
}

async fn too_large(devices: &Devices) -> Result<(), Failure> {
    let (laptop, phone) = devices.connect().await?;
    let packet = vec![7; laptop.send_mtu().saturating_add(1)];
    match laptop.send(&packet).await {
        Err(RadioError::PacketTooLarge { .. }) => {}
        other => return Err(Failure::unexpected("a refusal of the packet", other)),
    }
    laptop.send(b"still good").await?;
    let received = phone.receive().await?;
    (received == b"still good")
        .then_some(())
        .ok_or_else(|| Failure::unexpected("the next packet", received.len()))
}

async fn ends(devices: &Devices) -> Result<(), Failure> {
    let (laptop, phone) = devices.connect().await?;
    drop(phone);
    for _ in 0..2 {
        match timeout(SOON, laptop.receive()).await.map_err(|_| Failure::Stuck)? {
            Err(RadioError::Disconnected) => {}
            other => return Err(Failure::unexpected("the end of the connection", other)),
        }
    }
    Ok(())
}

async fn refused(devices: &Devices) -> Result<(), Failure> {
    let device = devices.find(0xFF).await?;
    let _reachable =
        devices.phone.advertise(Advertisement::new(ServiceUuid::Fido, [0; 24]).connectable()).await?;
    match timeout(SOON, devices.laptop.connect(device, 0xFE)).await.map_err(|_| Failure::Stuck)? {
        Err(RadioError::Unreachable) => Ok(()),
        other => Err(Failure::unexpected("no connection", other)),
    }
}

async fn dropped(devices: &Devices) -> Result<(), Failure> {
    let listening = devices.phone.listen().await?;
    let psm = listening.psm();
    drop(listening);
    let again = devices.phone.listen().await?;
    (again.psm() == psm).then_some(()).ok_or_else(|| Failure::unexpected("the same PSM", again.psm()))
}
