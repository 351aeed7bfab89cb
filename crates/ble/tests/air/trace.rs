//! The recorder.

use hybridge_ble::sim::{Adapter, Air, Arrival, LossReason, TraceEvent, TraceKind, TraceStream};
use hybridge_ble::{Advertiser, Scanner};
use tokio::time::{sleep, timeout};

use crate::{advert, hear_for, ms, next, options, probability};

#[tokio::test(start_paused = true)]
async fn a_session_reads_as_lines() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    sleep(ms(50)).await;
    let mut scan = laptop.scan().await.unwrap();
    let handle = phone.advertise(advert(1)).await.unwrap();
    let heard = next(&mut scan).await.unwrap();
    drop(handle);
    drop(scan);
    phone.move_to(["street", "bus"]);
    phone.set_adapter(Adapter::PoweredOff);
    phone.scan().await.unwrap_err();
    let lines: Vec<String> = air.trace().iter().map(|event| event.to_string().trim().to_owned()).collect();
    let now = air.started().elapsed().as_millis();
    let expected = [
        "50 ms  laptop starts scan 0".to_owned(),
        format!("50 ms  phone starts advert 0: 20 bytes under Fido from {}", heard.device),
        format!("{now} ms  laptop hears advert 0 of phone"),
        format!("{now} ms  phone ends advert 0"),
        format!("{now} ms  laptop ends scan 0"),
        format!("{now} ms  phone moves to [bus, street]"),
        format!("{now} ms  phone has its adapter PoweredOff"),
        format!("{now} ms  phone is refused a scan"),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test(start_paused = true)]
async fn losses_and_copies_are_told_apart() {
    let chancy = options(|o| (o.loss, o.duplication) = (probability(0.5), probability(0.5)));
    let air = Air::with_options(3, &chancy);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    let heard = hear_for(&mut scan, ms(19_950)).await;
    let trace = air.trace();
    let count =
        |wanted: &dyn Fn(&TraceKind) -> bool| trace.iter().filter(|event| wanted(&event.kind)).count();
    let direct = count(&|kind| matches!(kind, TraceKind::Heard { arrival: Arrival::Direct, .. }));
    let copies = count(&|kind| matches!(kind, TraceKind::Heard { arrival: Arrival::Duplicate, .. }));
    let lost = count(&|kind| matches!(kind, TraceKind::Lost { reason: LossReason::Radio, .. }));
    assert_eq!(direct + lost, 200, "every packet is heard or lost");
    assert_eq!(direct + copies, heard.len());
    assert!((70..130).contains(&lost) && (30..70).contains(&copies), "{lost} lost, {copies} copies");
}

#[tokio::test(start_paused = true)]
async fn overflow_is_a_loss_with_a_reason_of_its_own() {
    let air = Air::new(3);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let _scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    sleep(ms(109_950)).await;
    let full =
        |event: &TraceEvent| matches!(event.kind, TraceKind::Lost { reason: LossReason::QueueFull, .. });
    assert_eq!(air.trace().into_iter().filter(full).count(), 1100 - 1024);
}

/// The next event. Nothing here is an hour away.
async fn next_event(stream: &mut TraceStream) -> TraceEvent {
    timeout(ms(3_600_000), stream.next()).await.expect("an event within an hour")
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_reads_the_same_events_when_they_happen() {
    let air = Air::with_options(5, &options(|o| (o.loss, o.delay) = (probability(0.5), ms(50))));
    let mut stream = air.subscribe();
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let started = air.started();
    let reader = tokio::spawn(async move {
        let mut events = Vec::new();
        while let Ok(event) = timeout(ms(1_000), stream.next()).await {
            assert_eq!(event.at, started.elapsed(), "{event}");
            events.push(event);
        }
        events
    });
    let mut scan = laptop.scan().await.unwrap();
    let handle = phone.advertise(advert(1)).await.unwrap();
    hear_for(&mut scan, ms(3_000)).await;
    drop((handle, scan));
    let read = reader.await.unwrap();
    assert!(read.len() > 20);
    assert!(read == air.trace());
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_sees_losses_of_a_scan_that_nobody_polls() {
    let air = Air::with_options(5, &options(|o| o.loss = probability(1.0)));
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let _scan = laptop.scan().await.unwrap();
    let _handle = phone.advertise(advert(1)).await.unwrap();
    let mut stream = air.subscribe();
    for packet in 0_u64..10 {
        let event = next_event(&mut stream).await;
        assert!(matches!(event.kind, TraceKind::Lost { .. }), "{event}");
        assert!((ms(packet * 100)..=ms(packet * 100 + 10)).contains(&event.at));
        assert_eq!(event.at, air.started().elapsed(), "read when it happened");
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_events_are_kept_and_slow_readers_continue_there() {
    let air = Air::new(1);
    let mut stream = air.subscribe();
    let device = air.device("device");
    for _ in 0..20_000 {
        device.set_adapter(Adapter::Working);
    }
    device.set_adapter(Adapter::Missing);
    let trace = air.trace();
    assert_eq!(trace.len(), 16_384);
    assert_eq!(trace.last().unwrap().kind, TraceKind::AdapterChanged { adapter: Adapter::Missing });
    for event in trace {
        assert_eq!(next_event(&mut stream).await, event);
    }
    assert!(timeout(ms(1_000), stream.next()).await.is_err(), "nothing is left to read");
    device.set_adapter(Adapter::Faulty);
    let event = next_event(&mut stream).await;
    assert_eq!(event.kind, TraceKind::AdapterChanged { adapter: Adapter::Faulty });
}

#[test]
fn time_does_not_run_backwards_when_a_virtual_clock_ends() {
    let air = Air::new(1);
    let phone = air.device("phone");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let handle = runtime.block_on(async {
        sleep(ms(3_600_000)).await;
        phone.advertise(advert(1)).await.unwrap()
    });
    drop(handle);
    let times: Vec<_> = air.trace().into_iter().map(|event| event.at).collect();
    assert!(times.len() == 2 && times[0] == times[1] && times[0] >= ms(3_600_000), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn no_form_of_an_event_shows_the_data() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let mut scan = laptop.scan().await.unwrap();
    let handle = phone.advertise(advert(0xD7)).await.unwrap();
    let heard = next(&mut scan).await.unwrap();
    let text = format!("{:?} {handle:?} {scan:?} {heard:?} {phone:?} {air:?}", air.trace()).to_lowercase();
    for form in ["d7d7", "215, 215", "d7, d7"] {
        assert!(!text.contains(form), "{text}");
    }
}
