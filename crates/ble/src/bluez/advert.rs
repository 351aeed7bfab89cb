//! What BlueZ is asked to send.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bluer::adv::{Advertisement as Form, Type};
use uuid::Uuid;

use crate::{Advertisement, PayloadLimit};

/// A list of one 16-bit UUID: length, type and the UUID.
const LIST: usize = 4;
/// How often an advert is repeated, where BlueZ heeds it.
const INTERVAL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(150));

/// The advert in BlueZ's terms. The flags are the kernel's to add; no name, appearance or power is sent.
///
/// The list of UUIDs says nothing that the service data does not say, but some scanners let the system filter by it.
/// It is there whenever it fits.
pub(super) fn form(advert: &Advertisement) -> Form {
    let uuid = Uuid::from_u128(advert.uuid.long());
    let listed = advert.data.len().saturating_add(LIST) <= PayloadLimit::LEGACY.service_data();
    Form {
        advertisement_type: if advert.connectable { Type::Peripheral } else { Type::Broadcast },
        service_uuids: if listed { BTreeSet::from([uuid]) } else { BTreeSet::new() },
        service_data: BTreeMap::from([(uuid, advert.data.clone())]),
        min_interval: Some(INTERVAL.0),
        max_interval: Some(INTERVAL.1),
        ..Form::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServiceUuid;

    const FIDO: Uuid = Uuid::from_u128(0x0000fff9_0000_1000_8000_00805f9b34fb);

    #[test]
    fn an_advert_carries_service_data_and_a_list_that_fits() {
        let form = form(&Advertisement::new(ServiceUuid::Fido, [7; 20]));
        assert_eq!(form.advertisement_type, Type::Broadcast);
        assert_eq!(form.service_data, BTreeMap::from([(FIDO, vec![7; 20])]));
        assert_eq!(form.service_uuids, BTreeSet::from([FIDO]));
        assert_eq!((form.local_name, form.tx_power, form.appearance), (None, None, None));
        assert!(form.system_includes.is_empty() && form.manufacturer_data.is_empty());
    }

    #[test]
    fn a_list_that_does_not_fit_is_left_out() {
        for length in 21..=24 {
            let form = form(&Advertisement::new(ServiceUuid::Fido, vec![7; length]));
            assert!(form.service_uuids.is_empty(), "{length} bytes");
        }
    }

    #[test]
    fn a_connectable_advert_is_a_peripheral() {
        let form = form(&Advertisement::new(ServiceUuid::Google, [7; 24]).connectable());
        assert_eq!(form.advertisement_type, Type::Peripheral);
        assert_eq!(form.discoverable, None);
    }
}
