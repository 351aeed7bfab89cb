//! From what the system reports to sightings.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use ::btleplug::api::{AddressType, Central, CentralEvent, Peripheral, PeripheralProperties};
use ::btleplug::platform::{Adapter, PeripheralId};
use futures_util::{Stream, StreamExt};
use tokio::sync::{broadcast, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use super::host::sort;
use crate::{AddressKind, DeviceAddress, RadioError, ServiceUuid, Sighting};

/// How many sightings wait for a caller who does not ask for them. The oldest give way then.
const WAITING: usize = 256;
/// How long the system has to be silent for nothing to be on its way any more.
const SILENCE: Duration = Duration::from_millis(200);

type Events = Pin<Box<dyn Stream<Item = CentralEvent> + Send>>;
type ServiceData = HashMap<Uuid, Vec<u8>>;

/// What the system reports of an adapter, for all scans.
///
/// There is one for the life of a scanner and not one for each scan: the library panics in the background when an
/// event arrives while its stream of events is dropped.
pub(super) struct Ear {
    adapter: Adapter,
    heard: broadcast::Sender<Sighting>,
    _open: oneshot::Sender<()>,
}

impl Ear {
    pub(super) async fn open(adapter: Adapter) -> Result<Self, RadioError> {
        let events = adapter.events().await.map_err(|cause| sort("listen", cause))?;
        let (heard, _) = broadcast::channel(WAITING);
        let (open, closed) = oneshot::channel();
        tokio::spawn(read(adapter.clone(), events, heard.clone(), closed));
        Ok(Self { adapter, heard, _open: open })
    }

    /// What is reported from now on.
    pub(super) fn listen(&self) -> broadcast::Receiver<Sighting> {
        self.heard.subscribe()
    }

    /// What the system remembers.
    pub(super) async fn remembered(&self) -> Result<Vec<Sighting>, RadioError> {
        let devices = self.adapter.peripherals().await.map_err(|cause| sort("scan", cause))?;
        let mut found = Vec::new();
        for device in devices {
            if let Ok(Some(properties)) = device.properties().await {
                found.extend(sightings(&properties, None));
            }
        }
        Ok(found)
    }
}

/// Reads events until it is closed, and then what is still on its way.
async fn read(
    adapter: Adapter,
    mut events: Events,
    heard: broadcast::Sender<Sighting>,
    mut closed: oneshot::Receiver<()>,
) {
    loop {
        tokio::select! {
            biased;
            _ = &mut closed => break,
            event = events.next() => {
                let Some(event) = event else { return };
                if heard.receiver_count() > 0 {
                    tell(&adapter, event, &heard).await;
                }
            }
        }
    }
    while let Ok(Some(_)) = timeout(SILENCE, events.next()).await {}
}

/// Tells the scans what an event says about the services that concern them.
async fn tell(adapter: &Adapter, event: CentralEvent, heard: &broadcast::Sender<Sighting>) {
    let (id, fresh) = match event {
        // At first sight there is no event of its own for the service data.
        CentralEvent::DeviceDiscovered(id) | CentralEvent::DeviceUpdated(id) => (id, None),
        CentralEvent::ServiceDataAdvertisement { id, service_data } if concerns(&service_data) => {
            (id, Some(service_data))
        }
        _ => return,
    };
    // A device that is gone by now is no loss: whoever still advertises is reported again.
    let Some(properties) = properties(adapter, &id).await else { return };
    for sighting in sightings(&properties, fresh.as_ref()) {
        // That the last scan ended meanwhile is nobody's loss.
        let _ = heard.send(sighting);
    }
}

async fn properties(adapter: &Adapter, id: &PeripheralId) -> Option<PeripheralProperties> {
    adapter.peripheral(id).await.ok()?.properties().await.ok()?
}

fn concerns(service_data: &ServiceData) -> bool {
    service_data.keys().any(|uuid| ServiceUuid::from_long(uuid.as_u128()).is_some())
}

/// The service data under either UUID: what an event brought, or else what the system remembers of the device.
fn sightings(properties: &PeripheralProperties, fresh: Option<&ServiceData>) -> Vec<Sighting> {
    let device = address(properties);
    let data = fresh.unwrap_or(&properties.service_data);
    let ours = data.iter().filter_map(|(uuid, bytes)| Some((ServiceUuid::from_long(uuid.as_u128())?, bytes)));
    ours.map(|(uuid, bytes)| Sighting::new(uuid, bytes.clone(), device)).collect()
}

fn address(properties: &PeripheralProperties) -> DeviceAddress {
    let kind = match properties.address_type {
        Some(AddressType::Public) => AddressKind::Public,
        Some(AddressType::Random) | None => AddressKind::Random,
    };
    DeviceAddress::new(properties.address.into_inner(), kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(data: &[(u128, &[u8])]) -> PeripheralProperties {
        PeripheralProperties {
            address: [1, 2, 3, 4, 5, 6].into(),
            address_type: Some(AddressType::Public),
            service_data: remembered(data),
            ..PeripheralProperties::default()
        }
    }

    fn remembered(data: &[(u128, &[u8])]) -> ServiceData {
        data.iter().map(|(uuid, bytes)| (Uuid::from_u128(*uuid), bytes.to_vec())).collect()
    }

    #[test]
    fn both_uuids_are_picked_and_no_other() {
        let properties = seen(&[
            (ServiceUuid::Fido.long(), &[1; 20]),
            (ServiceUuid::Google.long(), &[2; 20]),
            (0x0000_180f_0000_1000_8000_0080_5f9b_34fb, &[3; 20]),
        ]);
        let mut found = sightings(&properties, None);
        found.sort_by_key(|sighting| sighting.uuid);
        let device = DeviceAddress::new([1, 2, 3, 4, 5, 6], AddressKind::Public);
        let expected = [
            Sighting::new(ServiceUuid::Fido, [1; 20], device),
            Sighting::new(ServiceUuid::Google, [2; 20], device),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_an_event_brings_replaces_what_is_remembered() {
        let properties = seen(&[(ServiceUuid::Fido.long(), &[1; 20])]);
        let fresh = remembered(&[(ServiceUuid::Fido.long(), &[9; 24])]);
        let found = sightings(&properties, Some(&fresh));
        assert_eq!(found.iter().map(|sighting| sighting.data.as_slice()).collect::<Vec<_>>(), [[9; 24]]);
    }

    #[test]
    fn events_about_other_services_are_left_alone() {
        assert!(!concerns(&ServiceData::new()));
        assert!(!concerns(&remembered(&[(0x180f, &[1])])));
        assert!(concerns(&remembered(&[(0x180f, &[1]), (ServiceUuid::Google.long(), &[])])));
    }

    #[test]
    fn an_address_of_unknown_kind_counts_as_random() {
        for (kind, expected) in [
            (Some(AddressType::Public), AddressKind::Public),
            (Some(AddressType::Random), AddressKind::Random),
            (None, AddressKind::Random),
        ] {
            let properties = PeripheralProperties { address_type: kind, ..seen(&[]) };
            assert_eq!(address(&properties).kind(), expected);
        }
    }
}
