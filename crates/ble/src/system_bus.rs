//! What the system bus tells about BlueZ: which adapters there are, in what state, and when that changes.
//!
//! The libraries that drive the radio say that something failed. Why it failed, and what the user can do about it,
//! depends on the state of the system, and that is read here.

mod adapters;
mod refusal;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dbus::Path;
use dbus::arg::PropMap;
#[cfg(feature = "bluez")]
use dbus::arg::Variant;
use dbus::message::MatchRule;
use dbus::nonblock::{MsgMatch, Proxy, SyncConnection};
use tokio::sync::watch;
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::{Instant, sleep};

pub(crate) use self::adapters::{AdapterState, in_order};
pub(crate) use self::refusal::{named, refusal};
use crate::RadioError;

/// The bus name of BlueZ.
const BLUEZ: &str = "org.bluez";
const ADAPTER: &str = "org.bluez.Adapter1";
const BUS: &str = "org.freedesktop.DBus";
/// How long BlueZ may take to answer. It takes milliseconds, or seconds if the bus has to start it first.
const ANSWER: Duration = Duration::from_secs(10);
/// How long an adapter may be off or gone before that is final. BlueZ switches its adapters off when it restarts.
const FLICKER: Duration = Duration::from_secs(2);
/// How long BlueZ may be gone before that is final.
const RESTART: Duration = Duration::from_secs(10);
/// The pause between two looks at an adapter.
const PAUSE: Duration = Duration::from_millis(50);

/// Everything BlueZ has, as it lists it: interfaces with their properties, by path.
pub(crate) type Objects = HashMap<Path<'static>, HashMap<String, PropMap>>;

/// A connection to the system bus. Dropping it closes the connection.
pub(crate) struct Bus {
    connection: Arc<SyncConnection>,
    reader: AbortHandle,
    upsets: Arc<watch::Sender<u64>>,
}

impl Bus {
    pub(crate) async fn connect() -> Result<Self, RadioError> {
        let opened = spawn_blocking(dbus_tokio::connection::new_system_sync).await;
        let opened = opened.map_err(|cause| named("connect", "", cause.into()))?;
        let (reader, connection) = opened.map_err(|cause| refusal("connect", cause))?;
        connection.set_signal_match_mode(true);
        let upsets = Arc::new(watch::Sender::new(0));
        let count = Arc::clone(&upsets);
        let reader = tokio::spawn(async move {
            let fault = reader.await;
            tracing::debug!(%fault, "the connection to the bus ends");
            drop(fault);
            upset(&count, true);
        });
        Ok(Self { connection, reader: reader.abort_handle(), upsets })
    }

    /// The adapters, in the order of their names. Starts BlueZ if the bus knows how.
    pub(crate) async fn adapters(&self) -> Result<Vec<AdapterState>, RadioError> {
        let objects = self.objects().await?;
        let states = objects
            .iter()
            .filter_map(|(path, interfaces)| AdapterState::read(path, interfaces.get(ADAPTER)?));
        Ok(in_order(states.collect()))
    }

    /// Everything BlueZ has. Starts BlueZ if the bus knows how.
    pub(crate) async fn objects(&self) -> Result<Objects, RadioError> {
        let root = Proxy::new(BLUEZ, "/", ANSWER, &*self.connection);
        let answer = root.method_call("org.freedesktop.DBus.ObjectManager", "GetManagedObjects", ());
        let (objects,): (Objects,) = answer.await.map_err(|cause| refusal("list its adapters", cause))?;
        Ok(objects)
    }

    /// Whether an adapter can be used right now. Starts nothing.
    pub(crate) async fn look(&self, adapter: &str) -> Result<(), RadioError> {
        if self.is_gone() {
            return Err(RadioError::ServiceGone);
        }
        let bus = Proxy::new(BUS, "/org/freedesktop/DBus", ANSWER, &*self.connection);
        let answer = bus.method_call(BUS, "NameHasOwner", (BLUEZ,));
        let (running,): (bool,) = answer.await.map_err(|cause| refusal("look for its service", cause))?;
        if !running {
            return Err(RadioError::ServiceGone);
        }
        adapters::choose(self.adapters().await?, Some(adapter)).map(drop)
    }

    /// Waits until an adapter can be used again, or is likely to stay as it is.
    pub(crate) async fn settle(&self, adapter: &str) -> Result<(), RadioError> {
        let upset = Instant::now();
        let mut patience = FLICKER;
        loop {
            match self.look(adapter).await {
                Err(RadioError::ServiceGone) if !self.is_gone() => patience = RESTART,
                Err(_) if !self.is_gone() => {}
                result => return result,
            }
            if upset.elapsed() >= patience {
                return self.look(adapter).await;
            }
            sleep(PAUSE).await;
        }
    }

    /// Sets a property of an adapter.
    #[cfg(feature = "bluez")]
    pub(crate) async fn set_adapter_property(
        &self,
        adapter: &str,
        property: &str,
        value: Variant<bool>,
    ) -> Result<(), dbus::Error> {
        let object = Proxy::new(BLUEZ, format!("{}{adapter}", adapters::FOLDER), ANSWER, &*self.connection);
        let arguments = (ADAPTER, property, value);
        object.method_call("org.freedesktop.DBus.Properties", "Set", arguments).await
    }

    /// Whether the connection has ended, which is for good.
    pub(crate) fn is_gone(&self) -> bool {
        self.reader.is_finished()
    }

    /// The adapter of a name or the first that is on.
    pub(crate) async fn choose(&self, name: Option<&str>) -> Result<AdapterState, RadioError> {
        adapters::choose(self.adapters().await?, name)
    }

    /// Watches an adapter.
    pub(crate) async fn watch(&self, adapter: &str) -> Result<Watch, RadioError> {
        let upsets = self.upsets.subscribe();
        let path = format!("{}{adapter}", adapters::FOLDER);
        let added = path.clone();

        let count = Arc::clone(&self.upsets);
        let owners = self.subscribe(MatchRule::new_signal(BUS, "NameOwnerChanged").with_sender(BUS)).await?;
        let owners = owners.cb(move |_, (name,): (String,)| upset(&count, name == BLUEZ));

        let count = Arc::clone(&self.upsets);
        let power = MatchRule::new_signal("org.freedesktop.DBus.Properties", "PropertiesChanged");
        let power = self.subscribe(power.with_sender(BLUEZ).with_path(path.clone())).await?;
        let power = power.cb(move |_, (kind, changed): (String, PropMap)| {
            upset(&count, kind == ADAPTER && changed.contains_key("Powered"))
        });

        let count = Arc::clone(&self.upsets);
        let removals = MatchRule::new_signal("org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
        let removals = self.subscribe(removals.with_sender(BLUEZ)).await?;
        let removals = removals.cb(move |_, (object, kinds): (Path<'static>, Vec<String>)| {
            upset(&count, *object == *path && kinds.iter().any(|kind| kind == ADAPTER))
        });
        let count = Arc::clone(&self.upsets);
        let additions = MatchRule::new_signal("org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
        let additions = self.subscribe(additions.with_sender(BLUEZ)).await?;
        let additions = additions.cb(move |_, (object, kinds): (Path<'static>, HashMap<String, PropMap>)| {
            upset(&count, *object == *added && kinds.contains_key(ADAPTER))
        });
        Ok(Watch { upsets, _rules: [owners, power, removals, additions] })
    }

    async fn subscribe(&self, rule: MatchRule<'static>) -> Result<MsgMatch, RadioError> {
        self.connection.add_match(rule).await.map_err(|cause| refusal("watch the adapter", cause))
    }
}

/// Counts an upset if it is one. The answer is for the library: go on calling.
fn upset(count: &watch::Sender<u64>, is_one: bool) -> bool {
    if is_one {
        count.send_modify(|count| *count = count.wrapping_add(1));
    }
    true
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Counts what upsets an adapter: BlueZ comes or goes, the adapter is switched on or off, plugged in or unplugged, or
/// the bus ends. What an adapter was asked for before may be forgotten after that.
pub(crate) struct Watch {
    upsets: watch::Receiver<u64>,
    /// The rules that count; they end when they are dropped.
    _rules: [MsgMatch; 4],
}

impl Watch {
    pub(crate) fn upsets(&self) -> watch::Receiver<u64> {
        self.upsets.clone()
    }
}
