//! Two devices that find and connect to each other, within the bounds of the rig.

use std::future::Future;

use tokio::time::timeout;

use super::Rig;
use crate::conformance::Problem;
use crate::conformance::listen::{HandleOf, Series, advertise, scan};
use crate::l2cap::{L2capConnector, L2capListener, L2capListening, L2capSocket};
use crate::{Advertisement, DeviceAddress, RadioError};

pub(super) type ListeningOf<R> = <<R as Rig>::Listener as L2capListener>::Listening;
pub(super) type Connected<R> = <<R as Rig>::Connector as L2capConnector>::Socket;
pub(super) type Accepted<R> = <ListeningOf<R> as L2capListening>::Socket;

/// A device that others can connect to, and where it was heard.
pub(super) struct Meeting<'a, R: Rig> {
    rig: &'a R,
    pub(super) listening: ListeningOf<R>,
    address: DeviceAddress,
    advert: HandleOf<R>,
}

impl<'a, R: Rig> Meeting<'a, R> {
    pub(super) async fn new(rig: &'a R) -> Result<Self, Problem> {
        let listening = listen(rig).await?;
        let mut series = Series::new(rig);
        let sent = series.plain().connectable();
        let mut scan = scan(rig).await?;
        let advert = advertise(rig, &sent).await?;
        let heard = Advertisement { connectable: false, ..sent };
        let address = series.find(&mut scan, &heard, rig.bounds()).await?;
        Ok(Self { rig, listening, address, advert })
    }

    pub(super) fn connecting(&self, psm: u16) -> impl Future<Output = Result<Connected<R>, RadioError>> + '_ {
        self.rig.connector().connect(self.address, psm)
    }

    pub(super) async fn connect(&self) -> Result<Connected<R>, Problem> {
        within(self.rig, "connect", self.connecting(self.listening.psm())).await
    }

    pub(super) async fn accept(&mut self) -> Result<Accepted<R>, Problem> {
        within(self.rig, "accept a connection", self.listening.accept()).await
    }

    pub(super) async fn pair(&mut self) -> Result<(Connected<R>, Accepted<R>), Problem> {
        let connected = self.connect().await?;
        Ok((connected, self.accept().await?))
    }

    /// Listens anew.
    pub(super) async fn renew(&mut self) -> Result<(), Problem> {
        self.listening = listen(self.rig).await?;
        Ok(())
    }

    /// Stops listening and advertising.
    pub(super) fn end(self) -> (ListeningOf<R>, HandleOf<R>) {
        (self.listening, self.advert)
    }
}

pub(super) async fn listen<R: Rig>(rig: &R) -> Result<ListeningOf<R>, Problem> {
    within(rig, "listen for connections", rig.listener().listen()).await
}

pub(super) async fn send(rig: &impl Rig, from: &impl L2capSocket, packet: &[u8]) -> Result<(), Problem> {
    within(rig, "send a packet", from.send(packet)).await
}

pub(super) async fn receive(rig: &impl Rig, at: &impl L2capSocket) -> Result<Vec<u8>, Problem> {
    within(rig, "receive a packet", at.receive()).await
}

/// Sends a packet and looks at what arrives.
pub(super) async fn pass(
    rig: &impl Rig,
    from: &impl L2capSocket,
    to: &impl L2capSocket,
    packet: &[u8],
) -> Result<(), Problem> {
    send(rig, from, packet).await?;
    same(packet, &receive(rig, to).await?)
}

pub(super) fn same(sent: &[u8], received: &[u8]) -> Result<(), Problem> {
    if sent == received {
        return Ok(());
    }
    Err(Problem::PacketChanged { sent: sent.len(), received: received.len() })
}

/// Waits for what the radio does, as long as the rig allows.
pub(super) async fn within<T>(
    rig: &impl Rig,
    action: &'static str,
    done: impl Future<Output = Result<T, RadioError>>,
) -> Result<T, Problem> {
    let bound = rig.patience();
    let result = timeout(bound, done).await.map_err(|_| Problem::Stuck { action, bound })?;
    result.map_err(|source| Problem::Radio { action, source })
}
