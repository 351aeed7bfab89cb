//! Peers of a service under test: raw bytes, and websockets over in-memory pipes.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(feature = "acme")]
pub mod acme;
pub mod authority;
pub mod proxy;

use futures_util::StreamExt;
use hybridge_proto::ids::{RoutingId, TunnelId};
use hybridge_relay::{Config, Service};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Bytes, Error, Message,
        client::IntoClientRequest,
        handshake::client::Response,
        protocol::{WebSocketConfig, frame::coding::CloseCode},
    },
};

pub const TUNNEL: TunnelId = TunnelId::from_bytes([0xA7; 16]);
pub const UPGRADE: &str = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: fido.cable\r\n";

pub type Socket<S = DuplexStream> = WebSocketStream<S>;

pub fn service() -> Service {
    with_config(|_| {})
}

pub fn with_config(change: impl FnOnce(&mut Config)) -> Service {
    let mut config = Config::default();
    change(&mut config);
    Service::with_rng(config, ChaCha20Rng::from_seed([7; 32]))
}

/// A pipe to the service that holds `capacity` bytes in each direction.
pub fn pipe(service: &Service, capacity: usize) -> DuplexStream {
    let (ours, theirs) = duplex(capacity);
    let service = service.clone();
    tokio::spawn(async move { service.serve_stream(theirs).await });
    ours
}

/// A pipe to the service that counts as one from `peer`.
pub fn pipe_from(service: &Service, peer: &str) -> DuplexStream {
    let (ours, theirs) = duplex(64 * 1024);
    let (service, peer) = (service.clone(), peer.parse().unwrap());
    tokio::spawn(async move { service.serve_stream_from(theirs, peer).await });
    ours
}

/// A request for a new tunnel with some headers more, each with its line end.
pub fn new_request(tunnel: TunnelId, headers: &str) -> String {
    format!("GET /cable/new/{} HTTP/1.1\r\n{UPGRADE}{headers}\r\n", tunnel.to_hex())
}

/// The head of the answer to a request, and the connection, which stays open.
pub async fn ask(mut io: DuplexStream, request: &str) -> (String, DuplexStream) {
    io.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.unwrap());
    }
    (String::from_utf8(head).unwrap(), io)
}

/// The status of the answer to a request from `peer`, whose connection ends with it.
pub async fn status_from(service: &Service, peer: &str, request: &str) -> u16 {
    status(&ask(pipe_from(service, peer), request).await.0)
}

/// The value of a series in the metrics of a service; 0 where there is none.
pub fn metric(service: &Service, series: &str) -> f64 {
    let text = service.metrics();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

/// Sends bytes and returns all that comes back until the service closes.
pub async fn exchange(service: &Service, request: &str) -> String {
    let mut io = pipe(service, 64 * 1024);
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    answer
}

pub fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").unwrap().split(' ').next().unwrap().parse().unwrap()
}

pub fn new_path() -> String {
    format!("/cable/new/{}", TUNNEL.to_hex())
}

pub fn connect_path(routing: RoutingId) -> String {
    format!("/cable/connect/{}/{}", routing.to_hex(), TUNNEL.to_hex())
}

/// A websocket at `path`, or the status that the service refused it with.
pub async fn websocket<S>(io: S, path: &str) -> Result<(Socket<S>, Response), u16>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    websocket_with(io, path, &[]).await
}

/// The same with some headers more.
pub async fn websocket_with<S>(
    io: S,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<(Socket<S>, Response), u16>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = format!("ws://cable.example.com{path}").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "fido.cable".parse().unwrap());
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let config = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
    match client_async_with_config(request, io, Some(config)).await {
        Ok(opened) => Ok(opened),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

pub fn routing_of(response: &Response) -> RoutingId {
    let mut values = response.headers().get_all("X-caBLE-Routing-ID").iter();
    let value = values.next().unwrap().to_str().unwrap();
    assert!(values.next().is_none());
    RoutingId::from_hex(value).unwrap()
}

pub async fn open(service: &Service) -> (Socket, RoutingId) {
    let (socket, response) = websocket(pipe(service, 4096), &new_path()).await.unwrap();
    (socket, routing_of(&response))
}

pub async fn join(service: &Service, routing: RoutingId) -> Result<Socket, u16> {
    Ok(websocket(pipe(service, 4096), &connect_path(routing)).await?.0)
}

/// A phone and a client in one tunnel.
pub async fn pair(service: &Service) -> (Socket, Socket) {
    let (phone, routing) = open(service).await;
    (phone, join(service, routing).await.unwrap())
}

pub fn binary(bytes: impl Into<Bytes>) -> Message {
    Message::Binary(bytes.into())
}

/// The next message that is not a pong.
pub async fn next<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>) -> Message {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Pong(_) => {}
            message => return message,
        }
    }
}

/// The code that the service closes the websocket with, which must be the next thing it says.
pub async fn close_code<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>) -> u16 {
    match next(socket).await {
        Message::Close(Some(frame)) => CloseCode::into(frame.code),
        other => panic!("{other:?}"),
    }
}

/// One masked frame of at most 65,535 bytes as a client sends it; `first` is its first byte.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut bytes = match u8::try_from(payload.len()) {
        Ok(short @ 0..=125) => vec![first, 0x80 | short],
        _ => [&[first, 0x80 | 126][..], &u16::try_from(payload.len()).unwrap().to_be_bytes()].concat(),
    };
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}
