use hybridge_proto::domain::DomainId;

use super::*;
use crate::{channel::CloseCode, dial::DynDialer, error::ChannelError};

const TUNNEL: TunnelId = TunnelId::from_bytes([0xA7; 16]);

fn request(path: ServicePath) -> ServiceRequest {
    ServiceRequest::new(DomainId::new(266), path).unwrap()
}

fn new() -> ServiceRequest {
    request(ServicePath::New { tunnel: TUNNEL })
}

fn connect(routing: RoutingId) -> ServiceRequest {
    request(ServicePath::Connect { routing, tunnel: TUNNEL })
}

fn contact_id() -> ContactId {
    ContactId::new([1, 2, 3]).unwrap()
}

fn contact(signal: bool) -> ServiceRequest {
    let mut request = request(ServicePath::Contact { contact: contact_id() });
    request.headers.push((CLIENT_PAYLOAD_HEADER, "A0".to_owned()));
    if signal {
        request.headers.push((SIGNAL_HEADER, "true".to_owned()));
    }
    request
}

fn status(outcome: Result<Dialed, DialError>) -> u16 {
    match outcome {
        Err(DialError::Refused { status, .. }) => status,
        Err(DialError::Gone) => 410,
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn phone_and_client_meet_and_queued_messages_arrive() {
    let service: Arc<dyn DynDialer> = Arc::new(MemoryService::new());
    let mut phone = service.dial(&new()).await.unwrap();
    phone.channel.send(b"queued").await.unwrap();
    let mut client = service.dial(&connect(phone.routing_id.unwrap())).await.unwrap();
    assert_eq!(client.channel.receive().await.unwrap(), b"queued");
    client.channel.send(b"answer").await.unwrap();
    assert_eq!(phone.channel.receive().await.unwrap(), b"answer");
    let (sender, _receiver) = phone.channel.split();
    sender.close(CloseCode::NORMAL).await;
    let end = client.channel.receive().await;
    assert!(matches!(end, Err(ChannelError::Closed { code: CloseCode::NORMAL })));
}

#[tokio::test]
async fn a_tunnel_is_joined_once_with_its_own_routing_id() {
    let service = MemoryService::new();
    assert_eq!(status(service.dial(&connect(RoutingId::from_bytes([0, 0, 1]))).await), 404);
    let phone = service.dial(&new()).await.unwrap();
    let routing = phone.routing_id.unwrap();
    assert_eq!(status(service.dial(&connect(RoutingId::from_bytes([9, 9, 9]))).await), 404);
    let _client = service.dial(&connect(routing)).await.unwrap();
    assert_eq!(status(service.dial(&connect(routing)).await), 404);
}

#[tokio::test]
async fn an_id_in_use_is_refused_until_a_side_leaves() {
    let service = MemoryService::new();
    let phone = service.dial(&new()).await.unwrap();
    assert_eq!(status(service.dial(&new()).await), 409);
    let client = service.dial(&connect(phone.routing_id.unwrap())).await.unwrap();
    assert_eq!(status(service.dial(&new()).await), 409);
    drop(client);
    let phone = service.dial(&new()).await.unwrap();
    let routing = phone.routing_id.unwrap();
    drop(phone);
    assert_eq!(status(service.dial(&connect(routing)).await), 404);
    service.dial(&new()).await.unwrap();
}

#[tokio::test]
async fn a_called_phone_joins_behind_the_connect_signal() {
    let service = MemoryService::new().with_capacity(1);
    let mut calls = service.register(contact_id());
    let mut client = service.dial(&contact(true)).await.unwrap();
    assert!(client.signal && client.routing_id.is_err());
    client.channel.send(b"early").await.unwrap();
    let call = calls.recv().await.unwrap();
    assert_eq!(call.client_payload, "A0");
    assert_eq!(format!("{call:?}"), "WakeUp { payload_length: 2, .. }");

    let path = ServicePath::Connect { routing: call.routing, tunnel: call.tunnel };
    let mut phone = service.dial(&request(path)).await.unwrap();
    phone.channel.send(b"hello").await.unwrap();
    assert_eq!(phone.channel.receive().await.unwrap(), b"early");
    assert_eq!(client.channel.receive().await.unwrap(), [0]);
    assert_eq!(client.channel.receive().await.unwrap(), b"hello");
}

#[tokio::test]
async fn no_signal_comes_unasked() {
    let service = MemoryService::new();
    let mut calls = service.register(contact_id());
    let mut client = service.dial(&contact(false)).await.unwrap();
    assert!(!client.signal);
    let call = calls.recv().await.unwrap();
    let path = ServicePath::Connect { routing: call.routing, tunnel: call.tunnel };
    let mut phone = service.dial(&request(path)).await.unwrap();
    phone.channel.send(b"hello").await.unwrap();
    assert_eq!(client.channel.receive().await.unwrap(), b"hello");
}

#[tokio::test(start_paused = true)]
async fn unknown_phones_are_gone_and_those_switched_off_silent() {
    let service = MemoryService::new();
    assert_eq!(status(service.dial(&contact(false)).await), 410);
    drop(service.register(contact_id()));
    let mut client = service.dial(&contact(false)).await.unwrap();
    let silence = std::time::Duration::from_secs(60);
    assert!(tokio::time::timeout(silence, client.channel.receive()).await.is_err());
    service.forget(&contact_id());
    assert_eq!(status(service.dial(&contact(false)).await), 410);
}

#[tokio::test]
async fn a_call_without_payload_is_refused() {
    let service = MemoryService::new();
    let _calls = service.register(contact_id());
    let bare = request(ServicePath::Contact { contact: contact_id() });
    assert_eq!(status(service.dial(&bare).await), 400);
}
