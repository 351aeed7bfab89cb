//! Adapters that are missing, off, forbidden, faulty, or die while in use.

use std::error::Error;

use hybridge_ble::sim::{Adapter, Air, TraceKind};
use hybridge_ble::{Advertiser, RadioError, Scan, Scanner};
use tokio::time::{sleep, timeout};

use crate::{advert, hear_for, ms, next};

/// A state of the adapter, and how to recognise the error it gives.
type Fault = (Adapter, fn(&RadioError) -> bool);

const FAULTS: [Fault; 5] = [
    (Adapter::Missing, |error| matches!(error, RadioError::NoAdapter)),
    (Adapter::PoweredOff, |error| matches!(error, RadioError::PoweredOff)),
    (Adapter::Forbidden, |error| matches!(error, RadioError::PermissionDenied)),
    (Adapter::ServiceGone, |error| matches!(error, RadioError::ServiceGone)),
    (Adapter::Faulty, |error| matches!(error, RadioError::Driver { .. }) && error.source().is_some()),
];

#[tokio::test(start_paused = true)]
async fn a_broken_adapter_refuses_to_start() {
    for (fault, expected) in FAULTS {
        let air = Air::new(1);
        let phone = air.device("phone");
        phone.set_adapter(fault);
        assert!(expected(&phone.scan().await.unwrap_err()), "{fault:?}");
        assert!(expected(&phone.advertise(advert(1)).await.unwrap_err()), "{fault:?}");
        assert_eq!((phone.running_scans(), phone.live_adverts()), (0, 0));
        let refusals =
            air.trace().into_iter().filter(|event| matches!(event.kind, TraceKind::Refused { .. }));
        assert_eq!(refusals.count(), 2);
        phone.set_adapter(Adapter::Working);
        assert!(phone.scan().await.is_ok() && phone.advertise(advert(1)).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_scan_fails_at_once_when_the_adapter_dies_and_stays_failed() {
    for (fault, expected) in FAULTS {
        let air = Air::new(1);
        let laptop = air.device("laptop");
        let mut scan = laptop.scan().await.unwrap();
        let dying = async {
            sleep(ms(700)).await;
            laptop.set_adapter(fault);
        };
        let (error, ()) = tokio::join!(timeout(ms(701), scan.next()), dying);
        assert!(expected(&error.expect("no waiting beyond the fault").unwrap_err()), "{fault:?}");
        laptop.set_adapter(Adapter::Working);
        assert!(expected(&next(&mut scan).await.unwrap_err()), "a failed scan does not come back");
        assert_eq!(laptop.running_scans(), 0);
        assert!(laptop.scan().await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_adapter_reports_nothing_it_heard_before() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    sleep(ms(1_000)).await;
    laptop.set_adapter(Adapter::PoweredOff);
    assert!(matches!(next(&mut scan).await, Err(RadioError::PoweredOff)));
}

#[tokio::test(start_paused = true)]
async fn the_first_fault_is_the_one_a_scan_reports() {
    let air = Air::new(1);
    let laptop = air.device("laptop");
    let mut scan = laptop.scan().await.unwrap();
    laptop.set_adapter(Adapter::PoweredOff);
    laptop.set_adapter(Adapter::Missing);
    assert!(matches!(next(&mut scan).await, Err(RadioError::PoweredOff)));
}

#[tokio::test(start_paused = true)]
async fn adverts_leave_the_air_with_their_adapter() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let handle = phone.advertise(advert(1)).await.unwrap();
    assert!(!hear_for(&mut scan, ms(500)).await.is_empty());
    phone.set_adapter(Adapter::PoweredOff);
    assert_eq!(hear_for(&mut scan, ms(5_000)).await, []);
    phone.set_adapter(Adapter::Working);
    assert_eq!(hear_for(&mut scan, ms(5_000)).await, [], "switching on brings no advert back");
    drop(handle);
    let ends = air.trace().into_iter().filter(|event| matches!(event.kind, TraceKind::AdvertEnded { .. }));
    assert_eq!(ends.count(), 1, "an advert ends once");
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_only_scans_says_so() {
    let air = Air::new(1);
    let laptop = air.device("laptop");
    let scan = laptop.scan().await.unwrap();
    laptop.set_adapter(Adapter::ScanOnly);
    let refused = laptop.advertise(advert(1)).await.unwrap_err();
    assert!(matches!(refused, RadioError::Unsupported { action: "advertise" }), "{refused}");
    assert_eq!(laptop.running_scans(), 1);
    drop(scan);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_one_device_leaves_the_others_alone() {
    let air = Air::new(1);
    let (laptop, phone, other) = (air.device("laptop"), air.device("phone"), air.device("other"));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    other.set_adapter(Adapter::Missing);
    assert!(next(&mut scan).await.is_ok());
}
