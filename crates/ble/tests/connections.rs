//! The simulated air passes the conformance checks about connections, and each check notices the flaw it is there for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail loudly")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hybridge_ble::conformance::l2cap::{self, Check, Rig};
use hybridge_ble::conformance::{self, Bounds};
use hybridge_ble::l2cap::{
    DynL2capConnector, DynL2capListener, L2capConnector, L2capListener, L2capListening, L2capSocket,
};
use hybridge_ble::sim::{Air, AirOptions, Probability, SimDevice, SimListening, SimSocket};
use hybridge_ble::{DeviceAddress, RadioError};

/// Two simulated devices, behind any form of the connection traits.
struct Pair<C, L> {
    laptop: SimDevice,
    phone: SimDevice,
    connector: C,
    listener: L,
}

impl<C: Send + Sync, L: Send + Sync> conformance::Rig for Pair<C, L> {
    type Scanner = SimDevice;
    type Advertiser = SimDevice;

    fn scanner(&self) -> &SimDevice {
        &self.laptop
    }

    fn advertiser(&self) -> &SimDevice {
        &self.phone
    }

    fn max_data(&self) -> usize {
        24
    }

    fn bounds(&self) -> Bounds {
        let seconds = Duration::from_secs(20);
        Bounds { hear: seconds, withdraw: Duration::from_secs(1), quiet: Duration::from_secs(2) }
    }
}

impl<C: L2capConnector, L: L2capListener> Rig for Pair<C, L> {
    type Connector = C;
    type Listener = L;

    fn connector(&self) -> &C {
        &self.connector
    }

    fn listener(&self) -> &L {
        &self.listener
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(30)
    }
}

fn pair(seed: u64, options: &AirOptions) -> Pair<SimDevice, SimDevice> {
    let air = Air::with_options(seed, options);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    Pair { connector: laptop.clone(), listener: phone.clone(), laptop, phone }
}

async fn assert_all_kept(rig: &impl Rig) {
    let outcomes = l2cap::run(rig).await;
    assert_eq!(outcomes.len(), Check::ALL.len());
    for outcome in outcomes {
        assert!(outcome.result.is_ok(), "{outcome}: {:?}", outcome.result);
    }
}

#[tokio::test(start_paused = true)]
async fn every_packet_size_conforms() {
    for mtu in [23, 64, 672, 65_535] {
        let mut options = AirOptions::default();
        options.mtu = mtu;
        assert_all_kept(&pair(1, &options)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_air_conforms() {
    for seed in 0..10 {
        let mut options = AirOptions::default();
        options.loss = Probability::new(0.4).expect("valid");
        options.delay = Duration::from_millis(30);
        options.jitter = Duration::from_millis(400);
        let pair = pair(seed, &options);
        assert_all_kept(&pair).await;
        assert_eq!((pair.laptop.open_connections(), pair.phone.open_connections()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_stored_forms_conform() {
    let plain = pair(3, &AirOptions::default());
    let connector: Arc<dyn DynL2capConnector> = Arc::new(plain.connector);
    let listener: Arc<dyn DynL2capListener> = Arc::new(plain.listener);
    assert_all_kept(&Pair { laptop: plain.laptop, phone: plain.phone, connector, listener }).await;
}

/// What is wrong with a radio.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    None,
    OnePsm,
    SwapsBytes,
    JoinsPackets,
    CutsOversize,
    LosesSome,
    MixesConnections,
    NeverDisconnects,
    ListensForEver,
    ListensAlone,
    LosesOnCancel,
    ConnectsAfterCancel,
}

/// A device with a flaw.
#[derive(Clone)]
struct Flawed {
    flaw: Flaw,
    device: SimDevice,
    /// What lasts though its handle was dropped.
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    listening: Vec<SimListening>,
    sockets: Vec<Arc<SimSocket>>,
    packets: VecDeque<Vec<u8>>,
}

struct FlawedListening {
    inner: Option<SimListening>,
    psm: u16,
    of: Flawed,
    accepted: Vec<std::sync::Weak<Mutex<Option<Arc<SimSocket>>>>>,
}

struct FlawedSocket {
    inner: Arc<Mutex<Option<Arc<SimSocket>>>>,
    of: Flawed,
    sent: Mutex<usize>,
    unsent: Mutex<Vec<u8>>,
}

impl Flawed {
    fn socket(&self, socket: SimSocket) -> FlawedSocket {
        let socket = Arc::new(socket);
        if self.flaw == Flaw::NeverDisconnects {
            self.kept.lock().unwrap().sockets.push(Arc::clone(&socket));
        }
        let inner = Arc::new(Mutex::new(Some(socket)));
        FlawedSocket { inner, of: self.clone(), sent: Mutex::default(), unsent: Mutex::default() }
    }
}

impl L2capListener for Flawed {
    type Listening = FlawedListening;

    async fn listen(&self) -> Result<FlawedListening, RadioError> {
        let inner = self.device.listen().await?;
        let psm = if self.flaw == Flaw::OnePsm { 0x80 } else { inner.psm() };
        Ok(FlawedListening { inner: Some(inner), psm, of: self.clone(), accepted: Vec::new() })
    }
}

impl L2capListening for FlawedListening {
    type Socket = FlawedSocket;

    fn psm(&self) -> u16 {
        self.psm
    }

    async fn accept(&mut self) -> Result<FlawedSocket, RadioError> {
        let socket = self.inner.as_mut().unwrap().accept().await?;
        let socket = self.of.socket(socket);
        self.accepted.push(Arc::downgrade(&socket.inner));
        Ok(socket)
    }
}

impl Drop for FlawedListening {
    fn drop(&mut self) {
        if self.of.flaw == Flaw::ListensForEver {
            self.of.kept.lock().unwrap().listening.extend(self.inner.take());
        }
        if self.of.flaw == Flaw::ListensAlone {
            let accepted = self.accepted.iter().filter_map(std::sync::Weak::upgrade);
            accepted.for_each(|socket| drop(socket.lock().unwrap().take()));
        }
    }
}

impl L2capConnector for Flawed {
    type Socket = FlawedSocket;

    async fn connect(&self, device: DeviceAddress, psm: u16) -> Result<FlawedSocket, RadioError> {
        if self.flaw != Flaw::ConnectsAfterCancel {
            return Ok(self.socket(self.device.connect(device, psm).await?));
        }
        let (radio, of) = (self.device.clone(), self.clone());
        let connecting = tokio::spawn(async move {
            let socket = of.socket(radio.connect(device, psm).await?);
            of.kept.lock().unwrap().sockets.extend(socket.inner.lock().unwrap().clone());
            Ok(socket)
        });
        connecting.await.unwrap()
    }
}

impl FlawedSocket {
    fn get(&self) -> Result<Arc<SimSocket>, RadioError> {
        self.inner.lock().unwrap().clone().ok_or(RadioError::Disconnected)
    }
}

impl L2capSocket for FlawedSocket {
    fn send_mtu(&self) -> usize {
        self.get().map_or(23, |socket| socket.send_mtu())
    }

    async fn send(&self, packet: &[u8]) -> Result<(), RadioError> {
        let socket = self.get()?;
        let mut packet = packet.to_vec();
        let number = {
            let mut sent = self.sent.lock().unwrap();
            *sent += 1;
            *sent
        };
        match self.of.flaw {
            Flaw::SwapsBytes => packet.reverse(),
            Flaw::CutsOversize => packet.truncate(self.send_mtu()),
            Flaw::LosesSome if number % 40 == 0 => return Ok(()),
            Flaw::JoinsPackets if packet.len() < 3 => {
                self.unsent.lock().unwrap().extend(packet);
                return Ok(());
            }
            Flaw::JoinsPackets => {
                let mut joined = std::mem::take(&mut *self.unsent.lock().unwrap());
                joined.append(&mut packet);
                packet = joined;
            }
            _ => {}
        }
        socket.send(&packet).await
    }

    async fn receive(&self) -> Result<Vec<u8>, RadioError> {
        let socket = self.get()?;
        match self.of.flaw {
            Flaw::MixesConnections => {
                let packet = socket.receive().await?;
                let mut kept = self.of.kept.lock().unwrap();
                kept.packets.push_back(packet);
                // The third one first, as if it were one queue with a turn missed.
                if kept.packets.len() > 1 { Ok(kept.packets.pop_front().unwrap()) } else { Ok(vec![1]) }
            }
            Flaw::LosesOnCancel => {
                let packet = socket.receive().await?;
                tokio::time::sleep(Duration::from_millis(2)).await;
                Ok(packet)
            }
            _ => socket.receive().await,
        }
    }
}

/// Runs a check over a flawed pair of radios.
async fn is_kept(check: Check, flaw: Flaw) -> bool {
    let air = Air::new(5);
    let (laptop, phone) = (air.device("laptop"), air.device("phone"));
    let flawed = |device: &SimDevice| Flawed { flaw, device: device.clone(), kept: Arc::default() };
    let (connector, listener) = (flawed(&laptop), flawed(&phone));
    check.run(&Pair { laptop, phone, connector, listener }).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_wrapped_radio_without_a_flaw_conforms() {
    for check in Check::ALL {
        assert!(is_kept(check, Flaw::None).await, "{check:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_check_notices_its_flaw() {
    let flaws = [
        (Check::PsmsAreDynamic, Flaw::OnePsm),
        (Check::PacketsUntouched, Flaw::SwapsBytes),
        (Check::PacketsUntouched, Flaw::JoinsPackets),
        (Check::OversizeRefused, Flaw::CutsOversize),
        (Check::ManyPackets, Flaw::LosesSome),
        (Check::TwoConnections, Flaw::MixesConnections),
        (Check::DropDisconnects, Flaw::NeverDisconnects),
        (Check::NobodyListens, Flaw::ListensForEver),
        (Check::ListeningIsNotTheConnection, Flaw::ListensAlone),
        (Check::WaitingIsCancelSafe, Flaw::LosesOnCancel),
        (Check::ConnectIsCancelSafe, Flaw::ConnectsAfterCancel),
    ];
    for (check, flaw) in flaws {
        assert!(!is_kept(check, flaw).await, "{check:?} puts up with {flaw:?}");
    }
    assert!(Check::ALL.iter().all(|check| flaws.iter().any(|(noticed, _)| noticed == check)));
}
