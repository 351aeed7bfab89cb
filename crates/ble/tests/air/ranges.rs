//! Who hears whom.

use hybridge_ble::sim::{Air, RangeGroup};
use hybridge_ble::{Advertiser, Scanner};
use tokio::time::timeout;

use crate::{advert, hear_for, ms, next};

#[tokio::test(start_paused = true)]
async fn devices_hear_those_who_share_a_group_and_nobody_else() {
    let air = Air::new(1);
    let phone = air.device_in("phone", ["desk"]);
    let _handle = phone.advertise(advert(1)).await.unwrap();
    for (groups, hears) in [
        (vec!["desk"], true),
        (vec!["cafe", "desk"], true),
        (vec!["cafe"], false),
        (vec!["here"], false),
        (vec![], false),
    ] {
        let laptop = air.device_in("laptop", groups.clone());
        let heard = hear_for(&mut laptop.scan().await.unwrap(), ms(1_000)).await;
        assert_eq!(!heard.is_empty(), hears, "{groups:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_between_two_places_hears_both() {
    let air = Air::new(1);
    let (left, right) = (air.device_in("left", ["a"]), air.device_in("right", ["b"]));
    let middle = air.device_in("middle", ["a", "b"]);
    let _handles = (left.advertise(advert(1)).await.unwrap(), right.advertise(advert(2)).await.unwrap());
    let mut firsts: Vec<u8> = hear_for(&mut middle.scan().await.unwrap(), ms(150))
        .await
        .iter()
        .map(|heard| heard.data[0])
        .collect();
    firsts.sort_unstable();
    firsts.dedup();
    assert_eq!(firsts, [1, 2]);
    let heard = hear_for(&mut left.scan().await.unwrap(), ms(1_000)).await;
    assert_eq!(heard, [], "right is out of range, and nobody hears their own advert");
}

#[tokio::test(start_paused = true)]
async fn moving_takes_effect_while_a_scan_waits() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device_in("phone", ["street"]));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    let waiting = tokio::spawn(async move {
        next(&mut scan).await.unwrap();
        scan
    });
    tokio::time::sleep(ms(5_000)).await;
    assert!(!waiting.is_finished());
    phone.move_to([RangeGroup::default()]);
    let mut scan = timeout(ms(111), waiting).await.expect("the next packet is heard").unwrap();
    phone.move_to::<RangeGroup>([]);
    assert_eq!(hear_for(&mut scan, ms(5_000)).await, []);
}

#[tokio::test(start_paused = true)]
async fn many_devices_are_all_heard_by_each_other() {
    let air = Air::new(1);
    let devices: Vec<_> = (0..40).map(|number| air.device(format!("device {number}"))).collect();
    let mut handles = Vec::new();
    for (byte, device) in (0..).zip(&devices) {
        handles.push(device.advertise(advert(byte)).await.unwrap());
    }
    let mut scans = Vec::new();
    for device in &devices {
        scans.push(device.scan().await.unwrap());
    }
    for (own, scan) in (0..).zip(&mut scans) {
        let mut heard: Vec<u8> = hear_for(scan, ms(120)).await.iter().map(|heard| heard.data[0]).collect();
        heard.sort_unstable();
        heard.dedup();
        let expected: Vec<u8> = (0..40).filter(|byte| *byte != own).collect();
        assert_eq!(heard, expected);
    }
}
