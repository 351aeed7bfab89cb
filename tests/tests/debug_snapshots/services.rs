//! Radios, channels and the tunnel service.

use std::{sync::Arc, time::Duration};

use hybridge_ble::{
    AddressKind, Advertisement, Advertiser, DeviceAddress, DynAdvertiser, Scanner, ServiceUuid, Sighting,
    sim::Air,
};
use hybridge_proto::{
    domain::DomainId,
    ids::{ContactId, RoutingId, TunnelId},
    service::{CLIENT_PAYLOAD_HEADER, ServicePath, ServiceRequest},
};
use hybridge_relay::{
    Config, Rate, Service, Source,
    access::{HmacKey, HmacKeys, Tokens},
    http,
    node::Node,
    rendezvous::{Limits, Rendezvous},
    websocket::Control,
};
use hybridge_tunnel::{
    ChannelError, ChannelPool, CloseCode, DataChannel, DialError, Dialer, MemoryService, Report,
    WebSocketDialer, response::Response,
};

const TUNNEL: TunnelId = TunnelId::from_bytes([0xab; 16]);

fn request(path: ServicePath) -> ServiceRequest {
    ServiceRequest::new(DomainId::new(266), path).unwrap()
}

#[tokio::test(start_paused = true)]
async fn radios() {
    let advert = Advertisement::new(ServiceUuid::Fido, [1; 20]);
    assert_eq!(format!("{advert:?}"), "Advertisement { uuid: Fido, data: 20 bytes, connectable: false }");
    let device = DeviceAddress::new([1; 6], AddressKind::Random);
    let sighting = Sighting::new(ServiceUuid::Google, [1; 20], device);
    assert_eq!(
        format!("{sighting:?}"),
        "Sighting { uuid: Google, data: 20 bytes, device: 01:01:01:01:01:01 (Random) }"
    );
    let air = Air::new(1);
    assert_eq!(format!("{air:?}"), "Air { .. }");
    let phone = air.device("phone");
    assert_eq!(format!("{phone:?}"), "SimDevice { name: \"phone\", .. }");
    let scan = phone.scan().await.unwrap();
    assert_eq!(format!("{scan:?}"), "SimScan { id: ScanId { device: 0, number: 0 }, .. }");
    let handle = phone.advertise(advert.clone()).await.unwrap();
    assert_eq!(format!("{handle:?}"), "SimAdvert { id: AdvertId { device: 0, number: 0 }, .. }");
    let handle = phone.advertise_dyn(advert).await.unwrap();
    assert_eq!(format!("{handle:?}"), "DynHandle { .. }");
    // The trace tells of lengths and addresses, and of nothing that was sent.
    let trace = format!("{:?}", air.trace());
    assert!(trace.contains("length: 20") && !trace.contains("1, 1, 1"), "{trace}");
}

#[tokio::test(start_paused = true)]
async fn channels() {
    let (a, _b) = DataChannel::pair(1);
    assert_eq!(
        format!("{a:?}"),
        "DataChannel { sender: ChannelSender(memory), receiver: ChannelReceiver(memory) }"
    );
    let (sender, receiver) = a.split();
    assert_eq!(format!("{sender:?} {receiver:?}"), "ChannelSender(memory) ChannelReceiver(memory)");
    assert_eq!(format!("{:?}", Report::Message(vec![1; 40])), "Message(40 bytes)");
    let opened = Report::Opened { routing_id: Ok(RoutingId::from_bytes([0xab; 3])), signal: false };
    assert_eq!(format!("{opened:?}"), "Opened { routing_id: Ok(RoutingId(ab..)), signal: false }");
    assert_eq!(format!("{:?}", Report::DialFailed(DialError::Gone)), "DialFailed(Gone)");
    let closed = Report::Closed(ChannelError::Closed { code: CloseCode::NORMAL });
    assert_eq!(format!("{closed:?}"), "Closed(Closed { code: CloseCode(1000) })");
    let pool = ChannelPool::new(Arc::new(MemoryService::new()));
    assert_eq!(format!("{pool:?}"), "ChannelPool { channels: 0, .. }");
}

#[tokio::test(start_paused = true)]
async fn dialers() {
    assert_eq!(
        format!("{:?}", WebSocketDialer::new().with_timeout(Duration::from_secs(3))),
        "WebSocketDialer { timeout: 3s, plaintext: false, .. }"
    );
    let service = MemoryService::new();
    let contact = ContactId::new([7; 30]).unwrap();
    let mut calls = service.register(contact.clone());
    let dialed = service.dial(&request(ServicePath::New { tunnel: TUNNEL })).await.unwrap();
    assert_eq!(
        format!("{dialed:?}"),
        "Dialed { channel: DataChannel { sender: ChannelSender(memory), receiver: ChannelReceiver(memory) }, \
         routing_id: Ok(RoutingId(00..)), signal: false }"
    );
    let mut call = request(ServicePath::Contact { contact });
    call.headers.push((CLIENT_PAYLOAD_HEADER, "A1B2C3".to_owned()));
    let _client = service.dial(&call).await.unwrap();
    let wake_up = calls.recv().await.unwrap();
    assert_eq!(format!("{wake_up:?}"), "WakeUp { payload_length: 6, .. }");
    assert_eq!(format!("{service:?}"), "MemoryService { tunnels: 2, contacts: 1, .. }");

    let head = b"HTTP/1.1 101 Switching Protocols\r\nX-caBLE-Routing-ID: 010203\r\n\r\n";
    let (response, _) = Response::parse(head).unwrap().unwrap();
    assert_eq!(format!("{response:?}"), "Response { status: 101, .. }");
}

#[test]
fn the_tunnel_service() {
    let service = Service::new(Config::default()).unwrap();
    assert_eq!(format!("{service:?}"), "Service { tunnels: 0, .. }");
    let path = ServicePath::Connect { routing: RoutingId::from_bytes([0xab; 3]), tunnel: TUNNEL };
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: fido.cable\r\n\r\n"
    );
    let request = http::parse_request(head.as_bytes()).unwrap();
    assert_eq!(
        format!("{request:?}"),
        "Request { path: Connect { routing: RoutingId(ab..), tunnel: TunnelId(ab..) }, .. }"
    );
    assert_eq!(format!("{:?}", Control::Ping(vec![1; 40])), "Ping(40 bytes)");
    let now = std::time::Instant::now();
    let limits = Limits {
        tunnels: 1,
        pending_tunnels: 1,
        tunnels_per_source: 1,
        connections_per_source: 1,
        new_rate: Rate::UNLIMITED,
        connect_rate: Rate::UNLIMITED,
        pending: Duration::ZERO,
        lifetime: Duration::ZERO,
    };
    let mut table = Rendezvous::new(limits);
    let ids = (TUNNEL, RoutingId::from_bytes([1, 2, 3]));
    let opened = table.open(ids, Source::UNKNOWN, (), now).unwrap();
    assert_eq!(
        format!("{opened:?}"),
        format!("Opened {{ ticket: Ticket {{ generation: 0, .. }}, pending_until: {now:?}, ends: {now:?} }}")
    );
    assert_eq!(format!("{table:?}"), "Rendezvous { tunnels: 1, .. }");
}

#[test]
fn tokens_sources_and_nodes() {
    let tokens = Tokens::parse("phone:0123456789abcdef").unwrap();
    assert_eq!(format!("{tokens:?}"), "Tokens(1)");
    let keys = HmacKeys::parse(&format!("main:{}", "ab".repeat(32))).unwrap();
    let key: &HmacKey = keys.first().unwrap();
    assert_eq!(format!("{key:?}"), "HmacKey { id: \"main\", .. }");
    assert_eq!(
        format!("{keys:?}"),
        "HmacKeys { keys: [HmacKey { id: \"main\", .. }], max_lifetime: 86400s }"
    );
    let source = Source::from(std::net::IpAddr::from([192, 0, 2, 1]));
    assert_eq!(format!("{source:?}"), "Source(IPv4)");
    assert_eq!(format!("{:?}", Node::new(7, 0xab)), "Node { number: 7, .. }");
}
