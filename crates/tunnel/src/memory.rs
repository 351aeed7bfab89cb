//! A tunnel service within this process, for tests of drivers.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use hybridge_proto::{
    ids::{ContactId, RoutingId, TunnelId},
    service::{CLIENT_PAYLOAD_HEADER, RoutingIdError, SIGNAL_HEADER, ServicePath, ServiceRequest},
};
use tokio::sync::mpsc;

use crate::{
    channel::{End, pair},
    dial::{Dialed, Dialer},
    error::DialError,
};

/// How many messages a channel holds in each direction, unless set otherwise.
const CAPACITY: usize = 16;

/// A [`Dialer`] that is also the tunnel service: it answers `/cable/new`, `/cable/connect` and `/cable/contact`
/// within this process, whatever the host.
///
/// It draws nothing at random and reads no clock, so the same calls have the same outcome, and it works on
/// tokio's paused time. Clones share their tunnels.
#[derive(Clone)]
pub struct MemoryService {
    state: Arc<Mutex<State>>,
    capacity: usize,
}

#[derive(Default)]
struct State {
    /// Counts IDs that were given out.
    issued: u32,
    tunnels: HashMap<TunnelId, Tunnel>,
    contacts: HashMap<ContactId, mpsc::UnboundedSender<WakeUp>>,
}

enum Tunnel {
    /// The end that the other side will get.
    Pending { routing: RoutingId, end: Arc<End>, signal: bool },
    /// The end that it got.
    Joined(Weak<End>),
}

/// What a tunnel service pushes to a remembered phone that a client calls.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WakeUp {
    /// The tunnel to join.
    pub tunnel: TunnelId,
    /// The tunnel's routing ID.
    pub routing: RoutingId,
    /// The client's payload in hex, as it stood in the header `X-caBLE-Client-Payload`.
    pub client_payload: String,
}

impl fmt::Debug for WakeUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WakeUp").field("payload_length", &self.client_payload.len()).finish_non_exhaustive()
    }
}

impl MemoryService {
    /// A service without tunnels and phones, whose channels hold 16 messages in each direction.
    pub fn new() -> Self {
        Self { state: Arc::default(), capacity: CAPACITY }
    }

    /// Lets channels hold `capacity` messages, at least one, in each direction.
    #[must_use]
    pub const fn with_capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Remembers a phone. Calls to it come out of the returned queue; while the queue is dropped, the phone
    /// counts as switched off: clients get a tunnel that nobody joins. An earlier queue of the same contact ID
    /// gets no more calls.
    pub fn register(&self, contact: ContactId) -> mpsc::UnboundedReceiver<WakeUp> {
        let (calls, queue) = mpsc::unbounded_channel();
        self.state().contacts.insert(contact, calls);
        queue
    }

    /// Forgets a phone: calls to it are answered with 410 from now on, as those to unknown ones.
    pub fn forget(&self, contact: &ContactId) {
        self.state().contacts.remove(contact);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, tunnel: TunnelId) -> Result<Dialed, DialError> {
        let mut state = self.state();
        state.tunnels.retain(|_, tunnel| tunnel.is_alive());
        if state.tunnels.contains_key(&tunnel) {
            return Err(refusal(409, "A tunnel with this ID exists already."));
        }
        let routing = state.routing_id();
        let (opener, end) = pair(self.capacity);
        state.tunnels.insert(tunnel, Tunnel::Pending { routing, end: Arc::new(end), signal: false });
        Ok(Dialed { channel: opener.into_channel(), routing_id: Ok(routing), signal: false })
    }

    fn contact(&self, contact: &ContactId, request: &ServiceRequest) -> Result<Dialed, DialError> {
        let mut state = self.state();
        let calls = state.contacts.get(contact).cloned().ok_or(DialError::Gone)?;
        let client_payload = header(request, CLIENT_PAYLOAD_HEADER)
            .ok_or_else(|| refusal(400, "The client payload is missing."))?
            .to_owned();
        let (routing, tunnel) = (state.routing_id(), state.tunnel_id());
        let signal = header(request, SIGNAL_HEADER).is_some();
        let (client, end) = pair(self.capacity);
        state.tunnels.insert(tunnel, Tunnel::Pending { routing, end: Arc::new(end), signal });
        let _ = calls.send(WakeUp { tunnel, routing, client_payload });
        Ok(Dialed { channel: client.into_channel(), routing_id: Err(RoutingIdError::Missing), signal })
    }

    fn join(&self, tunnel: TunnelId, routing: RoutingId) -> Result<Dialed, DialError> {
        let absent = || refusal(404, "No tunnel with these IDs waits to be joined.");
        let mut state = self.state();
        let end = match state.tunnels.get(&tunnel) {
            Some(Tunnel::Pending { routing: expected, end, signal })
                if *expected == routing && !end.peer_is_gone() =>
            {
                if *signal {
                    // Ahead of everything that the phone sends.
                    end.inject(vec![0]);
                }
                Arc::clone(end)
            }
            _ => return Err(absent()),
        };
        state.tunnels.insert(tunnel, Tunnel::Joined(Arc::downgrade(&end)));
        Ok(Dialed { channel: end.share(), routing_id: Err(RoutingIdError::Missing), signal: false })
    }
}

impl State {
    fn routing_id(&mut self) -> RoutingId {
        self.issued = self.issued.wrapping_add(1);
        let [_, bytes @ ..] = self.issued.to_be_bytes();
        RoutingId::from_bytes(bytes)
    }

    /// A tunnel ID for a call to a phone.
    fn tunnel_id(&mut self) -> TunnelId {
        self.issued = self.issued.wrapping_add(1);
        TunnelId::from_bytes((u128::from(self.issued) | (0xCA11 << 112)).to_be_bytes())
    }
}

impl Tunnel {
    /// Whether both sides, as far as they have come, are still there.
    fn is_alive(&self) -> bool {
        match self {
            Self::Pending { end, .. } => !end.peer_is_gone(),
            Self::Joined(end) => end.upgrade().is_some_and(|end| !end.peer_is_gone()),
        }
    }
}

impl Dialer for MemoryService {
    async fn dial(&self, request: &ServiceRequest) -> Result<Dialed, DialError> {
        match &request.path {
            ServicePath::New { tunnel } => self.open(*tunnel),
            ServicePath::Connect { routing, tunnel } => self.join(*tunnel, *routing),
            ServicePath::Contact { contact } => self.contact(contact, request),
            _ => Err(refusal(404, "It has nothing at this path.")),
        }
    }
}

impl Default for MemoryService {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MemoryService")
            .field("tunnels", &state.tunnels.len())
            .field("contacts", &state.contacts.len())
            .finish_non_exhaustive()
    }
}

fn refusal(status: u16, text: &str) -> DialError {
    DialError::Refused { status, text: text.to_owned() }
}

fn header<'a>(request: &'a ServiceRequest, name: &str) -> Option<&'a str> {
    let found = request.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests;
