//! The helper's socket: how a program without rights gets a security key.
//!
//! A privileged helper holds `/dev/uhid`, makes one security key with it, and relays reports over a Unix socket that keeps
//! packets apart (`SOCK_SEQPACKET`). It knows two kinds of packets, and takes no other:
//!
//! ```text
//! 64 bytes   a report, in either direction
//!  1 byte    0, to the program only: the last program has closed the device
//! ```
//!
//! What the program sends becomes the data of an input report of a device that exists already. Nothing it sends can become
//! another event of `/dev/uhid`: the helper ends at the first packet of another size.

use std::{io, os::unix::net::UnixDatagram as StdSocket, path::Path};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use tokio::{net::UnixDatagram, select};

use crate::{
    driver::{Incoming, ReportChannel},
    hid::{REPORT_SIZE, Report},
    uhid::{KernelEvent, Uhid},
};

mod peer;
#[cfg(test)]
mod tests;

pub use peer::{Listener, Peer};

/// Where the helper listens.
pub const SOCKET: &str = "/run/hybridge/key.sock";
/// Tells that the last program has closed the device.
const CLOSED: [u8; 1] = [0];

/// A connection that keeps packets apart.
///
/// The standard library's datagram socket is what sends and receives; that the socket is connected and ordered makes no
/// difference to it.
#[derive(Debug)]
pub struct Packets(UnixDatagram);

/// A packet of the helper's socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packet {
    Report(Report),
    Closed,
}

impl Packets {
    /// Takes over a connected socket of the kind `SOCK_SEQPACKET`. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`io::Error`] of the system.
    pub fn new(socket: std::os::fd::OwnedFd) -> io::Result<Self> {
        let socket = StdSocket::from(socket);
        socket.set_nonblocking(true)?;
        UnixDatagram::from_std(socket).map(Self)
    }

    async fn receive(&self) -> io::Result<Packet> {
        let mut buffer = [0; REPORT_SIZE + 1];
        let length = self.0.recv(&mut buffer).await?;
        match (length, buffer.first_chunk()) {
            (0, _) => Err(io::ErrorKind::UnexpectedEof.into()),
            (1, _) if buffer.first() == CLOSED.first() => Ok(Packet::Closed),
            (REPORT_SIZE, Some(report)) => Ok(Packet::Report(Report(*report))),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    async fn send(&self, packet: &[u8]) -> io::Result<()> {
        self.0.send(packet).await.map(drop)
    }
}

/// The program's end.
#[derive(Debug)]
pub struct HelperSocket(Packets);

impl HelperSocket {
    /// Connects to the helper, which makes a device. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`io::Error`]: nobody listens there, or it may not be used. A helper that refuses closes the connection, which
    /// shows at the first [`ReportChannel::receive`].
    pub fn connect(path: &Path) -> io::Result<Self> {
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        connect(&socket, &SocketAddrUnix::new(path)?)?;
        Packets::new(socket).map(Self)
    }

    /// Takes over a connected socket. Needs a tokio runtime.
    pub const fn new(packets: Packets) -> Self {
        Self(packets)
    }
}

impl ReportChannel for HelperSocket {
    async fn receive(&mut self) -> io::Result<Incoming> {
        Ok(match self.0.receive().await? {
            Packet::Report(report) => Incoming::Report(report),
            Packet::Closed => Incoming::Closed,
        })
    }

    async fn send(&mut self, report: &Report) -> io::Result<()> {
        self.0.send(&report.0).await
    }
}

/// The helper's work: relays reports until the program leaves, breaks the rules, or the device is gone.
///
/// # Errors
/// [`io::Error`] that ended it; [`io::ErrorKind::UnexpectedEof`] when the program left, [`io::ErrorKind::InvalidData`] when
/// it sent anything but a report.
///
/// # Cancel safety
/// Dropping the future relays no more; the device goes with `uhid`.
pub async fn relay(program: &Packets, uhid: &mut Uhid) -> io::Error {
    loop {
        let relayed = select! {
            packet = program.receive() => match packet {
                Ok(Packet::Report(report)) => uhid.input(&report),
                Ok(Packet::Closed) => Err(io::ErrorKind::InvalidData.into()),
                Err(error) => Err(error),
            },
            event = uhid.event() => match event {
                Ok(KernelEvent::Output(report)) => program.send(&report.0).await,
                Ok(KernelEvent::Close) => program.send(&CLOSED).await,
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            },
        };
        if let Err(error) = relayed {
            return error;
        }
    }
}
