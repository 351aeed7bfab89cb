//! A tunnel service that can wake a phone, which the project's own cannot: websockets outside, the in-memory service
//! of the phone inside.

use futures_util::{SinkExt, StreamExt};
use hybridge_proto::service::{CLIENT_PAYLOAD_HEADER, ServicePath, ServiceRequest};
use hybridge_tunnel::{CloseCode, DataChannel, DialError, Dialer, MemoryService};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
    },
};

use crate::web::WAKING;

/// Serves one connection, whose request begins with this head.
pub(crate) async fn serve<S>(service: &MemoryService, head: &str, mut stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let channel = match dial(service, head).await {
        Ok(channel) => channel,
        Err(status) => {
            let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
            return;
        }
    };
    #[allow(clippy::result_large_err)]
    let select = |_: &Request, mut response: Response| {
        response.headers_mut().insert("Sec-WebSocket-Protocol", "fido.cable".parse().unwrap());
        Ok(response)
    };
    if let Ok(socket) = accept_hdr_async(stream, select).await {
        pass(socket, channel).await;
    }
}

/// Carries out the request in memory; otherwise the status to refuse it with.
async fn dial(service: &MemoryService, head: &str) -> Result<DataChannel, u16> {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let path = ServicePath::parse(path).map_err(|_| 404_u16)?;
    let mut request = ServiceRequest::new(WAKING, path).unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(CLIENT_PAYLOAD_HEADER).then(|| value.trim().to_owned())
    };
    let payload = head.lines().find_map(header);
    request.headers.extend(payload.map(|payload| (CLIENT_PAYLOAD_HEADER, payload)));
    match service.dial(&request).await {
        Ok(dialed) => Ok(dialed.channel),
        Err(DialError::Gone) => Err(410),
        Err(DialError::Refused { status, .. }) => Err(status),
        Err(error) => panic!("{error}"),
    }
}

/// Passes messages both ways until one side has hung up.
async fn pass<S: AsyncRead + AsyncWrite + Unpin>(socket: WebSocketStream<S>, channel: DataChannel) {
    let (mut to_laptop, mut from_laptop) = socket.split();
    let (mut to_phone, mut from_phone) = channel.split();
    loop {
        tokio::select! {
            message = from_laptop.next() => match message {
                Some(Ok(Message::Binary(message))) => {
                    if to_phone.send(&message).await.is_err() {
                        break;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => break,
            },
            message = from_phone.receive() => match message {
                Ok(message) => {
                    if to_laptop.send(Message::Binary(message.into())).await.is_err() {
                        break;
                    }
                }
                Err(_) => break,
            },
        }
    }
    let _ = to_laptop.close().await;
    to_phone.close(CloseCode::NORMAL).await;
}
