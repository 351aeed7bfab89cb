//! Connections between two Bluetooth LE devices: L2CAP channels in LE credit based flow control mode (Bluetooth Core
//! Specification, volume 3, part A, section 10.1), without pairing and without encryption of their own.
//!
//! A phone that offers the hybrid transport's Bluetooth data channel (CTAP 2.3 section 11.5) listens on a PSM, which
//! is a port number, and advertises connectably with that number in its service data. A computer connects to the
//! address that the advert came from. Anybody in range can do so, and anybody can listen: who is at the other end is
//! for the protocol above to find out.
//!
//! A connection carries packets and not a stream of bytes: the other side receives what was sent in the same
//! portions, which Bluetooth calls service data units. How large they may be is each receiver's choice.
//!
//! [`L2capListener`], [`L2capListening`], [`L2capConnector`] and [`L2capSocket`] are for backends to implement. Their
//! object-safe twins begin with `Dyn`; every radio is its twin, and each twin is a radio, as for
//! [`Scanner`](crate::Scanner).

use std::future::Future;
use std::sync::Arc;

mod dynamic;

pub use dynamic::{DynL2capConnector, DynL2capListener, DynL2capListening, DynL2capSocket};

use crate::{DeviceAddress, RadioError};

/// A radio that can connect to other devices.
pub trait L2capConnector: Send + Sync {
    /// A connection.
    type Socket: L2capSocket;

    /// Connects to a device that advertises connectably, at the given PSM, and returns once both directions can be
    /// used and [`L2capSocket::send_mtu`] is known.
    ///
    /// It gives up by itself after a time of the system's choice, often 20 s or more. A caller who cannot wait so
    /// long drops the future.
    ///
    /// # Errors
    /// [`RadioError::Unreachable`] when the device does not answer, nobody listens at this PSM or the device turns
    /// the connection down. Any other [`RadioError`] about the radio itself when it cannot
    /// connect now. Nothing is left open then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves no connection open, at the latest a short time afterwards.
    fn connect(
        &self,
        device: DeviceAddress,
        psm: u16,
    ) -> impl Future<Output = Result<Self::Socket, RadioError>> + Send;
}

/// A radio that others can connect to.
pub trait L2capListener: Send + Sync {
    /// A PSM that is listened on.
    type Listening: L2capListening + 'static;

    /// Listens on a free PSM of the radio's choice, and returns once others can connect. They find the device only
    /// while it sends a connectable advert.
    ///
    /// # Errors
    /// Any [`RadioError`] about the radio itself, when it cannot listen now. Nothing is left
    /// listening then.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing listening.
    fn listen(&self) -> impl Future<Output = Result<Self::Listening, RadioError>> + Send;
}

/// A PSM that is listened on. Dropping it ends that: later connections are turned down, and so are those that were
/// not accepted yet. Accepted connections go on.
#[must_use = "dropping it stops listening"]
pub trait L2capListening: Send {
    /// A connection.
    type Socket: L2capSocket;

    /// The PSM, from 0x80 to 0xFF.
    fn psm(&self) -> u16;

    /// Waits for the next connection, from whoever it is. Some connections wait here until they are accepted; at
    /// least one does.
    ///
    /// # Errors
    /// Any [`RadioError`] about the radio itself, when it stopped listening. Every later call fails
    /// as well. A connection that fails before it is handed over is left out and is no error.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection: the next call continues where this one was.
    fn accept(&mut self) -> impl Future<Output = Result<Self::Socket, RadioError>> + Send;
}

/// One end of a connection. Dropping it disconnects; what the peer has not been handed by then may be lost.
#[must_use = "dropping a socket disconnects"]
pub trait L2capSocket: Send + Sync + 'static {
    /// The largest packet in bytes that the peer takes, at least 23. It does not change.
    fn send_mtu(&self) -> usize;

    /// Sends one packet and waits until the system has taken it, which is not yet until the peer has it. It waits as
    /// long as the peer gives no credit to send more. Packets arrive in the order of the calls, unless several calls
    /// are made at once.
    ///
    /// # Errors
    /// [`RadioError::PacketTooLarge`] for more than [`send_mtu`](Self::send_mtu) bytes, after which the connection is
    /// still good. [`RadioError::Disconnected`] when the connection is over; any other [`RadioError`] when the radio
    /// failed, which ends the connection as well.
    ///
    /// # Cancel safety
    /// When the future is dropped, the packet was sent or not, and never in part.
    fn send(&self, packet: &[u8]) -> impl Future<Output = Result<(), RadioError>> + Send;

    /// Waits for the next packet. It may be empty, and it has at most 65,535 bytes. One call at a time.
    ///
    /// # Errors
    /// [`RadioError::Disconnected`] when the connection is over, whoever ended it; any other [`RadioError`] when the
    /// radio failed. Packets that arrived before are handed over first. Every later call fails as well.
    ///
    /// # Cancel safety
    /// When the future is dropped, no packet is lost.
    fn receive(&self) -> impl Future<Output = Result<Vec<u8>, RadioError>> + Send;
}

/// Lets every pointer to a radio stand for the radio.
macro_rules! forward_radio {
    ($($pointer:ty),+) => {$(
        impl<T: L2capConnector + ?Sized> L2capConnector for $pointer {
            type Socket = T::Socket;

            fn connect(
                &self,
                device: DeviceAddress,
                psm: u16,
            ) -> impl Future<Output = Result<Self::Socket, RadioError>> + Send {
                T::connect(self, device, psm)
            }
        }

        impl<T: L2capListener + ?Sized> L2capListener for $pointer {
            type Listening = T::Listening;

            fn listen(&self) -> impl Future<Output = Result<Self::Listening, RadioError>> + Send {
                T::listen(self)
            }
        }
    )+};
}

forward_radio!(&T, Box<T>, Arc<T>);

impl<T: L2capListening + ?Sized> L2capListening for Box<T> {
    type Socket = T::Socket;

    fn psm(&self) -> u16 {
        T::psm(self)
    }

    fn accept(&mut self) -> impl Future<Output = Result<Self::Socket, RadioError>> + Send {
        T::accept(self)
    }
}

/// Lets every pointer to a connection stand for the connection.
macro_rules! forward_socket {
    ($($pointer:ty),+) => {$(
        impl<T: L2capSocket + ?Sized> L2capSocket for $pointer {
            fn send_mtu(&self) -> usize {
                T::send_mtu(self)
            }

            fn send(&self, packet: &[u8]) -> impl Future<Output = Result<(), RadioError>> + Send {
                T::send(self, packet)
            }

            fn receive(&self) -> impl Future<Output = Result<Vec<u8>, RadioError>> + Send {
                T::receive(self)
            }
        }
    )+};
}

forward_socket!(Box<T>, Arc<T>);
