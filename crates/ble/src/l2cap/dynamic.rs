//! Object-safe twins of the connection traits.

use std::fmt;
use std::future::Future;

use super::{L2capConnector, L2capListener, L2capListening, L2capSocket};
use crate::{DeviceAddress, RadioError, RadioFuture};

/// [`L2capConnector`] for storage as `Arc<dyn DynL2capConnector>`. Implemented by every connector.
pub trait DynL2capConnector: Send + Sync {
    /// See [`L2capConnector::connect`].
    fn connect_dyn(&self, device: DeviceAddress, psm: u16) -> RadioFuture<'_, Box<dyn DynL2capSocket>>;
}

/// [`L2capListener`] for storage as `Arc<dyn DynL2capListener>`. Implemented by every listener.
pub trait DynL2capListener: Send + Sync {
    /// See [`L2capListener::listen`].
    fn listen_dyn(&self) -> RadioFuture<'_, Box<dyn DynL2capListening>>;
}

/// [`L2capListening`] for storage as `Box<dyn DynL2capListening>`. Implemented by everything that listens.
pub trait DynL2capListening: Send {
    /// See [`L2capListening::psm`].
    fn psm_dyn(&self) -> u16;

    /// See [`L2capListening::accept`].
    fn accept_dyn(&mut self) -> RadioFuture<'_, Box<dyn DynL2capSocket>>;
}

/// [`L2capSocket`] for storage as `Box<dyn DynL2capSocket>`. Implemented by every connection.
pub trait DynL2capSocket: Send + Sync + 'static {
    /// See [`L2capSocket::send_mtu`].
    fn send_mtu_dyn(&self) -> usize;

    /// See [`L2capSocket::send`].
    fn send_dyn<'a>(&'a self, packet: &'a [u8]) -> RadioFuture<'a, ()>;

    /// See [`L2capSocket::receive`].
    fn receive_dyn(&self) -> RadioFuture<'_, Vec<u8>>;
}

impl fmt::Debug for dyn DynL2capConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynL2capConnector")
    }
}

impl fmt::Debug for dyn DynL2capListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynL2capListener")
    }
}

impl<T: L2capConnector> DynL2capConnector for T {
    fn connect_dyn(&self, device: DeviceAddress, psm: u16) -> RadioFuture<'_, Box<dyn DynL2capSocket>> {
        Box::pin(async move {
            let socket: Box<dyn DynL2capSocket> = Box::new(self.connect(device, psm).await?);
            Ok(socket)
        })
    }
}

impl<T: L2capListener> DynL2capListener for T {
    fn listen_dyn(&self) -> RadioFuture<'_, Box<dyn DynL2capListening>> {
        Box::pin(async {
            let listening: Box<dyn DynL2capListening> = Box::new(self.listen().await?);
            Ok(listening)
        })
    }
}

impl<T: L2capListening> DynL2capListening for T {
    fn psm_dyn(&self) -> u16 {
        self.psm()
    }

    fn accept_dyn(&mut self) -> RadioFuture<'_, Box<dyn DynL2capSocket>> {
        Box::pin(async {
            let socket: Box<dyn DynL2capSocket> = Box::new(self.accept().await?);
            Ok(socket)
        })
    }
}

impl<T: L2capSocket> DynL2capSocket for T {
    fn send_mtu_dyn(&self) -> usize {
        self.send_mtu()
    }

    fn send_dyn<'a>(&'a self, packet: &'a [u8]) -> RadioFuture<'a, ()> {
        Box::pin(self.send(packet))
    }

    fn receive_dyn(&self) -> RadioFuture<'_, Vec<u8>> {
        Box::pin(self.receive())
    }
}

impl L2capConnector for dyn DynL2capConnector {
    type Socket = Box<dyn DynL2capSocket>;

    fn connect(
        &self,
        device: DeviceAddress,
        psm: u16,
    ) -> impl Future<Output = Result<Self::Socket, RadioError>> + Send {
        self.connect_dyn(device, psm)
    }
}

impl L2capListener for dyn DynL2capListener {
    type Listening = Box<dyn DynL2capListening>;

    fn listen(&self) -> impl Future<Output = Result<Self::Listening, RadioError>> + Send {
        self.listen_dyn()
    }
}

impl L2capListening for dyn DynL2capListening {
    type Socket = Box<dyn DynL2capSocket>;

    fn psm(&self) -> u16 {
        self.psm_dyn()
    }

    fn accept(&mut self) -> impl Future<Output = Result<Self::Socket, RadioError>> + Send {
        self.accept_dyn()
    }
}

impl L2capSocket for dyn DynL2capSocket {
    fn send_mtu(&self) -> usize {
        self.send_mtu_dyn()
    }

    async fn send(&self, packet: &[u8]) -> Result<(), RadioError> {
        self.send_dyn(packet).await
    }

    fn receive(&self) -> impl Future<Output = Result<Vec<u8>, RadioError>> + Send {
        self.receive_dyn()
    }
}
