//! A tunnel service that does not do its work: it stands under the right name with a valid certificate, speaks the
//! websocket protocol properly, and does to messages and requests whatever an attack wants.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt, StreamExt};
use hybridge_proto::{
    ids::{RoutingId, TunnelId},
    service::{SIGNAL_HEADER, ServicePath},
};
use hybridge_relay::http::{Request, head_end, parse_request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message as Frame, protocol::Role},
};

use super::{
    locked,
    meddling::{Message, Toward},
    network::{Host, Stream},
};

/// The routing ID of every tunnel: this service is one machine.
pub(super) const ROUTING: RoutingId = RoutingId::from_bytes([0xBA, 0xD0, 0x00]);
/// How many tunnels there may be: two are enough to mix up.
const TUNNELS: usize = 2;

/// What a service does with a message: the messages that leave in its place.
pub(super) type Meddle = Box<dyn FnMut(Message) -> Vec<Message> + Send>;
/// What a service answers instead of a websocket: the bytes of a response, or nothing to go on as usual.
pub(super) type Answer = Box<dyn Fn(&ServicePath) -> Option<String> + Send + Sync>;

/// A hostile tunnel service. Clones are the same one.
#[derive(Clone)]
pub(super) struct HostileService {
    shared: Arc<Shared>,
}

struct Shared {
    meddle: Mutex<Meddle>,
    answer: Answer,
    state: Mutex<State>,
    lines: [Lines; TUNNELS],
}

#[derive(Default)]
struct State {
    opened: Vec<TunnelId>,
    requests: Vec<ServicePath>,
    /// How many messages have come in for whom, by tunnel.
    passed: [[usize; 2]; TUNNELS],
}

/// The two directions of a tunnel. They exist before anybody has come, so that a message can be sent astray.
struct Lines {
    to_laptop: Line,
    to_phone: Line,
}

struct Line {
    queue: mpsc::UnboundedSender<Delivery>,
    deliveries: Mutex<Option<mpsc::UnboundedReceiver<Delivery>>>,
}

enum Delivery {
    Message(Vec<u8>),
    Close,
}

impl Line {
    fn new() -> Self {
        let (queue, deliveries) = mpsc::unbounded_channel();
        Self { queue, deliveries: Mutex::new(Some(deliveries)) }
    }
}

impl HostileService {
    /// A service that forwards what `meddle` makes of the messages.
    pub(super) fn new(meddle: impl FnMut(Message) -> Vec<Message> + Send + 'static) -> Self {
        Self::with(Box::new(meddle), Box::new(|_| None))
    }

    /// A service that forwards everything. A call it takes, tells nobody of it, and signals that the phone has come.
    pub(super) fn forwarding() -> Self {
        Self::new(|message| vec![message])
    }

    /// A service that answers some requests with a response of its own.
    pub(super) fn answering(answer: impl Fn(&ServicePath) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::with(Box::new(|message| vec![message]), Box::new(answer))
    }

    fn with(meddle: Meddle, answer: Answer) -> Self {
        let lines = || Lines { to_laptop: Line::new(), to_phone: Line::new() };
        let shared = Shared {
            meddle: Mutex::new(meddle),
            answer,
            state: Mutex::default(),
            lines: std::array::from_fn(|_| lines()),
        };
        Self { shared: Arc::new(shared) }
    }

    /// How many requests of clients there were.
    pub(super) fn client_requests(&self) -> usize {
        let state = locked(&self.shared.state);
        state.requests.iter().filter(|path| !matches!(path, ServicePath::New { .. })).count()
    }

    async fn connection(&self, mut io: Stream) {
        let Some(request) = read_request(&mut io).await else { return };
        locked(&self.shared.state).requests.push(request.path.clone());
        if let Some(answer) = (self.shared.answer)(&request.path) {
            let _ = io.write_all(answer.as_bytes()).await;
            let _ = io.shutdown().await;
            return;
        }
        let Some((tunnel, side)) = self.place(&request.path) else { return };
        if let (ServicePath::Contact { .. }, Some(line)) = (&request.path, self.line(tunnel, side)) {
            let _ = line.queue.send(Delivery::Message(vec![0]));
        }
        if io.write_all(&response(&request)).await.is_err() || io.flush().await.is_err() {
            return;
        }
        let websocket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
        self.carry(websocket, tunnel, side).await;
    }

    /// Which side of which tunnel a request asks for.
    fn place(&self, path: &ServicePath) -> Option<(usize, Toward)> {
        let mut state = locked(&self.shared.state);
        match path {
            ServicePath::New { tunnel } => {
                state.opened.push(*tunnel);
                Some((state.opened.len().checked_sub(1)?, Toward::Phone))
            }
            ServicePath::Connect { tunnel, .. } => {
                Some((state.opened.iter().position(|opened| opened == tunnel)?, Toward::Laptop))
            }
            _ => Some((0, Toward::Laptop)),
        }
    }

    fn line(&self, tunnel: usize, toward: Toward) -> Option<&Line> {
        let lines = self.shared.lines.get(tunnel)?;
        Some(match toward {
            Toward::Laptop => &lines.to_laptop,
            Toward::Phone => &lines.to_phone,
        })
    }

    /// Moves the messages of one side until it, or the other one, is gone.
    async fn carry(&self, mut websocket: WebSocketStream<Stream>, tunnel: usize, side: Toward) {
        let Some(line) = self.line(tunnel, side) else { return };
        // The second to come for a side finds it taken, and leaves.
        let Some(mut deliveries) = locked(&line.deliveries).take() else { return };
        loop {
            tokio::select! {
                came = websocket.next() => match came {
                    Some(Ok(Frame::Binary(bytes))) => self.pass(tunnel, side.other(), bytes.to_vec()),
                    Some(Ok(Frame::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => {}
                },
                delivery = deliveries.recv() => {
                    let Some(Delivery::Message(bytes)) = delivery else { break };
                    if websocket.send(Frame::binary(bytes)).await.is_err() {
                        break;
                    }
                }
            }
        }
        if let Some(line) = self.line(tunnel, side.other()) {
            let _ = line.queue.send(Delivery::Close);
        }
        let _ = websocket.close(None).await;
        // Until the peer has taken note.
        while let Some(Ok(_)) = websocket.next().await {}
    }

    fn pass(&self, tunnel: usize, toward: Toward, bytes: Vec<u8>) {
        let number = self.count(tunnel, toward);
        let message = Message { tunnel, toward, number, bytes };
        let mut leaving = VecDeque::from((locked(&self.shared.meddle))(message));
        while let Some(Message { tunnel, toward, bytes, .. }) = leaving.pop_front() {
            if let Some(line) = self.line(tunnel, toward) {
                let _ = line.queue.send(Delivery::Message(bytes));
            }
        }
    }

    /// The number of a message in its direction, from 0.
    fn count(&self, tunnel: usize, toward: Toward) -> usize {
        let mut state = locked(&self.shared.state);
        let passed = state.passed.get_mut(tunnel).map(|[laptop, phone]| match toward {
            Toward::Laptop => laptop,
            Toward::Phone => phone,
        });
        passed.map_or(0, |passed| std::mem::replace(passed, passed.saturating_add(1)))
    }
}

impl Host for HostileService {
    fn serve(&self, io: Stream) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let service = self.clone();
        Box::pin(async move { service.connection(io).await })
    }
}

/// Reads a request as a tunnel service does.
async fn read_request(io: &mut Stream) -> Option<Request> {
    let mut head = Vec::new();
    while head_end(&head, 0).is_none() {
        // A client sends nothing behind its request before it has the answer.
        io.read_buf(&mut head).await.ok().filter(|read| *read > 0)?;
    }
    parse_request(&head).ok()
}

/// Accepts a request. A call is answered with the agreement to signal the phone's coming.
fn response(request: &Request) -> Vec<u8> {
    match &request.path {
        ServicePath::New { .. } => request.to_response(Some(ROUTING)),
        ServicePath::Contact { .. } => {
            let mut response = request.to_response(None);
            // Before the blank line.
            response.truncate(response.len().saturating_sub(2));
            response.extend_from_slice(format!("{SIGNAL_HEADER}: true\r\n\r\n").as_bytes());
            response
        }
        _ => request.to_response(None),
    }
}
