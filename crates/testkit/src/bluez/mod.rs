//! A BlueZ without a radio: the `org.bluez` service on a bus of its own.
//!
//! Programs that scan and advertise through BlueZ (Chromium, `btleplug`, `bluer` and everything else that speaks to
//! it over D-Bus) find their bus by the environment variable `DBUS_SYSTEM_BUS_ADDRESS`. With
//! [`FakeBluez::bus_address`] in it they meet this BlueZ instead of the system's, and need neither an adapter nor
//! permissions.
//!
//! Each adapter is a device of a simulated air: what is registered with its LEAdvertisingManager1 goes into the air,
//! and what the air carries appears as Device1 objects of every adapter that is discovering. Two programs in range of
//! each other use two adapters, as nobody hears their own adverts.
//!
//! # What is there
//!
//! ObjectManager, Properties, Introspectable and Peer; Adapter1 with discovery sessions and filters for each program;
//! Device1 objects that are kept for 30 seconds after they were heard last, and lose their RSSI when the scan ends;
//! LEAdvertisingManager1 with its real limits (31 bytes for all fields together, five adverts an adapter, timeouts);
//! AgentManager1. Errors have BlueZ's names. What a program asked for ends when the program leaves the bus.
//!
//! Only service data under the UUIDs of the hybrid transport travels through the air; other fields of an advert
//! take room and are heard by nobody. Nothing can be connected to: there is no GATT, no pairing, and L2CAP sockets
//! belong to the kernel and not to BlueZ.

use std::collections::BTreeMap;

use hybridge_ble::sim::{self, Air, SimDevice};
use thiserror::Error;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use zbus::{
    Connection, Guid, MessageStream,
    connection::{Builder, socket::Channel},
};

mod adapter;
mod advert;
mod bus;
mod calls;
mod client;
mod daemon;
mod device;
mod discovery;
mod refusal;
mod server;
#[cfg(test)]
mod tests;
mod tree;
mod wire;

use self::{
    adapter::Adapter,
    bus::PrivateBus,
    daemon::Daemon,
    server::{Event, Server},
};
pub use self::{
    advert::AdvertData, bus::BusError, device::announcement, discovery::Filter, refusal::Refusal,
};

/// How many sightings wait for the daemon.
const SIGHTINGS: usize = 64;

/// Why there is no BlueZ.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FakeBluezError {
    /// There is no bus for it.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// It could not join its bus.
    #[error("the fake BlueZ could not join its private D-Bus: see whether dbus-daemon is still running")]
    Join(#[from] zbus::Error),
    /// There is no adapter of this name.
    #[error("there is no adapter {0}: they are named hci0, hci1 and so on")]
    NoSuchAdapter(String),
    /// It does not run, because [`FakeBluez::stop`] was called.
    #[error("the fake BlueZ is stopped: start it again first")]
    Stopped,
}

/// What an adapter is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterStatus {
    /// How many programs have a discovery session.
    pub discovery_sessions: usize,
    /// How many adverts are on the air.
    pub adverts: usize,
}

/// A BlueZ with simulated adapters. Dropping it ends it, and its bus with it.
#[must_use = "dropping it ends it"]
pub struct FakeBluez {
    radios: BTreeMap<String, (u8, SimDevice)>,
    bus: Option<PrivateBus>,
    events: Option<mpsc::UnboundedSender<Event>>,
    /// The server, while it runs; ends when it is dropped.
    server: JoinSet<()>,
}

impl FakeBluez {
    /// Starts a D-Bus and a BlueZ on it, with so many adapters: `hci0`, `hci1` and so on. Their addresses are
    /// 00:00:5E:00:53:01 and following; in the air's trace they have the same names. Must be called within a tokio
    /// runtime, which runs it.
    ///
    /// # Errors
    /// [`FakeBluezError::Bus`] where the `dbus-daemon` program is missing, among others.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing running.
    pub async fn start(air: &Air, adapters: u8) -> Result<Self, FakeBluezError> {
        let bus = PrivateBus::start().await?;
        let mut bluez = Self::new(air, adapters, Some(bus));
        bluez.restart().await?;
        Ok(bluez)
    }

    /// Starts a BlueZ without a bus, for programs of this process that [connect](Self::connect) to it directly. It
    /// needs no `dbus-daemon`. Must be called within a tokio runtime, which runs it.
    pub fn without_bus(air: &Air, adapters: u8) -> Self {
        let mut bluez = Self::new(air, adapters, None);
        bluez.serve();
        bluez
    }

    fn new(air: &Air, adapters: u8, bus: Option<PrivateBus>) -> Self {
        let radio = |number: u8| {
            let name = format!("hci{number}");
            (name.clone(), (number, air.device(name)))
        };
        let radios = (0..adapters).map(radio).collect();
        Self { radios, bus, events: None, server: JoinSet::new() }
    }

    /// Where the bus is, for `DBUS_SYSTEM_BUS_ADDRESS`. Empty where there is no bus.
    pub fn bus_address(&self) -> &str {
        self.bus.as_ref().map_or("", PrivateBus::address)
    }

    /// A connection to talk to it over: to the bus, or to this BlueZ alone if there is no bus. Calls without a bus
    /// have no destination.
    ///
    /// # Errors
    /// [`FakeBluezError::Stopped`], and [`FakeBluezError::Join`] if the bus does not answer.
    ///
    /// # Cancel safety
    /// Dropping the future leaves no connection behind.
    pub async fn connect(&self) -> Result<Connection, FakeBluezError> {
        if let Some(bus) = &self.bus {
            return Ok(Builder::address(bus.address()).build().await?);
        }
        let events = self.events.as_ref().ok_or(FakeBluezError::Stopped)?;
        let guid = Guid::generate();
        let (theirs, ours) = Channel::pair();
        let ours = Builder::authenticated_socket(ours, guid.clone()).p2p().build_message_stream().await?;
        events.send(Event::Link(ours)).map_err(|_| FakeBluezError::Stopped)?;
        Ok(Builder::authenticated_socket(theirs, guid).p2p().build().await?)
    }

    /// The adapter's device in the air, to move it out of somebody's range for instance.
    ///
    /// # Errors
    /// [`FakeBluezError::NoSuchAdapter`].
    pub fn radio(&self, adapter: &str) -> Result<&SimDevice, FakeBluezError> {
        self.find(adapter).map(|(_, radio)| radio)
    }

    /// What an adapter is doing. One that is unplugged does nothing.
    ///
    /// # Errors
    /// [`FakeBluezError::NoSuchAdapter`] and [`FakeBluezError::Stopped`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn status(&self, adapter: &str) -> Result<AdapterStatus, FakeBluezError> {
        let (number, _) = *self.find(adapter)?;
        let look = move |daemon: &mut Daemon| {
            let adapter = daemon.adapters.get(&number);
            AdapterStatus {
                discovery_sessions: adapter.map_or(0, Adapter::sessions),
                adverts: adapter.map_or(0, Adapter::adverts),
            }
        };
        self.with(look).await
    }

    /// Switches an adapter on or off, as a person does.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    ///
    /// # Cancel safety
    /// Dropping the future does not undo it.
    pub async fn set_powered(&self, adapter: &str, powered: bool) -> Result<(), FakeBluezError> {
        let (number, _) = *self.find(adapter)?;
        let switch = move |daemon: &mut Daemon| {
            if let Some(adapter) = daemon.adapters.get_mut(&number) {
                adapter.set_powered(powered);
            }
        };
        self.with(switch).await
    }

    /// Unplugs an adapter: its object and those of its devices are gone.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    ///
    /// # Cancel safety
    /// Dropping the future does not undo it.
    pub async fn unplug(&self, adapter: &str) -> Result<(), FakeBluezError> {
        let (number, radio) = self.find(adapter)?;
        let (number, radio) = (*number, radio.clone());
        self.with(move |daemon| {
            daemon.adapters.remove(&number);
            radio.set_adapter(sim::Adapter::Missing);
        })
        .await
    }

    /// Plugs an adapter in again. It is switched on and knows nothing of before.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    ///
    /// # Cancel safety
    /// Dropping the future does not undo it.
    pub async fn plug(&self, adapter: &str) -> Result<(), FakeBluezError> {
        let (number, radio) = self.find(adapter)?;
        let (number, radio) = (*number, radio.clone());
        self.with(move |daemon| daemon.plug(number, radio)).await
    }

    /// From now on refuses every call as the policy of a system bus does, or stops refusing.
    ///
    /// # Errors
    /// [`FakeBluezError::Stopped`].
    ///
    /// # Cancel safety
    /// Dropping the future does not undo it.
    pub async fn set_forbidden(&self, forbidden: bool) -> Result<(), FakeBluezError> {
        self.with(move |daemon| daemon.forbidden = forbidden).await
    }

    /// Lets bluetoothd die: its name leaves the bus, or its connections end. The bus stays.
    ///
    /// # Cancel safety
    /// Dropping the future does not undo it.
    pub async fn stop(&mut self) {
        if let Some(events) = self.events.take() {
            // If it is gone already, so much the better.
            let _ = events.send(Event::Stop);
        }
        while self.server.join_next().await.is_some() {}
    }

    /// Lets the bus die, and bluetoothd with it. It cannot be started again.
    ///
    /// # Errors
    /// [`FakeBluezError::Stopped`] without a bus, and [`FakeBluezError::Bus`].
    ///
    /// # Cancel safety
    /// Dropping the future does not undo it.
    pub async fn kill_bus(&mut self) -> Result<(), FakeBluezError> {
        self.bus.as_mut().ok_or(FakeBluezError::Stopped)?.kill().await?;
        self.stop().await;
        Ok(())
    }

    /// Starts bluetoothd again, if it is stopped. All adapters are plugged in and switched on, and nothing is known of
    /// before.
    ///
    /// # Errors
    /// [`FakeBluezError::Join`].
    ///
    /// # Cancel safety
    /// If the future is dropped, it is stopped.
    pub async fn restart(&mut self) -> Result<(), FakeBluezError> {
        self.stop().await;
        let joined = match &self.bus {
            Some(bus) => Some(join(bus.address()).await?),
            None => None,
        };
        let events = self.serve();
        if let Some(stream) = joined {
            // The server was just started and reads.
            let _ = events.send(Event::Link(stream));
        }
        Ok(())
    }

    fn serve(&mut self) -> mpsc::UnboundedSender<Event> {
        let (heard, sightings) = mpsc::channel(SIGHTINGS);
        let mut daemon = Daemon::new(heard);
        for (number, radio) in self.radios.values() {
            daemon.plug(*number, radio.clone());
        }
        let (server, events) = Server::new(daemon, sightings);
        self.server.spawn(server.run());
        self.events = Some(events.clone());
        events
    }

    fn find(&self, adapter: &str) -> Result<&(u8, SimDevice), FakeBluezError> {
        self.radios.get(adapter).ok_or_else(|| FakeBluezError::NoSuchAdapter(adapter.to_owned()))
    }

    async fn with<R: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Daemon) -> R + Send + 'static,
    ) -> Result<R, FakeBluezError> {
        let events = self.events.as_ref().ok_or(FakeBluezError::Stopped)?;
        let (answer, answered) = oneshot::channel();
        // Whoever asked may have gone away meanwhile.
        let control = Event::Control(Box::new(move |daemon| drop(answer.send(act(daemon)))));
        events.send(control).map_err(|_| FakeBluezError::Stopped)?;
        answered.await.map_err(|_| FakeBluezError::Stopped)
    }
}

impl std::fmt::Debug for FakeBluez {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeBluez").field("bus_address", &self.bus_address()).finish_non_exhaustive()
    }
}

/// Joins a bus as `org.bluez`, and asks to be told who leaves it.
async fn join(address: &str) -> Result<MessageStream, FakeBluezError> {
    let connection = Builder::address(address).build().await?;
    let stream = MessageStream::from(&connection);
    let bus = Some("org.freedesktop.DBus");
    let rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'";
    connection.call_method(bus, "/org/freedesktop/DBus", bus, "AddMatch", &rule).await?;
    connection.request_name("org.bluez").await?;
    Ok(stream)
}
