//! What attackers can do with an ordinary device.

use std::collections::BTreeSet;

use hybridge_ble::sim::{Air, Arrival, TraceKind};
use hybridge_ble::{Advertisement, Advertiser, Scanner, ServiceUuid};

use crate::{advert, hear_for, ms, next, options, probability};

#[tokio::test(start_paused = true)]
async fn a_recorded_advert_can_be_sent_again_elsewhere_and_later() {
    let air = Air::new(1);
    let victim = air.device_in("victim", ["home"]);
    let target = air.device_in("target", ["office"]);
    let attacker = air.device_in("attacker", ["home"]);

    let handle = victim.advertise(advert(9)).await.unwrap();
    let recorded = next(&mut attacker.scan().await.unwrap()).await.unwrap();
    drop(handle);
    attacker.move_to(["office"]);
    let replay = Advertisement::new(recorded.uuid, recorded.data.clone());
    let _replayed = attacker.advertise_from(replay, recorded.device).unwrap();

    let heard = next(&mut target.scan().await.unwrap()).await.unwrap();
    assert_eq!(heard, recorded, "data and even the address are the victim's");
}

#[tokio::test(start_paused = true)]
async fn arbitrary_data_goes_through_as_it_is() {
    let air = Air::new(1);
    let (laptop, attacker) = (air.device("laptop"), air.device("attacker"));
    let mut scan = laptop.scan().await.unwrap();
    for data in [vec![], vec![0], vec![0xFF; 24], (0..24).collect::<Vec<u8>>()] {
        for uuid in ServiceUuid::ALL {
            let handle = attacker.advertise(Advertisement::new(uuid, data.clone())).await.unwrap();
            let heard = next(&mut scan).await.unwrap();
            assert_eq!((heard.uuid, &heard.data), (uuid, &data));
            drop(handle);
            hear_for(&mut scan, ms(1)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_session_has_a_fresh_random_address() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut addresses = BTreeSet::new();
    for _ in 0..100 {
        let mut scan = laptop.scan().await.unwrap();
        let handle = phone.advertise(advert(1)).await.unwrap();
        let first = next(&mut scan).await.unwrap().device;
        assert_eq!(next(&mut scan).await.unwrap().device, first, "one address within a session");
        assert!(addresses.insert(first));
        drop(handle);
    }
}

#[tokio::test(start_paused = true)]
async fn a_scan_is_handed_adverts_of_earlier_sessions() {
    let air = Air::with_options(1, &options(|o| o.stale = probability(1.0)));
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let handle = phone.advertise(advert(1)).await.unwrap();
    let old = next(&mut scan).await.unwrap();
    assert!(
        hear_for(&mut scan, ms(1_000)).await.iter().all(|heard| *heard == old),
        "an advert on the air is not old"
    );
    drop((handle, scan));

    let mut scan = laptop.scan().await.unwrap();
    let handed = hear_for(&mut scan, ms(60_000)).await;
    assert_eq!(handed, std::slice::from_ref(&old), "at its start, with the address of then");

    let _handle = phone.advertise(advert(2)).await.unwrap();
    let heard = hear_for(&mut scan, ms(1_050)).await;
    let stale = heard.iter().filter(|heard| **heard == old).count();
    assert_eq!((stale, heard.len()), (11, 22), "and with each packet of the new session");

    let told = air.trace().into_iter().filter(|event| {
        matches!(&event.kind, TraceKind::Heard { arrival: Arrival::Stale, from, .. } if &**from == "phone")
    });
    assert_eq!(told.count(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_never_heard_an_advert_is_not_handed_it() {
    let air = Air::with_options(1, &options(|o| o.stale = probability(1.0)));
    let (laptop, phone, stranger) = (air.device("laptop"), air.device("phone"), air.device("stranger"));
    let mut scan = laptop.scan().await.unwrap();
    let handle = phone.advertise(advert(1)).await.unwrap();
    next(&mut scan).await.unwrap();
    drop(handle);
    assert_eq!(hear_for(&mut stranger.scan().await.unwrap(), ms(10_000)).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_device_remembers_the_newest_sixteen_adverts() {
    let air = Air::with_options(1, &options(|o| o.stale = probability(1.0)));
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    for byte in 0..20 {
        let mut scan = laptop.scan().await.unwrap();
        let _handle = phone.advertise(advert(byte)).await.unwrap();
        while next(&mut scan).await.unwrap().data != [byte; 20] {}
    }
    let handed = hear_for(&mut laptop.scan().await.unwrap(), ms(1_000)).await;
    let mut bytes: Vec<u8> = handed.iter().map(|heard| heard.data[0]).collect();
    bytes.sort_unstable();
    assert_eq!(bytes, (4..20).collect::<Vec<u8>>());
}
