//! When packets are sent, and what becomes of them.

use std::sync::Arc;

use hybridge_ble::sim::{Air, AirOptions};
use hybridge_ble::{Advertisement, Advertiser, PayloadLimit, RadioError, Scan, Scanner, ServiceUuid};
use tokio::runtime::Handle;
use tokio::time::{Instant, advance, sleep, timeout};

use crate::{advert, hear_for, ms, next, options, probability};

#[tokio::test(start_paused = true)]
async fn an_advert_repeats_at_its_interval_until_it_is_withdrawn() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let handle = phone.advertise(advert(1)).await.unwrap();
    for packet in 0_u64..20 {
        next(&mut scan).await.unwrap();
        let late = air.started().elapsed() - ms(packet * 100);
        assert!(late <= ms(10), "packet {packet} is {late:?} late");
    }
    drop(handle);
    assert_eq!(hear_for(&mut scan, ms(60_000)).await, []);
}

#[tokio::test(start_paused = true)]
async fn the_interval_is_an_option() {
    let air = Air::with_options(1, &options(|o| o.interval = ms(1000)));
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    assert_eq!(hear_for(&mut scan, ms(9_500)).await.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_scan_hears_the_packets_from_its_start_on() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let _handle = phone.advertise(advert(1)).await.unwrap();
    sleep(ms(10_050)).await;
    let mut scan = laptop.scan().await.unwrap();
    next(&mut scan).await.unwrap();
    let at = air.started().elapsed();
    assert!((ms(10_100)..=ms(10_110)).contains(&at), "{at:?}");
    assert_eq!(hear_for(&mut scan, ms(950)).await.len(), 9, "no packet of the past");
}

#[tokio::test(start_paused = true)]
async fn skipping_packets_leaves_the_schedule_as_it_is() {
    // In the first air a scan runs from the start, in the second the clock jumps. Later packets are the same.
    let mut times = Vec::new();
    for early_scan in [true, false] {
        let air = Air::new(8);
        let (laptop, phone) = (air.device("laptop"), air.device("phone"));
        let witness = air.device("witness");
        let _early = if early_scan { Some(witness.scan().await.unwrap()) } else { None };
        let _handle = phone.advertise(advert(1)).await.unwrap();
        sleep(ms(5_003)).await;
        let mut scan = laptop.scan().await.unwrap();
        let mut heard = Vec::new();
        for _ in 0..20 {
            next(&mut scan).await.unwrap();
            heard.push(air.started().elapsed());
        }
        times.push(heard);
    }
    assert_eq!(times[0], times[1]);
}

#[tokio::test(start_paused = true)]
async fn delay_and_jitter_move_arrivals() {
    let air = Air::with_options(1, &options(|o| (o.delay, o.jitter) = (ms(40), ms(20))));
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    let mut extremes = (ms(1000), ms(0));
    for packet in 0_u64..200 {
        next(&mut scan).await.unwrap();
        let late = air.started().elapsed() - ms(packet * 100);
        assert!((ms(40)..=ms(70)).contains(&late), "packet {packet} is {late:?} late");
        extremes = (extremes.0.min(late), extremes.1.max(late));
    }
    assert!(extremes.0 < ms(45) && extremes.1 > ms(65), "{extremes:?}");
}

#[tokio::test(start_paused = true)]
async fn packets_on_their_way_outlive_the_advert() {
    let air = Air::with_options(1, &options(|o| o.delay = ms(500)));
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let handle = phone.advertise(advert(1)).await.unwrap();
    sleep(ms(250)).await;
    drop(handle);
    assert_eq!(hear_for(&mut scan, ms(200)).await.len(), 0, "nothing has arrived yet");
    assert_eq!(hear_for(&mut scan, ms(60_000)).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn every_packet_arrives_twice_when_duplication_is_certain() {
    let air = Air::with_options(1, &options(|o| o.duplication = probability(1.0)));
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    assert_eq!(hear_for(&mut scan, ms(1_950)).await.len(), 40);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_heard_when_everything_is_lost() {
    let everything = options(|o| (o.loss, o.duplication) = (probability(1.0), probability(1.0)));
    let air = Air::with_options(1, &everything);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    assert_eq!(hear_for(&mut scan, ms(60_000)).await, []);
}

#[tokio::test(start_paused = true)]
async fn payload_limits_are_those_of_the_air() {
    for payload in [PayloadLimit::LEGACY, PayloadLimit::EXTENDED] {
        let air = Air::with_options(1, &options(|o| o.payload = payload));
        let phone = air.device("phone");
        let max = payload.service_data();
        let fitting = Advertisement::new(ServiceUuid::Fido, vec![0; max]);
        assert!(phone.advertise(fitting).await.is_ok());
        let larger = Advertisement::new(ServiceUuid::Fido, vec![0; max + 1]);
        let refused = phone.advertise(larger).await.unwrap_err();
        assert!(
            matches!(refused, RadioError::AdvertTooLarge { actual, max: told } if (actual, told) == (max + 1, max))
        );
        assert_eq!(phone.live_adverts(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_scan_nobody_reads_keeps_what_its_queue_holds_and_no_more() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let handle = phone.advertise(advert(1)).await.unwrap();
    sleep(ms(200_000)).await;
    drop(handle);
    assert_eq!(hear_for(&mut scan, ms(1_000)).await.len(), 1024);
}

#[tokio::test(start_paused = true)]
async fn reading_a_full_queue_lets_other_tasks_have_their_turn() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    sleep(ms(110_000)).await;
    let other = tokio::spawn(async {});
    for _ in 0..1024 {
        next(&mut scan).await.unwrap();
    }
    assert!(other.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_the_clock_takes_no_time_to_work_out() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    let before = std::time::Instant::now();
    advance(ms(1000 * 3600 * 24 * 365 * 100)).await;
    next(&mut scan).await.unwrap();
    assert!(before.elapsed().as_secs() < 5, "packets of a century: {:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn extreme_options_neither_panic_nor_hang() {
    let extreme = options(|o| {
        o.interval = std::time::Duration::MAX;
        o.delay = std::time::Duration::MAX;
        o.jitter = std::time::Duration::MAX;
        o.payload = PayloadLimit::of_advertising_data(usize::MAX);
    });
    let air = Air::with_options(u64::MAX, &extreme);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(Advertisement::new(ServiceUuid::Google, Vec::new())).await.unwrap();
    assert_eq!(hear_for(&mut scan, ms(100_000)).await, []);
}

#[tokio::test]
async fn the_air_may_be_made_on_one_clock_and_used_on_another() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    tokio::time::pause();
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    let began = Instant::now();
    timeout(ms(1000), scan.next()).await.unwrap().unwrap();
    assert!(began.elapsed() <= ms(12), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_in_the_background_and_nothing_is_left_behind() {
    let name: Arc<str> = "phone".into();
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device(Arc::clone(&name)));
    let stream = air.subscribe();
    let mut scan = laptop.scan().await.unwrap();
    let handle = phone.advertise(advert(1)).await.unwrap();
    next(&mut scan).await.unwrap();
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 0);
    assert!(Arc::strong_count(&name) > 1);
    drop((air, laptop, phone, stream, handle));
    assert!(Arc::strong_count(&name) > 1, "the scan holds the air");
    drop(scan);
    assert_eq!(Arc::strong_count(&name), 1);
}

#[test]
fn an_air_and_its_devices_need_no_runtime_until_they_wait() {
    let air = Air::with_options(1, &AirOptions::default());
    let phone = air.device("phone");
    phone.move_to(["elsewhere"]);
    assert_eq!(phone.live_adverts(), 0);
    assert_eq!(air.trace().len(), 1);
}
