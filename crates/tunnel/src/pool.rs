//! Several channels behind one receiving end, for a driver that is one loop.

use std::{collections::HashMap, fmt, future::Future, sync::Arc, time::Duration};

use hybridge_ble::{
    DeviceAddress,
    l2cap::{DynL2capConnector, DynL2capSocket},
};
use hybridge_proto::{
    channel::{ChannelId, CloseCode, DialFailure},
    ids::RoutingId,
    service::{RoutingIdError, ServiceRequest},
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

use crate::{
    channel::DataChannel,
    dial::{Dialed, DynDialer},
    error::{ChannelError, DialError},
};

/// How many reports may wait to be taken. Beyond that the channels are not read, so that a peer cannot fill the
/// memory.
const WAITING_REPORTS: usize = 16;

/// How long a channel that was closed on this side waits for the peer's answer.
const LINGER: Duration = Duration::from_secs(1);

/// How long an L2CAP connection outlives its last message, which is on its way.
const L2CAP_LINGER: Duration = Duration::from_millis(250);

/// What one channel of a [`ChannelPool`] reports. `Debug` shows the length of a message only.
#[non_exhaustive]
pub enum Report {
    /// The channel is open.
    Opened {
        /// The tunnel's routing ID, which only the answer to `/cable/new` must have.
        routing_id: Result<RoutingId, RoutingIdError>,
        /// Whether the connect signal was agreed to.
        signal: bool,
    },
    /// The channel could not be opened. It is gone from the pool.
    DialFailed(DialError),
    /// A message came in, or over L2CAP a packet.
    Message(Vec<u8>),
    /// The channel is over, and gone from the pool.
    Closed(ChannelError),
}

enum Order {
    Send(Vec<u8>),
    Close(CloseCode),
}

/// Dials, sends and closes without waiting, and reports what happens on all channels in one place.
///
/// Each channel is a task of the pool. Dropping the pool drops all channels without a close frame;
/// [`ChannelPool::finish`] closes them properly.
pub struct ChannelPool {
    dialer: Arc<dyn DynDialer>,
    orders: HashMap<ChannelId, mpsc::UnboundedSender<Order>>,
    reports: mpsc::Receiver<(ChannelId, Report)>,
    report_to: mpsc::Sender<(ChannelId, Report)>,
    tasks: JoinSet<()>,
}

impl ChannelPool {
    /// An empty pool.
    pub fn new(dialer: Arc<dyn DynDialer>) -> Self {
        let (report_to, reports) = mpsc::channel(WAITING_REPORTS);
        Self { dialer, orders: HashMap::new(), reports, report_to, tasks: JoinSet::new() }
    }

    /// Starts opening a channel; [`Report::Opened`] or [`Report::DialFailed`] follows.
    pub fn dial(&mut self, key: ChannelId, request: ServiceRequest) {
        let dialer = Arc::clone(&self.dialer);
        self.open(key, async move { dialer.dial_dyn(&request).await });
    }

    /// Starts connecting to a device over L2CAP; [`Report::Opened`] or [`Report::DialFailed`] follows.
    pub fn connect(
        &mut self,
        key: ChannelId,
        connector: Arc<dyn DynL2capConnector>,
        device: DeviceAddress,
        psm: u16,
    ) {
        self.open(key, async move {
            let socket = connector.connect_dyn(device, psm).await.map_err(DialError::L2cap)?;
            let channel = DataChannel::l2cap(socket);
            Ok(Dialed { channel, routing_id: Err(RoutingIdError::Missing), signal: false })
        });
    }

    /// Takes in an L2CAP connection that is open already, so that no [`Report::Opened`] follows.
    pub fn accept(&mut self, key: ChannelId, socket: Box<dyn DynL2capSocket>) {
        let (orders, ordered) = mpsc::unbounded_channel();
        self.orders.insert(key, orders);
        self.tasks.spawn(carry(key, DataChannel::l2cap(socket), ordered, self.report_to.clone()));
    }

    fn open(
        &mut self,
        key: ChannelId,
        dialing: impl Future<Output = Result<Dialed, DialError>> + Send + 'static,
    ) {
        let (orders, ordered) = mpsc::unbounded_channel();
        self.orders.insert(key, orders);
        self.tasks.spawn(run_channel(key, dialing, ordered, self.report_to.clone()));
    }

    /// Queues a message behind earlier ones. A channel that is gone takes no more, and has reported that.
    pub fn send(&self, key: ChannelId, message: Vec<u8>) {
        if let Some(orders) = self.orders.get(&key) {
            // Fails only if the channel has just ended, which it reports.
            let _ = orders.send(Order::Send(message));
        }
    }

    /// Closes a channel behind all messages queued before, or stops opening it. It reports nothing after this. Its
    /// connection ends in the background, once the peer has answered and at the latest after a second.
    pub fn close(&mut self, key: ChannelId, code: CloseCode) {
        if let Some(orders) = self.orders.remove(&key) {
            let _ = orders.send(Order::Close(code));
        }
    }

    /// Waits for the next report; forever if there is no channel.
    ///
    /// # Cancel safety
    /// When the future is dropped, no report is lost.
    pub async fn next(&mut self) -> (ChannelId, Report) {
        loop {
            let Some((key, report)) = self.reports.recv().await else {
                // The pool holds a sender itself, so its queue never ends.
                return std::future::pending().await;
            };
            if !self.orders.contains_key(&key) {
                continue;
            }
            if matches!(report, Report::DialFailed(_) | Report::Closed(_)) {
                self.orders.remove(&key);
            }
            return (key, report);
        }
    }

    /// Closes what is still open with code 1001 and waits, at most for `limit`, until everything that was queued
    /// has been sent and the peers have answered the close frames.
    pub async fn finish(mut self, limit: Duration) {
        let until = Instant::now() + limit;
        for (_, orders) in self.orders.drain() {
            let _ = orders.send(Order::Close(CloseCode::GOING_AWAY));
        }
        // Reports that nobody takes any more must not hold up the tasks.
        self.reports.close();
        while let Ok(Some(_)) = timeout_at(until, self.tasks.join_next()).await {}
    }
}

impl fmt::Debug for ChannelPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelPool").field("channels", &self.orders.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { routing_id, signal } => {
                f.debug_struct("Opened").field("routing_id", routing_id).field("signal", signal).finish()
            }
            Self::DialFailed(error) => f.debug_tuple("DialFailed").field(error).finish(),
            Self::Message(message) => write!(f, "Message({} bytes)", message.len()),
            Self::Closed(error) => f.debug_tuple("Closed").field(error).finish(),
        }
    }
}

async fn run_channel(
    key: ChannelId,
    dialing: impl Future<Output = Result<Dialed, DialError>> + Send,
    mut orders: mpsc::UnboundedReceiver<Order>,
    reports: mpsc::Sender<(ChannelId, Report)>,
) {
    let dialed = tokio::select! {
        dialed = dialing => dialed,
        // Nothing is sent before the channel is open, so any order means to stop.
        _ = orders.recv() => return,
    };
    // A report fails only when the pool is going away, and then nobody waits for it.
    match dialed {
        Ok(dialed) => {
            let opened = Report::Opened { routing_id: dialed.routing_id, signal: dialed.signal };
            let _ = reports.send((key, opened)).await;
            carry(key, dialed.channel, orders, reports).await;
        }
        Err(error) => {
            let _ = reports.send((key, Report::DialFailed(error))).await;
        }
    }
}

/// Moves messages both ways at once, so that a peer that reads slowly does not stop what it sends.
async fn carry(
    key: ChannelId,
    channel: DataChannel,
    mut orders: mpsc::UnboundedReceiver<Order>,
    reports: mpsc::Sender<(ChannelId, Report)>,
) {
    let linger = if channel.is_l2cap() { L2CAP_LINGER } else { LINGER };
    let (mut sender, mut receiver) = channel.split();
    let reading = async {
        loop {
            match receiver.receive().await {
                Ok(message) => {
                    let _ = reports.send((key, Report::Message(message))).await;
                }
                Err(error) => break error,
            }
        }
    };
    let writing = async {
        loop {
            match orders.recv().await {
                // A peer that has said its last word may be gone before ours; what it said is still to be read,
                // and the reading end reports how the channel ended.
                Some(Order::Send(message)) => drop(sender.send(&message).await),
                Some(Order::Close(code)) => return sender.close(code).await,
                None => return,
            }
        }
    };
    let error = tokio::select! {
        error = reading => error,
        () = writing => {
            // Until the peer has answered: a connection that is dropped with unread bytes is reset, and a reset
            // destroys what the peer has not read yet.
            let _ = timeout(linger, async { while receiver.receive().await.is_ok() {} }).await;
            return;
        }
    };
    let _ = reports.send((key, Report::Closed(error))).await;
}

impl DialError {
    /// What the protocol needs to know of this.
    pub fn failure(&self) -> DialFailure {
        match self {
            Self::Gone => DialFailure::Gone,
            Self::L2cap(_) => DialFailure::L2cap,
            Self::Refused { status, .. } => DialFailure::Refused(*status),
            Self::NotTunnelService(_) | Self::RedirectRefused(_) | Self::InvalidRequest => {
                DialFailure::NotATunnelService
            }
            Self::Resolve(_) | Self::Connect(_) | Self::Tls(_) | Self::Broken(_) | Self::TimedOut { .. } => {
                DialFailure::Unreachable
            }
        }
    }
}
