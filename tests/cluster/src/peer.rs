//! A side of a tunnel that is not a phone or a laptop: bytes, and a close code.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use futures_util::{SinkExt, StreamExt};
use hybridge_demo::world::DOMAIN;
use hybridge_proto::ids::{RoutingId, TunnelId};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, handshake::client::Response},
};

use crate::certificate::Trust;

/// How to write hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Upper,
    Lower,
}

/// Where and how to reach the service.
#[derive(Clone)]
pub(crate) struct Road {
    pub(crate) address: SocketAddr,
    pub(crate) trust: Trust,
}

/// A websocket to the service.
pub(crate) struct Peer(WebSocketStream<TlsStream<TcpStream>>);

/// A tunnel that waits for its client.
pub(crate) struct Pending {
    pub(crate) phone: Peer,
    pub(crate) tunnel: TunnelId,
    pub(crate) routing: RoutingId,
}

/// Both sides of a tunnel.
pub(crate) struct Pair {
    pub(crate) phone: Peer,
    pub(crate) client: Peer,
    /// The node that holds it.
    pub(crate) node: u8,
}

/// How a side of a tunnel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With this code in a close frame.
    Closed(Option<u16>),
    /// Without a close frame, which browsers show as 1006.
    Cut,
}

impl Case {
    /// Upper and lower by turns.
    pub(crate) const fn of(number: usize) -> Self {
        if number.is_multiple_of(2) { Self::Upper } else { Self::Lower }
    }

    fn apply(self, hex: &str) -> String {
        match self {
            Self::Upper => hex.to_ascii_uppercase(),
            Self::Lower => hex.to_ascii_lowercase(),
        }
    }
}

/// A tunnel ID that is used nowhere else in this process.
fn fresh_tunnel() -> TunnelId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    TunnelId::from_bytes(std::array::from_fn(|at| number.get(at % 8).map_or(0, |byte| byte ^ 0xa5)))
}

impl Road {
    /// A websocket at `path`, or the status that it was refused with; none where the connection broke.
    async fn websocket(&self, path: &str) -> Result<(Peer, Response), Option<u16>> {
        let host = DOMAIN.host().unwrap();
        let tcp = TcpStream::connect(self.address).await.map_err(|_| None)?;
        tcp.set_nodelay(true).unwrap();
        let name = ServerName::try_from(host.clone()).unwrap();
        let tls = self.trust.connector().connect(name, tcp).await.map_err(|_| None)?;
        let mut request = format!("wss://{host}{path}").into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "fido.cable".parse().unwrap());
        match client_async(request, tls).await {
            Ok((socket, response)) => Ok((Peer(socket), response)),
            Err(Error::Http(response)) => Err(Some(response.status().as_u16())),
            Err(_) => Err(None),
        }
    }

    /// Opens a tunnel as a phone does.
    pub(crate) async fn open(&self, case: Case) -> Result<Pending, Option<u16>> {
        let tunnel = fresh_tunnel();
        let (phone, response) = self.websocket(&case.apply_to_new(tunnel)).await?;
        let routing = response.headers().get("X-caBLE-Routing-ID").unwrap().to_str().unwrap();
        Ok(Pending { phone, tunnel, routing: RoutingId::from_hex(routing).unwrap() })
    }

    /// Joins a tunnel as a client does.
    pub(crate) async fn connect(
        &self,
        tunnel: TunnelId,
        routing: RoutingId,
        case: Case,
    ) -> Result<Peer, Option<u16>> {
        let (routing, tunnel) = (case.apply(&routing.to_hex()), case.apply(&tunnel.to_hex()));
        Ok(self.websocket(&format!("/cable/connect/{routing}/{tunnel}")).await?.0)
    }

    /// A tunnel with both its sides.
    pub(crate) async fn pair(&self, case: Case) -> Result<Pair, Option<u16>> {
        self.open(case).await?.joined(self, case).await
    }

    /// As many tunnels, opened and joined at the same time, in both hex cases. Each has to work.
    pub(crate) async fn pairs(&self, count: usize) -> Vec<Pair> {
        let opening = (0..count).map(|number| {
            let road = self.clone();
            tokio::spawn(async move { road.pair(Case::of(number)).await.unwrap() })
        });
        let mut pairs = Vec::new();
        for opened in opening.collect::<Vec<_>>() {
            pairs.push(opened.await.unwrap());
        }
        pairs
    }
}

impl Case {
    fn apply_to_new(self, tunnel: TunnelId) -> String {
        format!("/cable/new/{}", self.apply(&tunnel.to_hex()))
    }
}

impl Pending {
    /// The node that holds the tunnel.
    pub(crate) const fn node(&self) -> u8 {
        let [number, ..] = *self.routing.as_bytes();
        number
    }

    /// Lets a client join.
    pub(crate) async fn joined(self, road: &Road, case: Case) -> Result<Pair, Option<u16>> {
        let client = road.connect(self.tunnel, self.routing, case).await?;
        Ok(Pair { node: self.node(), phone: self.phone, client })
    }
}

impl Pair {
    /// A message each way; both have to arrive unchanged.
    pub(crate) async fn exchange(&mut self, length: usize) {
        let Self { phone, client, .. } = self;
        pass(client, phone, vec![0x11; length]).await;
        pass(phone, client, vec![0x22; length]).await;
    }

    /// The client hangs up; the phone has to hear of it.
    pub(crate) async fn close(mut self) {
        self.client.0.close(None).await.unwrap();
        assert_eq!(self.phone.receive().await, Err(End::Closed(Some(1000))));
    }
}

/// A message from one side to the other, while the other is reading, so that any length will do.
async fn pass(from: &mut Peer, to: &mut Peer, message: Vec<u8>) {
    let (sent, received) = tokio::join!(from.0.send(Message::Binary(message.clone().into())), to.receive());
    sent.unwrap();
    assert!(received == Ok(message), "a message has changed on its way");
}

impl Peer {
    /// The next message, or the end.
    pub(crate) async fn receive(&mut self) -> Result<Vec<u8>, End> {
        match self.0.next().await {
            Some(Ok(Message::Binary(message))) => Ok(message.to_vec()),
            Some(Ok(Message::Close(frame))) => Err(End::Closed(frame.map(|frame| frame.code.into()))),
            Some(Ok(other)) => panic!("{other:?}"),
            Some(Err(_)) | None => Err(End::Cut),
        }
    }
}
