//! Connections of simulated devices: the handles that tests and demonstrations hold.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::coop::consume_budget;
use tracing::debug;

use super::links::{Answer, Side};
use super::options::millis;
use super::shared::Shared;
use super::state::State;
use super::{Action, ConnectionId, SimDevice};
use crate::l2cap::{L2capConnector, L2capListener, L2capListening, L2capSocket};
use crate::{DeviceAddress, RadioError};

/// How long a device that does not answer is called.
const CONNECTING: Duration = Duration::from_secs(20);

impl Shared {
    /// Asks again and again until there is an answer.
    async fn ask<T>(
        &self,
        mut question: impl FnMut(&mut State) -> Result<Answer<T>, RadioError>,
    ) -> Result<T, RadioError> {
        let mut changes = self.watch_changes();
        loop {
            consume_budget().await;
            changes.mark_unchanged();
            match self.with(&mut question)? {
                Answer::Ready(answer) => return Ok(answer),
                Answer::Wait(until) => self.pause(until, &mut changes).await,
            }
        }
    }
}

impl L2capListener for SimDevice {
    type Listening = SimListening;

    async fn listen(&self) -> Result<SimListening, RadioError> {
        let psm = self.shared.change(|state| state.listen(self.id))?;
        debug!(device = %self.name(), psm, "listening on the simulated air");
        Ok(SimListening { shared: Arc::clone(&self.shared), device: self.id, psm })
    }
}

impl L2capConnector for SimDevice {
    type Socket = SimSocket;

    async fn connect(&self, device: DeviceAddress, psm: u16) -> Result<SimSocket, RadioError> {
        let give_up = self.shared.with(|state| state.now.saturating_add(millis(CONNECTING)));
        // A device is connected to in the moment in which it sends its advert.
        let mut heard = None;
        let connect = |state: &mut State| {
            state.ask(self.id, Action::Connect)?;
            let reachable = state.reachable(self.id, device);
            let (now, earlier) = (state.now, heard);
            heard = reachable;
            match (earlier, reachable) {
                (Some((advert, due)), Some((still, _))) if advert == still && due <= now => {
                    state.connect(self.id, advert, psm).map(Answer::Ready)
                }
                (Some((advert, due)), Some((still, _))) if advert == still => {
                    heard = earlier;
                    Ok(Answer::Wait(Some(due)))
                }
                _ if give_up <= now => Err(RadioError::Unreachable),
                (_, Some((_, due))) => Ok(Answer::Wait(Some(due.min(give_up)))),
                (_, None) => Ok(Answer::Wait(Some(give_up))),
            }
        };
        let id = self.shared.ask(connect).await?;
        self.shared.change(|_| ());
        debug!(device = %self.name(), psm, "connected on the simulated air");
        Ok(SimSocket::new(&self.shared, id, Side::Connector))
    }
}

/// A PSM that a simulated device listens on. Dropping it ends that.
///
/// Four connections wait to be accepted; further ones are turned down.
#[must_use = "dropping it stops listening"]
pub struct SimListening {
    shared: Arc<Shared>,
    device: u32,
    psm: u16,
}

impl L2capListening for SimListening {
    type Socket = SimSocket;

    fn psm(&self) -> u16 {
        self.psm
    }

    async fn accept(&mut self) -> Result<SimSocket, RadioError> {
        let id = self.shared.ask(|state| state.accept(self.device, self.psm)).await?;
        Ok(SimSocket::new(&self.shared, id, Side::Listener))
    }
}

impl Drop for SimListening {
    fn drop(&mut self) {
        self.shared.change(|state| state.end_listening(self.device, self.psm));
    }
}

/// One end of a connection between simulated devices. Dropping it disconnects.
///
/// Eight packets wait for a program that does not take them; then the sender waits.
#[must_use = "dropping a socket disconnects"]
pub struct SimSocket {
    shared: Arc<Shared>,
    id: ConnectionId,
    side: Side,
    send_mtu: usize,
}

impl SimSocket {
    fn new(shared: &Arc<Shared>, id: ConnectionId, side: Side) -> Self {
        let send_mtu = shared.with(|state| state.mtu);
        Self { shared: Arc::clone(shared), id, side, send_mtu }
    }

    /// The connection, as the trace names it.
    pub fn id(&self) -> ConnectionId {
        self.id
    }
}

impl L2capSocket for SimSocket {
    fn send_mtu(&self) -> usize {
        self.send_mtu
    }

    async fn send(&self, packet: &[u8]) -> Result<(), RadioError> {
        let (actual, max) = (packet.len(), self.send_mtu);
        if actual > max {
            return Err(RadioError::PacketTooLarge { actual, max });
        }
        self.shared.ask(|state| state.send_packet(self.id, self.side, packet)).await?;
        self.shared.change(|_| ());
        Ok(())
    }

    async fn receive(&self) -> Result<Vec<u8>, RadioError> {
        let packet = self.shared.ask(|state| state.receive_packet(self.id, self.side)).await?;
        // Whoever waits for room has it now.
        self.shared.change(|_| ());
        Ok(packet)
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        self.shared.change(|state| state.drop_end(self.id, self.side));
    }
}

impl fmt::Debug for SimListening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimListening").field("psm", &self.psm).finish_non_exhaustive()
    }
}

impl fmt::Debug for SimSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimSocket").field("id", &self.id).finish_non_exhaustive()
    }
}
