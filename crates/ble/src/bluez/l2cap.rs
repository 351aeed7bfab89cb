//! L2CAP channels of the kernel.
//!
//! They are neither paired nor encrypted of their own, as the protocol above brings its own encryption. Some phones
//! ask for encryption of the link all the same; then the system's pairing agent has to agree, and as long as there is
//! none, sending and receiving fail with "permission denied" (EACCES), which is reported as
//! [`RadioError::PermissionDenied`].

use std::io;
use std::time::Duration;

use bluer::l2cap::{SeqPacket, SeqPacketListener, Socket, SocketAddr};
use bluer::{Address, AddressType};
use tokio::time::{Instant, sleep};

use super::{
    SystemRadio,
    queue::{Channel, next_packet},
    sort,
};
use crate::l2cap::{L2capConnector, L2capListener, L2capListening, L2capSocket};
use crate::{AddressKind, DeviceAddress, RadioError};

/// The largest packet taken in bytes, which the peer is told. Most messages of the protocol fit into one.
const RECEIVE_MTU: u16 = 4096;
/// What every peer takes (Bluetooth Core Specification, volume 3, part A, section 4.22).
const LEAST_MTU: usize = 23;
/// How many connections wait to be accepted.
const BACKLOG: u32 = 4;
/// How long the kernel may take to learn what the peer takes. It says 0 until then.
const LEARN_MTU: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);

impl SystemRadio {
    /// A socket of this adapter, and of no other.
    async fn socket(&self) -> Result<Socket<SeqPacket>, RadioError> {
        self.look().await?;
        let address = self.adapter.address().await.map_err(|cause| sort("tell its address", cause))?;
        let kind = self.adapter.address_type().await.map_err(|cause| sort("tell its address", cause))?;
        let kind = if kind == AddressType::LeRandom { kind } else { AddressType::LePublic };
        let open = || {
            let socket = Socket::<SeqPacket>::new_seq_packet()?;
            socket.bind(SocketAddr::new(address, kind, 0))?;
            socket.set_recv_mtu(RECEIVE_MTU)?;
            Ok(socket)
        };
        open().map_err(|cause| fault("open a channel", cause))
    }
}

impl L2capConnector for SystemRadio {
    type Socket = SystemSocket;

    async fn connect(&self, device: DeviceAddress, psm: u16) -> Result<SystemSocket, RadioError> {
        let socket = self.socket().await?;
        let kind = match device.kind() {
            AddressKind::Public => AddressType::LePublic,
            AddressKind::Random => AddressType::LeRandom,
        };
        let peer = SocketAddr::new(Address::new(*device.bytes()), kind, psm);
        let channel = socket.connect(peer).await.map_err(unreachable)?;
        let send_mtu = send_mtu(&channel).await?;
        Ok(SystemSocket { channel, send_mtu })
    }
}

impl L2capListener for SystemRadio {
    type Listening = SystemListening;

    async fn listen(&self) -> Result<SystemListening, RadioError> {
        let socket = self.socket().await?;
        let listen = || {
            let listener = socket.listen(BACKLOG)?;
            let psm = listener.as_ref().local_addr()?.psm;
            Ok(SystemListening { listener, psm, next: None })
        };
        listen().map_err(|cause| fault("listen for connections", cause))
    }
}

/// A PSM that is listened on. Dropping it ends that.
#[must_use = "dropping it stops listening"]
#[derive(Debug)]
pub struct SystemListening {
    listener: SeqPacketListener,
    psm: u16,
    /// A connection of which it is not known yet what its peer takes.
    next: Option<SeqPacket>,
}

impl L2capListening for SystemListening {
    type Socket = SystemSocket;

    fn psm(&self) -> u16 {
        self.psm
    }

    async fn accept(&mut self) -> Result<SystemSocket, RadioError> {
        loop {
            let channel = match &self.next {
                Some(channel) => channel,
                None => {
                    let accepted = self.listener.accept().await;
                    let (channel, _peer) = accepted.map_err(|cause| fault("accept a connection", cause))?;
                    self.next.insert(channel)
                }
            };
            let send_mtu = send_mtu(channel).await;
            if let (Some(channel), Ok(send_mtu)) = (self.next.take(), send_mtu) {
                return Ok(SystemSocket { channel, send_mtu });
            }
        }
    }
}

/// One end of a connection. Dropping it disconnects.
#[must_use = "dropping a socket disconnects"]
#[derive(Debug)]
pub struct SystemSocket {
    channel: SeqPacket,
    send_mtu: usize,
}

/// Waits until it is known what the peer takes, and tells it in bytes.
async fn send_mtu(channel: &SeqPacket) -> Result<usize, RadioError> {
    let connected = Instant::now();
    loop {
        let mtu = channel.send_mtu().map_err(over)?;
        if mtu > 0 || connected.elapsed() >= LEARN_MTU {
            return Ok(mtu.max(LEAST_MTU));
        }
        sleep(PAUSE).await;
    }
}

impl L2capSocket for SystemSocket {
    fn send_mtu(&self) -> usize {
        self.send_mtu
    }

    async fn send(&self, packet: &[u8]) -> Result<(), RadioError> {
        if packet.len() > self.send_mtu {
            return Err(RadioError::PacketTooLarge { actual: packet.len(), max: self.send_mtu });
        }
        self.channel.send(packet).await.map(drop).map_err(over)
    }

    async fn receive(&self) -> Result<Vec<u8>, RadioError> {
        next_packet(&self.channel, usize::from(RECEIVE_MTU)).await
    }
}

impl Channel for SeqPacket {
    async fn take(&self, packet: &mut [u8]) -> io::Result<usize> {
        self.recv(packet).await
    }

    fn has_packet(&self) -> bool {
        // The length of the first packet.
        self.as_ref().input_buffer().is_ok_and(|length| length > 0)
    }

    fn is_connected(&self) -> bool {
        self.peer_addr().is_ok()
    }
}

/// What a connection that does not come about means.
fn unreachable(cause: io::Error) -> RadioError {
    tracing::debug!(%cause, "no connection to the other device");
    match cause.raw_os_error() {
        Some(
            libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::ETIMEDOUT
            | libc::ECONNREFUSED
            | libc::ECONNRESET
            | libc::ECONNABORTED
            | libc::EPIPE
            | libc::ENOTCONN,
        ) => RadioError::Unreachable,
        _ => fault("connect to the other device", cause),
    }
}

/// What an error on a connection means.
pub(super) fn over(cause: io::Error) -> RadioError {
    match cause.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::TimedOut => RadioError::Disconnected,
        _ => fault("use a connection", cause),
    }
}

/// What an error of the adapter means.
fn fault(action: &'static str, cause: io::Error) -> RadioError {
    match cause.raw_os_error() {
        Some(libc::EACCES | libc::EPERM) => RadioError::PermissionDenied,
        Some(libc::ENODEV | libc::EADDRNOTAVAIL) => RadioError::NoAdapter,
        Some(libc::ENETDOWN) => RadioError::PoweredOff,
        Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::EOPNOTSUPP) => {
            RadioError::Unsupported { action }
        }
        _ => RadioError::Driver { action, source: cause.into() },
    }
}
