//! What BlueZ is asked to send, and asked again after it has forgotten it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bluer::ErrorKind;
use bluer::adv::{Advertisement as Form, AdvertisementHandle, Type};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Host, sort};
use crate::system_bus::named;
use crate::{Advertisement, PayloadLimit, RadioError};

/// A list of one 16-bit UUID: length, type and the UUID.
const LIST: usize = 4;
/// How often an advert is repeated, where BlueZ heeds it.
const INTERVAL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(150));

/// How long BlueZ may refuse an advert once more after it was gone, and the pause before it is asked again.
const BUSY: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(200);

/// An advert on the air. Dropping it withdraws the advert.
#[must_use = "dropping the handle withdraws the advert"]
pub struct SystemAdvert {
    _hold: oneshot::Sender<()>,
}

impl SystemAdvert {
    /// Puts an advert on the air, and keeps it there until this is dropped.
    pub(super) async fn put_up(host: Arc<Host>, advert: &Advertisement) -> Result<Self, RadioError> {
        let form = form(advert);
        let upsets = host.watch.upsets();
        let registered = register(&host, &form).await?;
        let (hold, end) = oneshot::channel();
        tokio::spawn(keep(host, form, registered, upsets, end));
        Ok(Self { _hold: hold })
    }
}

impl fmt::Debug for SystemAdvert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemAdvert").finish_non_exhaustive()
    }
}

/// Registers an advert again whenever BlueZ may have forgotten it, until the other end of `end` is dropped.
async fn keep(
    host: Arc<Host>,
    form: Form,
    registered: AdvertisementHandle,
    mut upsets: watch::Receiver<u64>,
    mut end: oneshot::Receiver<()>,
) {
    let mut registered = Some(registered);
    loop {
        tokio::select! {
            _ = &mut end => return,
            // The sender is part of the host.
            _ = upsets.changed() => {}
        }
        let renewed = tokio::select! {
            _ = &mut end => return,
            renewed = renew(&host, &form, &mut upsets) => renewed,
        };
        match renewed {
            // The one before is withdrawn, should BlueZ know it still.
            Ok(again) => drop(registered.replace(again)),
            Err(fault) if host.bus.is_gone() => {
                tracing::warn!(%fault, "an advert is off the air for good");
                return;
            }
            Err(fault) => tracing::warn!(%fault, "an advert is off the air until the adapter can be used"),
        }
    }
}

/// Registers an advert as soon as the adapter can be used.
async fn renew(
    host: &Arc<Host>,
    form: &Form,
    upsets: &mut watch::Receiver<u64>,
) -> Result<AdvertisementHandle, RadioError> {
    let begun = Instant::now();
    loop {
        host.bus.settle(host.adapter.name()).await?;
        upsets.mark_unchanged();
        match register(host, form).await {
            Err(_) if begun.elapsed() < BUSY => sleep(AGAIN).await,
            result => return result,
        }
    }
}

/// Registers an advert in a task of its own, so that the answer is awaited, and the advert withdrawn, even if the caller
/// gives up.
async fn register(host: &Arc<Host>, form: &Form) -> Result<AdvertisementHandle, RadioError> {
    let (host, form) = (Arc::clone(host), form.clone());
    let asked = tokio::spawn(async move { host.adapter.advertise(form).await });
    let answer = asked.await.map_err(|cause| named("advertise", "", cause.into()))?;
    answer.map_err(|cause| match cause.kind {
        ErrorKind::NotPermitted => RadioError::TooManyAdverts,
        _ => sort("advertise", cause),
    })
}

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
