//! The data channel over Bluetooth, with the tunnel to fall back to.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hybridge_authenticator::Authenticator;
use hybridge_ble::{
    Advertisement, Advertiser, DeviceAddress, RadioError, Scan, Scanner, ServiceUuid,
    l2cap::{DynL2capConnector, L2capConnector, L2capListener, L2capListening, L2capSocket},
    sim::{Air, AirOptions, Probability, SimDevice, SimSocket, TraceKind},
};
use hybridge_client::{CtapChannel, Error, Framing, SessionConfig};
use hybridge_proto::{qr::QrCode, service::ServiceRequest};
use hybridge_tunnel::{DialError, Dialed, Dialer};

use crate::support::*;

/// A dialer without a network.
struct Offline;

impl Dialer for Offline {
    async fn dial(&self, _: &ServiceRequest) -> Result<Dialed, DialError> {
        Err(DialError::Resolve(io::ErrorKind::NotFound.into()))
    }
}

fn asking(connector: impl DynL2capConnector + 'static) -> SessionConfig {
    let mut config = config();
    config.l2cap = Some(Arc::new(connector));
    config
}

fn offering(world: &World) -> Authenticator {
    let mut authenticator = world.authenticator();
    authenticator.l2cap = Some(Arc::new(world.phone.clone()));
    authenticator
}

fn offline(world: &World) -> Authenticator {
    let mut authenticator = Authenticator::new(DOMAIN, Arc::new(world.phone.clone()), Arc::new(Offline));
    authenticator.l2cap = Some(Arc::new(world.phone.clone()));
    authenticator
}

/// A session from the code to the goodbye, and what the laptop dialed.
async fn ceremony(world: &World, config: SessionConfig, authenticator: Authenticator) -> usize {
    let (connecting, screen) = world.connecting(config);
    let phone = World::answer_with(authenticator, screen.code(0).await, passkeys(Owner::Agrees));
    let mut channel = connecting.await.unwrap().unwrap();
    is_served(&mut channel).await;
    channel.close().await.unwrap();
    phone.await.unwrap().1.unwrap();
    world.nothing_is_left().await;
    world.dialer.dials()
}

async fn is_served(channel: &mut CtapChannel) {
    let made = channel.make_credential(&creation()).await.unwrap();
    let signed = channel.get_assertion(&assertion()).await.unwrap();
    assert_eq!(made.value.auth_data.rp_id_hash(), signed.value.auth_data.rp_id_hash());
}

#[tokio::test(start_paused = true)]
async fn a_ceremony_over_bluetooth_needs_no_tunnel_at_the_laptop() {
    let world = World::new();
    assert_eq!(ceremony(&world, asking(world.laptop.clone()), offering(&world)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_ceremony_needs_no_tunnel_service_at_all() {
    let world = World::new();
    world.dialer.script([Answer::Unreachable; 8]);
    assert_eq!(ceremony(&world, asking(world.laptop.clone()), offline(&world)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn messages_may_have_lengths() {
    for mtu in [23, 64, 672] {
        let mut options = AirOptions::default();
        options.mtu = mtu;
        let world = World::in_air(Air::with_options(1, &options));
        let mut config = asking(world.laptop.clone());
        config.l2cap_framing = Framing::Length;
        assert_eq!(ceremony(&world, config, offline(&world)).await, 0, "packets of {mtu} bytes");
    }
}

/// Who sent which packet, in their order.
type Packets = Arc<Mutex<Vec<(&'static str, Vec<u8>)>>>;

/// Hears everything that a laptop sends and a phone answers, in the packets in which they do.
struct Tapped {
    radio: SimDevice,
    packets: Packets,
}

struct TappedSocket {
    socket: SimSocket,
    packets: Packets,
}

impl L2capConnector for Tapped {
    type Socket = TappedSocket;

    async fn connect(&self, device: DeviceAddress, psm: u16) -> Result<TappedSocket, RadioError> {
        let socket = self.radio.connect(device, psm).await?;
        Ok(TappedSocket { socket, packets: Arc::clone(&self.packets) })
    }
}

impl L2capSocket for TappedSocket {
    fn send_mtu(&self) -> usize {
        self.socket.send_mtu()
    }

    async fn send(&self, packet: &[u8]) -> Result<(), RadioError> {
        self.packets.lock().unwrap().push(("laptop", packet.to_vec()));
        self.socket.send(packet).await
    }

    async fn receive(&self) -> Result<Vec<u8>, RadioError> {
        let packet = self.socket.receive().await?;
        self.packets.lock().unwrap().push(("phone", packet.clone()));
        Ok(packet)
    }
}

/// Each message leaves in one packet with the mark of its end, and the phone follows the laptop.
#[tokio::test(start_paused = true)]
async fn both_sides_speak_in_the_form_that_the_laptop_chose() {
    for framing in [Framing::CrLf, Framing::Length] {
        let mut options = AirOptions::default();
        options.mtu = 65_535;
        let world = World::in_air(Air::with_options(1, &options));
        let packets = Packets::default();
        let mut config = asking(Tapped { radio: world.laptop.clone(), packets: Arc::clone(&packets) });
        config.l2cap_framing = framing;
        assert_eq!(ceremony(&world, config, offering(&world)).await, 0);
        let packets = packets.lock().unwrap();
        assert!(packets.len() >= 7, "two handshake messages, a description, two requests, two replies");
        for (who, packet) in packets.iter() {
            let length = u32::try_from(packet.len()).unwrap().checked_sub(4).unwrap();
            assert_eq!(packet.starts_with(&length.to_be_bytes()), framing == Framing::Length, "{who}");
            assert!(framing == Framing::Length || packet.ends_with(b"\r\n"), "{who}");
        }
        for (who, (first, packet)) in ["laptop", "phone"].into_iter().zip(packets.iter()) {
            assert_eq!((who, packet.len()), (*first, if framing == Framing::Length { 85 } else { 83 }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn both_sides_have_to_want_it() {
    let world = World::new();
    assert_eq!(ceremony(&world, config(), offering(&world)).await, 1);
    let world = World::new();
    assert_eq!(ceremony(&world, asking(world.laptop.clone()), world.authenticator()).await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_code_asks_only_if_the_caller_does() {
    let world = World::new();
    let (_connecting, screen) = world.connecting(config());
    assert_eq!(QrCode::parse(&screen.code(0).await).unwrap().channels, None, "old phones refuse the key");
    let (_connecting, screen) = world.connecting(asking(world.laptop.clone()));
    let channels = QrCode::parse(&screen.code(0).await).unwrap().effective_channels();
    assert!(channels.l2cap() && channels.websocket());
}

/// A radio that breaks its connections after so many packets that came in.
struct Breaking {
    radio: SimDevice,
    after: usize,
}

struct BreakingSocket {
    socket: SimSocket,
    left: AtomicUsize,
}

impl L2capConnector for Breaking {
    type Socket = BreakingSocket;

    async fn connect(&self, device: DeviceAddress, psm: u16) -> Result<BreakingSocket, RadioError> {
        let socket = self.radio.connect(device, psm).await?;
        Ok(BreakingSocket { socket, left: AtomicUsize::new(self.after) })
    }
}

impl L2capSocket for BreakingSocket {
    fn send_mtu(&self) -> usize {
        self.socket.send_mtu()
    }

    async fn send(&self, packet: &[u8]) -> Result<(), RadioError> {
        self.socket.send(packet).await
    }

    async fn receive(&self) -> Result<Vec<u8>, RadioError> {
        if self.left.load(Ordering::Relaxed) == 0 {
            return Err(RadioError::Disconnected);
        }
        let packet = self.socket.receive().await?;
        self.left.fetch_sub(1, Ordering::Relaxed);
        Ok(packet)
    }
}

/// Before message 2, and between it and the description.
#[tokio::test(start_paused = true)]
async fn a_connection_that_dies_before_the_description_falls_back() {
    for after in [0, 1] {
        let world = World::new();
        let breaking = Breaking { radio: world.laptop.clone(), after };
        assert_eq!(ceremony(&world, asking(breaking), offering(&world)).await, 1, "after {after} packets");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_dies_later_is_a_lost_phone() {
    let world = World::new();
    let (connecting, screen) = world.connecting(asking(Breaking { radio: world.laptop.clone(), after: 2 }));
    let phone = World::answer_with(offering(&world), screen.code(0).await, Scripted::replying([0]));
    let mut channel = connecting.await.unwrap().unwrap();
    assert!(matches!(channel.raw(&[0x04]).await, Err(Error::PhoneLeft)));
    drop(phone.await.unwrap());
    world.nothing_is_left().await;
}

/// A radio that cannot connect, or takes for ever.
struct Stuck {
    hangs: bool,
}

impl L2capConnector for Stuck {
    type Socket = SimSocket;

    async fn connect(&self, _: DeviceAddress, _: u16) -> Result<SimSocket, RadioError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Err(RadioError::Unreachable)
    }
}

#[tokio::test(start_paused = true)]
async fn a_phone_that_cannot_be_connected_to_is_reached_through_the_tunnel() {
    for hangs in [false, true] {
        let world = World::new();
        assert_eq!(ceremony(&world, asking(Stuck { hangs }), offering(&world)).await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn without_either_the_laptop_says_so() {
    let world = World::new();
    world.dialer.script([Answer::Unreachable; 8]);
    let mut config = asking(Stuck { hangs: false });
    config.timing.search = Duration::from_secs(30);
    let (connecting, screen) = world.connecting(config);
    let phone = World::answer_with(offline(&world), screen.code(0).await, Scripted::replying([0]));
    assert!(matches!(connecting.await.unwrap(), Err(Error::Tunnel { .. })));
    phone.abort();
}

#[tokio::test(start_paused = true)]
async fn a_bad_air_is_good_enough() {
    for seed in 0..20 {
        let mut options = AirOptions::default();
        options.loss = Probability::new(0.3).unwrap();
        options.jitter = Duration::from_millis(60);
        options.mtu = [23, 64, 185, 672][usize::try_from(seed % 4).unwrap()];
        let world = World::in_air(Air::with_options(seed, &options));
        assert_eq!(ceremony(&world, asking(world.laptop.clone()), offline(&world)).await, 0, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn large_messages_pass_both_ways() {
    for framing in [Framing::CrLf, Framing::Length] {
        large_messages_pass(framing).await;
    }
}

async fn large_messages_pass(framing: Framing) {
    const LENGTH: usize = 300_000;
    let world = World::new();
    let reply: Vec<u8> = (0..251).cycle().take(LENGTH).collect();
    let request: Vec<u8> = (1..242).cycle().take(LENGTH).collect();
    let service = Scripted::replying(reply.clone());
    let asked = service.asked.clone();
    let mut config = asking(world.laptop.clone());
    config.l2cap_framing = framing;
    let (connecting, screen) = world.connecting(config);
    let _phone = World::answer_with(offering(&world), screen.code(0).await, service);
    let mut channel = connecting.await.unwrap().unwrap();
    assert!(channel.raw(&request).await.unwrap() == reply);
    assert!(asked.lock().unwrap()[0] == request);
    assert_eq!(world.dialer.dials(), 0);
}

/// Hears a connectable advert of the phone: its data and where it comes from.
async fn overhear(device: &SimDevice) -> (Vec<u8>, DeviceAddress) {
    let mut scan = device.scan().await.unwrap();
    let heard = scan.next().await.unwrap();
    (heard.data, heard.device)
}

#[tokio::test(start_paused = true)]
async fn garbage_from_a_neighbour_ends_nothing() {
    let world = World::new();
    let neighbour = world.air.device("neighbour");
    // The laptop comes back when the neighbour has done what it could.
    world.laptop.move_to(["away"]);
    let (connecting, screen) = world.connecting(asking(world.laptop.clone()));
    let phone = World::answer_with(offline(&world), screen.code(0).await, passkeys(Owner::Agrees));
    let (data, address) = overhear(&neighbour).await;
    let psm = u16::from(data[23]);
    let mut silent = Vec::new();
    for garbage in [&[4; 81][..], &[0; 4], &[0, 0, 0, 82], &[0, 16, 0, 1, 4], &[4; 83], &[255; 99]] {
        let socket = neighbour.connect(address, psm).await.unwrap();
        socket.send(garbage).await.unwrap();
        assert!(socket.receive().await.is_err(), "turned away");
        silent.push(neighbour.connect(address, psm).await.unwrap());
    }
    world.laptop.move_to(["here"]);
    let mut channel = connecting.await.unwrap().unwrap();
    is_served(&mut channel).await;
    channel.close().await.unwrap();
    phone.await.unwrap().1.unwrap();
    drop(silent);
    world.nothing_is_left().await;
}

/// The offer behind an advert is not sealed: a neighbour puts its own there, and answers or does not.
#[tokio::test(start_paused = true)]
async fn a_forged_offer_costs_time_only() {
    let length = Some(u32::MAX.to_be_bytes().to_vec());
    for answer in [None, Some(vec![4; 83]), Some(vec![4; 40]), Some(vec![0; 83]), length] {
        let world = World::new();
        let neighbour = world.air.device_in("neighbour", ["here", "next door"]);
        world.phone.move_to(["next door"]);
        let mut listening = neighbour.listen().await.unwrap();
        let (connecting, screen) = world.connecting(asking(world.laptop.clone()));
        let phone = World::answer_with(offering(&world), screen.code(0).await, passkeys(Owner::Agrees));
        let (mut data, _) = overhear(&neighbour).await;
        data.truncate(20);
        data.extend([0xA1, 1, 0x18, u8::try_from(listening.psm()).unwrap()]);
        let forged = Advertisement::new(ServiceUuid::Fido, data).connectable();
        let _forged = neighbour.advertise(forged).await.unwrap();
        let socket = listening.accept().await.unwrap();
        if let Some(answer) = answer {
            socket.send(&answer).await.unwrap();
        }
        let mut channel = connecting.await.unwrap().unwrap();
        is_served(&mut channel).await;
        channel.close().await.unwrap();
        phone.await.unwrap().1.unwrap();
        assert_eq!(world.dialer.dials(), 1);
        drop(socket);
        world.nothing_is_left().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_channel_leaves_nothing() {
    let world = World::new();
    let (connecting, screen) = world.connecting(asking(world.laptop.clone()));
    let phone = World::answer_with(offering(&world), screen.code(0).await, Scripted::replying([0]));
    let mut channel = connecting.await.unwrap().unwrap();
    assert_eq!(channel.raw(&[0x04]).await.unwrap(), [0]);
    drop(channel);
    phone.await.unwrap().1.unwrap();
    world.nothing_is_left().await;
    let connected = |event: &hybridge_ble::sim::TraceEvent| matches!(event.kind, TraceKind::Connected { .. });
    assert_eq!(world.air.trace().iter().filter(|event| connected(event)).count(), 1);
}
