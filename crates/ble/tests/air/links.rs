//! Connections between devices: who can be reached, and how a connection ends.

use hybridge_ble::l2cap::{L2capConnector, L2capListener, L2capListening, L2capSocket};
use hybridge_ble::sim::{Adapter, Air, SimAdvert, SimDevice, SimListening, SimSocket, TraceKind};
use hybridge_ble::{Advertiser, DeviceAddress, RadioError, Scanner};
use tokio::time::{Instant, timeout};

use super::{advert, ms, next, options};

/// A phone that can be connected to, and a laptop that has heard it.
struct Scene {
    air: Air,
    laptop: SimDevice,
    phone: SimDevice,
    listening: SimListening,
    address: DeviceAddress,
    _advert: SimAdvert,
}

impl Scene {
    async fn new(air: Air) -> Self {
        let (laptop, phone) = (air.device("laptop"), air.device("phone"));
        let listening = phone.listen().await.expect("a working radio");
        let mut scan = laptop.scan().await.expect("a working radio");
        let on_air = phone.advertise(advert(1).connectable()).await.expect("a working radio");
        let address = next(&mut scan).await.expect("a working radio").device;
        Self { air, laptop, phone, listening, address, _advert: on_air }
    }

    async fn connect(&self) -> Result<SimSocket, RadioError> {
        self.laptop.connect(self.address, self.listening.psm()).await
    }

    async fn pair(&mut self) -> (SimSocket, SimSocket) {
        let near = self.connect().await.expect("the phone listens");
        (near, self.listening.accept().await.expect("somebody connected"))
    }
}

fn is_over<T>(result: Result<T, RadioError>) -> bool {
    matches!(result, Err(RadioError::Disconnected))
}

fn is_unreachable<T>(result: Result<T, RadioError>) -> bool {
    matches!(result, Err(RadioError::Unreachable))
}

#[tokio::test(start_paused = true)]
async fn only_connectable_adverts_lead_to_a_device() {
    let air = Air::new(1);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let listening = phone.listen().await.unwrap();
    let mut scan = laptop.scan().await.unwrap();
    let _silent = phone.advertise(advert(1)).await.unwrap();
    let address = next(&mut scan).await.unwrap().device;
    let before = Instant::now();
    assert!(is_unreachable(laptop.connect(address, listening.psm()).await));
    assert_eq!(before.elapsed(), ms(20_000), "it is called for a while");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_comes_into_range_in_time_is_reached() {
    let mut scene = Scene::new(Air::new(1)).await;
    scene.phone.move_to(["away"]);
    let (near, ()) = tokio::join!(scene.connect(), async {
        tokio::time::sleep(ms(5_000)).await;
        scene.phone.move_to(["here"]);
    });
    let far = scene.listening.accept().await.unwrap();
    near.unwrap().send(b"hello").await.unwrap();
    assert_eq!(far.receive().await.unwrap(), b"hello");
}

#[tokio::test(start_paused = true)]
async fn out_of_range_packets_wait_and_after_four_seconds_the_connection_breaks() {
    let mut scene = Scene::new(Air::new(1)).await;
    let (near, far) = scene.pair().await;
    scene.phone.move_to(["away"]);
    near.send(b"held up").await.unwrap();
    assert!(timeout(ms(3_900), far.receive()).await.is_err());
    scene.phone.move_to(["here"]);
    assert_eq!(far.receive().await.unwrap(), b"held up");

    scene.phone.move_to(["away"]);
    near.send(b"lost").await.unwrap();
    let before = Instant::now();
    assert!(is_over(far.receive().await) && is_over(near.receive().await));
    assert_eq!(before.elapsed(), ms(4_000));
    assert!(is_over(near.send(b"more").await));
    assert_eq!((scene.laptop.open_connections(), scene.phone.open_connections()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failed_adapter_takes_its_connections_with_it() {
    let mut scene = Scene::new(Air::new(1)).await;
    let (near, far) = scene.pair().await;
    near.send(b"in time").await.unwrap();
    scene.phone.set_adapter(Adapter::PoweredOff);
    assert_eq!(far.receive().await.unwrap(), b"in time");
    assert!(matches!(far.receive().await, Err(RadioError::PoweredOff)));
    assert!(matches!(far.send(b"late").await, Err(RadioError::PoweredOff)));
    assert!(matches!(scene.listening.accept().await, Err(RadioError::PoweredOff)));
    assert!(matches!(scene.phone.listen().await, Err(RadioError::PoweredOff)));
    let before = Instant::now();
    assert!(is_over(near.receive().await), "the other side does not know why");
    assert_eq!(before.elapsed(), ms(4_000));
}

#[tokio::test(start_paused = true)]
async fn some_adapters_connect_and_cannot_be_connected_to() {
    let scene = Scene::new(Air::new(1)).await;
    scene.laptop.set_adapter(Adapter::ScanOnly);
    assert!(matches!(scene.laptop.listen().await, Err(RadioError::Unsupported { .. })));
    assert!(scene.connect().await.is_ok());
    scene.laptop.set_adapter(Adapter::Forbidden);
    assert!(matches!(scene.connect().await, Err(RadioError::PermissionDenied)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_stops_the_sender() {
    let mut scene = Scene::new(Air::new(1)).await;
    let (near, far) = scene.pair().await;
    for number in 0..8 {
        near.send(&[number]).await.unwrap();
    }
    assert!(timeout(ms(60_000), near.send(&[8])).await.is_err());
    assert_eq!(far.receive().await.unwrap(), [0]);
    near.send(&[8]).await.unwrap();
    for number in 1..9 {
        assert_eq!(far.receive().await.unwrap(), [number]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_leaves_has_its_last_words() {
    let mut scene = Scene::new(Air::new(1)).await;
    let (near, far) = scene.pair().await;
    near.send(b"last").await.unwrap();
    drop(near);
    assert_eq!(far.receive().await.unwrap(), b"last");
    assert!(is_over(far.receive().await) && is_over(far.send(b"who?").await));
}

#[tokio::test(start_paused = true)]
async fn those_who_were_not_accepted_are_sent_away() {
    let scene = Scene::new(Air::new(1)).await;
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(scene.connect().await.expect("there is room"));
    }
    assert!(is_unreachable(scene.connect().await));
    drop(scene.listening);
    for socket in waiting {
        assert!(is_over(socket.receive().await));
    }
}

#[tokio::test(start_paused = true)]
async fn the_size_of_packets_stays_within_what_bluetooth_allows() {
    for (asked, mtu) in [(0, 23), (100, 100), (1 << 20, 65_535)] {
        let mut scene = Scene::new(Air::with_options(1, &options(|options| options.mtu = asked))).await;
        let (near, far) = scene.pair().await;
        assert_eq!((near.send_mtu(), far.send_mtu()), (mtu, mtu));
    }
}

#[tokio::test(start_paused = true)]
async fn the_trace_tells_of_connections() {
    let mut scene = Scene::new(Air::new(1)).await;
    let psm = scene.listening.psm();
    let (near, far) = scene.pair().await;
    let link = near.id();
    assert_eq!(far.id(), link);
    drop((near, far));
    assert!(is_unreachable(scene.laptop.connect(scene.address, psm + 1).await));
    let kinds: Vec<TraceKind> = scene.air.trace().into_iter().map(|event| event.kind).collect();
    for kind in [
        TraceKind::ListeningStarted { psm },
        TraceKind::Connected { link, to: "phone".into(), psm },
        TraceKind::Disconnected { link },
        TraceKind::ConnectRefused { psm: psm + 1 },
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}
