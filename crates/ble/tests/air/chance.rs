//! Chance comes from the seed and from nothing else.

use std::collections::BTreeSet;

use hybridge_ble::sim::{Adapter, Air, AirOptions, SimDevice, TraceEvent, TraceKind};
use hybridge_ble::{Advertiser, Scan, Scanner, Sighting};
use tokio::time::{sleep, timeout};

use crate::{advert, hear_for, ms, next, options, probability};

fn chancy() -> AirOptions {
    options(|o| {
        o.loss = probability(0.3);
        o.duplication = probability(0.2);
        o.stale = probability(0.2);
        (o.delay, o.jitter) = (ms(5), ms(250));
    })
}

/// Two phones and two laptops come and go for five seconds.
async fn busy_seconds(seed: u64) -> (Vec<TraceEvent>, Vec<Sighting>) {
    let air = Air::with_options(seed, &chancy());
    let (first, second) = (air.device("first phone"), air.device("second phone"));
    let (laptop, other) = (air.device("laptop"), air.device("other laptop"));
    let listen = |laptop: SimDevice, pause| async move {
        let mut heard = Vec::new();
        for _ in 0..3 {
            sleep(ms(pause)).await;
            heard.extend(hear_for(&mut laptop.scan().await.unwrap(), ms(1_400)).await);
        }
        heard
    };
    let speak = |phone: SimDevice, pause| async move {
        for byte in 0..5 {
            let _handle = phone.advertise(advert(byte)).await.unwrap();
            sleep(ms(pause)).await;
        }
        phone.set_adapter(Adapter::PoweredOff);
    };
    let (mut heard, more, (), ()) =
        tokio::join!(listen(laptop, 100), listen(other, 0), speak(first, 800), speak(second, 950));
    heard.extend(more);
    (air.trace(), heard)
}

fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let mut traces = BTreeSet::new();
    for seed in 0..300 {
        let once = run(busy_seconds(seed));
        let again = run(busy_seconds(seed));
        assert!(once == again, "seed {seed}");
        assert!(once.1.len() > 50, "seed {seed}");
        traces.insert(format!("{:?}", once.0));
    }
    assert_eq!(traces.len(), 300);
}

#[test]
fn the_fraction_of_a_millisecond_at_which_a_clock_stops_leaves_no_mark() {
    let paused_somewhere = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            tokio::time::pause();
            busy_seconds(7).await.0
        })
    };
    let expected = paused_somewhere();
    for _ in 0..5 {
        assert!(paused_somewhere() == expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_rate_of_losses_is_the_one_asked_for() {
    for (loss, range) in [(0.1, 860..940), (0.5, 440..560), (0.9, 60..140)] {
        let air = Air::with_options(11, &options(|o| o.loss = probability(loss)));
        let (laptop, phone) = (air.device("laptop"), air.device("phone"));
        let mut scan = laptop.scan().await.unwrap();
        let _handle = phone.advertise(advert(1)).await.unwrap();
        let heard = hear_for(&mut scan, ms(99_950)).await.len();
        assert!(range.contains(&heard), "{heard} of 1000 at a loss of {loss}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_scan_has_its_own_luck() {
    let air = Air::with_options(11, &options(|o| o.loss = probability(0.5)));
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let (mut one, mut two) = (laptop.scan().await.unwrap(), laptop.scan().await.unwrap());
    let _handle = phone.advertise(advert(1)).await.unwrap();
    let missed = |scan| {
        let lost =
            move |event: &TraceEvent| matches!(event.kind, TraceKind::Lost { scan: by, .. } if by == scan);
        air.trace().into_iter().filter(lost).map(|event| event.at).collect::<Vec<_>>()
    };
    tokio::join!(hear_for(&mut one, ms(5_000)), hear_for(&mut two, ms(5_000)));
    assert_ne!(missed(one.id()), missed(two.id()));
}

#[test]
fn what_others_do_changes_nothing_for_a_pair() {
    let heard_in = |crowded: bool| async move {
        let air = Air::with_options(13, &chancy());
        let (laptop, phone) = (air.device_in("laptop", ["desk"]), air.device_in("phone", ["desk"]));
        let (other, another) = (air.device_in("other", ["hall"]), air.device_in("another", ["hall"]));
        let crowd = async {
            let _handle = other.advertise(advert(77)).await.unwrap();
            let mut scan = another.scan().await.unwrap();
            loop {
                // Gives up and asks again at odd times, which makes the air catch up then.
                let _sighting = timeout(ms(7), scan.next()).await;
            }
        };
        let pair = async {
            let _handle = phone.advertise(advert(1)).await.unwrap();
            let mut scan = laptop.scan().await.unwrap();
            let mut heard = Vec::new();
            for _ in 0..100 {
                heard.push((next(&mut scan).await.unwrap(), air.started().elapsed()));
            }
            heard
        };
        tokio::select! {
            heard = pair => heard,
            () = crowd, if crowded => unreachable!("a crowd has no end"),
        }
    };
    assert_eq!(run(heard_in(false)), run(heard_in(true)));
}

#[tokio::test(start_paused = true)]
async fn jitter_beyond_the_interval_changes_the_order() {
    let air = Air::with_options(17, &options(|o| o.jitter = ms(1_000)));
    let (laptop, first, second) = (air.device("laptop"), air.device("first"), air.device("second"));
    let mut scan = laptop.scan().await.unwrap();
    let handle = first.advertise(advert(1)).await.unwrap();
    sleep(ms(1_000)).await;
    drop(handle);
    let _handle = second.advertise(advert(2)).await.unwrap();
    let heard: Vec<u8> = hear_for(&mut scan, ms(3_000)).await.iter().map(|heard| heard.data[0]).collect();
    assert!(!heard.is_sorted(), "{heard:?}");
}
