//! What bluetoothd knows and does, without the bus: calls in; replies and changes out.

use std::collections::{BTreeMap, BTreeSet};

use hybridge_ble::{Sighting, sim::SimDevice};
use tokio::{sync::mpsc, time::Instant};
use zbus::OwnedVariant;

use super::{
    adapter::{Adapter, AdvertKey, Heard},
    advert::AdvertData,
    client::Client,
    refusal::Refusal,
    tree::{Change, Interfaces, Tree, changes},
};

pub(super) const ROOT: &str = "/org/bluez";
pub(super) const AGENTS: &str = "org.bluez.AgentManager1";

/// bluetoothd.
pub(super) struct Daemon {
    pub(super) adapters: BTreeMap<u8, Adapter>,
    pub(super) agents: BTreeSet<(Client, String)>,
    /// Adverts whose objects are being read.
    pub(super) reading: BTreeSet<(u8, AdvertKey)>,
    /// Nobody may talk to it.
    pub(super) forbidden: bool,
    /// The objects as programs were told last.
    published: Tree,
    /// What is told although nothing in it is new.
    repetitions: Vec<Change>,
    heard: mpsc::Sender<Heard>,
}

impl Daemon {
    /// A daemon without adapters. What they hear goes to `heard`, for [`hear`](Self::hear).
    pub(super) fn new(heard: mpsc::Sender<Heard>) -> Self {
        let mut daemon = Self {
            adapters: BTreeMap::new(),
            agents: BTreeSet::new(),
            reading: BTreeSet::new(),
            forbidden: false,
            published: Tree::new(),
            repetitions: Vec::new(),
            heard,
        };
        daemon.published = daemon.tree();
        daemon
    }

    /// An adapter appears.
    pub(super) fn plug(&mut self, number: u8, radio: SimDevice) {
        let heard = self.heard.clone();
        self.adapters.entry(number).or_insert_with(|| Adapter::new(number, radio, heard));
    }

    pub(super) fn hear(&mut self, adapter: u8, sighting: &Sighting, now: Instant) {
        let adapter = self.adapters.get_mut(&adapter);
        self.repetitions.extend(adapter.and_then(|adapter| adapter.hear(sighting, now)));
    }

    pub(super) fn client_left(&mut self, client: &Client) {
        self.adapters.values_mut().for_each(|adapter| adapter.forget_client(client));
        self.agents.retain(|(owner, _)| owner != client);
        self.reading.retain(|(_, (owner, _))| owner != client);
    }

    /// Takes an advert whose object was read, or could not be.
    pub(super) fn advert_read(
        &mut self,
        adapter: u8,
        key: AdvertKey,
        properties: Option<&BTreeMap<String, OwnedVariant>>,
        now: Instant,
    ) -> Result<(), Refusal> {
        if !self.reading.remove(&(adapter, key.clone())) {
            // Its owner has left.
            return Err(Refusal::DoesNotExist);
        }
        let adapter = self.adapters.get_mut(&adapter).ok_or(Refusal::UnknownObject)?;
        let properties = properties.ok_or(Refusal::Failed("Failed to parse advertisement."))?;
        let data = AdvertData::read(properties, adapter.discoverable())?;
        adapter.register(key, data, now)
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.adapters.values().filter_map(Adapter::due).min()
    }

    /// Gives the adverts whose time is over, whose owners are to be told.
    pub(super) fn pass_time(&mut self, now: Instant) -> Vec<AdvertKey> {
        self.adapters.values_mut().flat_map(|adapter| adapter.pass_time(now)).collect()
    }

    /// All objects as they are now.
    pub(super) fn tree(&self) -> Tree {
        let mut tree = Tree::from([(ROOT.to_owned(), Interfaces::from([(AGENTS, BTreeMap::new())]))]);
        self.adapters.values().for_each(|adapter| adapter.show(&mut tree));
        for interfaces in tree.values_mut() {
            interfaces.insert("org.freedesktop.DBus.Introspectable", BTreeMap::new());
            interfaces.insert("org.freedesktop.DBus.Properties", BTreeMap::new());
        }
        tree
    }

    /// What everybody is to be told since this was asked last.
    pub(super) fn publish(&mut self) -> Vec<Change> {
        let after = self.tree();
        let mut told = changes(&self.published, &after);
        told.append(&mut self.repetitions);
        self.published = after;
        told
    }
}
