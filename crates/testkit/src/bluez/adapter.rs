//! An adapter: who scans with it, what it has heard, and what it sends.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use hybridge_ble::{
    AddressKind, Advertisement, Advertiser, DeviceAddress, Scan, Scanner, Sighting,
    sim::{self, SimAdvert, SimDevice},
};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use zbus::Variant;

use super::{
    advert::AdvertData,
    client::Client,
    device::{Device, object_name},
    discovery::Filter,
    refusal::Refusal,
    tree::{Change, Interfaces, Properties, Tree, Value},
};

pub(super) const INTERFACE: &str = "org.bluez.Adapter1";
pub(super) const ADVERTISING: &str = "org.bluez.LEAdvertisingManager1";

/// How many adverts an adapter sends at once.
pub(super) const INSTANCES: u8 = 5;

/// What an adapter heard, with the adapter's number.
pub(super) type Heard = (u8, Sighting);

/// An advert that a client has registered.
struct Registered {
    data: AdvertData,
    /// Nothing while the adapter is off.
    on_air: Vec<SimAdvert>,
    ends: Option<Instant>,
}

/// Whose advert, and at which of its objects.
pub(super) type AdvertKey = (Client, String);

pub(super) struct Adapter {
    number: u8,
    radio: SimDevice,
    address: DeviceAddress,
    powered: bool,
    alias: Option<String>,
    discoverable: bool,
    discoverable_timeout: u32,
    pairable: bool,
    pairable_timeout: u32,
    filters: BTreeMap<Client, Filter>,
    sessions: BTreeSet<Client>,
    /// One task while there is a session; dropping it ends the scan.
    scan: Option<JoinSet<()>>,
    heard: mpsc::Sender<Heard>,
    devices: BTreeMap<String, Device>,
    adverts: BTreeMap<AdvertKey, Registered>,
}

impl Adapter {
    pub(super) fn new(number: u8, radio: SimDevice, heard: mpsc::Sender<Heard>) -> Self {
        radio.set_adapter(sim::Adapter::Working);
        Self {
            number,
            radio,
            // From the block that is set aside for documentation.
            address: DeviceAddress::new([0, 0, 0x5E, 0, 0x53, number.saturating_add(1)], AddressKind::Public),
            powered: true,
            alias: None,
            discoverable: false,
            discoverable_timeout: 180,
            pairable: true,
            pairable_timeout: 0,
            filters: BTreeMap::new(),
            sessions: BTreeSet::new(),
            scan: None,
            heard,
            devices: BTreeMap::new(),
            adverts: BTreeMap::new(),
        }
    }

    pub(super) fn path(&self) -> String {
        format!("/org/bluez/hci{}", self.number)
    }

    pub(super) const fn discoverable(&self) -> bool {
        self.discoverable
    }

    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    pub(super) fn adverts(&self) -> usize {
        self.adverts.values().filter(|advert| !advert.on_air.is_empty()).count()
    }

    fn check_powered(&self) -> Result<(), Refusal> {
        if self.powered { Ok(()) } else { Err(Refusal::NotReady) }
    }

    pub(super) fn set_powered(&mut self, powered: bool) {
        if powered == self.powered {
            return;
        }
        self.powered = powered;
        if powered {
            self.radio.set_adapter(sim::Adapter::Working);
            for advert in self.adverts.values_mut() {
                // An advert that the air took once fits, and an adapter that works sends it.
                advert.on_air = send(&self.radio, self.address, &advert.data).unwrap_or_default();
            }
        } else {
            self.sessions.clear();
            self.filters.clear();
            self.adverts.values_mut().for_each(|advert| advert.on_air.clear());
            self.tune();
            self.radio.set_adapter(sim::Adapter::PoweredOff);
        }
    }

    pub(super) fn set_filter(&mut self, client: Client, filter: Filter, any: bool) -> Result<(), Refusal> {
        self.check_powered()?;
        if any {
            self.filters.insert(client, filter);
        } else {
            self.filters.remove(&client);
        }
        Ok(())
    }

    pub(super) fn start_discovery(&mut self, client: Client) -> Result<(), Refusal> {
        self.check_powered()?;
        if !self.sessions.insert(client) {
            return Err(Refusal::InProgress);
        }
        self.tune();
        Ok(())
    }

    pub(super) fn stop_discovery(&mut self, client: &Client) -> Result<(), Refusal> {
        self.check_powered()?;
        if !self.sessions.remove(client) {
            return Err(Refusal::Failed("No discovery started"));
        }
        self.filters.remove(client);
        self.tune();
        Ok(())
    }

    pub(super) fn remove_device(&mut self, path: &str) -> Result<(), Refusal> {
        let name = path.strip_prefix(&self.path()).and_then(|rest| rest.strip_prefix('/'));
        if !name.is_some_and(|name| self.devices.contains_key(name)) {
            return Err(Refusal::DoesNotExist);
        }
        self.check_powered()?;
        name.and_then(|name| self.devices.remove(name));
        Ok(())
    }

    /// A client has left: what it asked for ends.
    pub(super) fn forget_client(&mut self, client: &Client) {
        self.filters.remove(client);
        self.sessions.remove(client);
        self.adverts.retain(|(owner, _), _| owner != client);
        self.tune();
    }

    /// Listens if somebody wants it to.
    fn tune(&mut self) {
        if self.sessions.is_empty() {
            self.scan = None;
            self.devices.values_mut().for_each(Device::fall_silent);
        } else if self.scan.is_none() {
            let (radio, heard, number) = (self.radio.clone(), self.heard.clone(), self.number);
            let mut task = JoinSet::new();
            task.spawn(async move {
                let Ok(mut scan) = radio.scan().await else { return };
                while let Ok(sighting) = scan.next().await {
                    if heard.send((number, sighting)).await.is_err() {
                        return;
                    }
                }
            });
            self.scan = Some(task);
        }
    }

    /// Takes in what the radio heard. Gives what is to be told although nothing in it may be new.
    pub(super) fn hear(&mut self, sighting: &Sighting, now: Instant) -> Option<Change> {
        let name = object_name(&sighting.device);
        let loudness = Device::loudness(self.devices.get(&name).map_or(0, Device::heard));
        let address = sighting.device.to_string();
        let none = Filter::default();
        let listening = self.sessions.iter().map(|client| self.filters.get(client).unwrap_or(&none));
        let listening: Vec<&Filter> =
            listening.filter(|filter| filter.lets_through(&address, loudness)).collect();
        if listening.is_empty() {
            return None;
        }
        let repeats = listening.iter().any(|filter| filter.wants_duplicates());
        let path = format!("{}/{name}", self.path());
        let known = self.devices.contains_key(&name);
        let device = self.devices.entry(name).or_insert_with(|| Device::new(sighting.device, now));
        let before = device.repetition();
        device.hear(sighting, now);
        let changed = device.repetition();
        // What is new is told in any case.
        (repeats && known && before == changed).then_some(Change::Changed {
            path,
            interface: super::device::INTERFACE,
            changed,
            invalidated: Vec::new(),
        })
    }

    pub(super) fn has_advert(&self, key: &AdvertKey) -> bool {
        self.adverts.contains_key(key)
    }

    pub(super) fn register(&mut self, key: AdvertKey, data: AdvertData, now: Instant) -> Result<(), Refusal> {
        if self.adverts.len() >= usize::from(INSTANCES) {
            return Err(Refusal::NotPermitted("Maximum advertisements reached"));
        }
        let sent = self.powered.then(|| send(&self.radio, self.address, &data)).flatten();
        let on_air = sent.ok_or(Refusal::Failed("Failed to register advertisement"))?;
        let ends = data.timeout.and_then(|timeout| now.checked_add(timeout));
        self.adverts.insert(key, Registered { data, on_air, ends });
        Ok(())
    }

    pub(super) fn unregister(&mut self, key: &AdvertKey) -> Result<(), Refusal> {
        self.adverts.remove(key).map(drop).ok_or(Refusal::DoesNotExist)
    }

    /// When [`pass_time`](Self::pass_time) has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        let ends = self.adverts.values().filter_map(|advert| advert.ends);
        self.devices.values().map(|device| device.forgotten).chain(ends).min()
    }

    /// Forgets devices and ends adverts whose time has come. Gives the adverts, whose owners are to be told.
    pub(super) fn pass_time(&mut self, now: Instant) -> Vec<AdvertKey> {
        self.devices.retain(|_, device| device.forgotten > now);
        let ended = |advert: &Registered| advert.ends.is_some_and(|ends| ends <= now);
        self.adverts.extract_if(.., |_, advert| ended(advert)).map(|(key, _)| key).collect()
    }

    pub(super) fn set(&mut self, property: &str, value: &Variant<'_>) -> Result<(), Refusal> {
        let flag = || bool::try_from(value).map_err(|_| Refusal::InvalidArguments);
        let number = || u32::try_from(value).map_err(|_| Refusal::InvalidArguments);
        match property {
            "Powered" => self.set_powered(flag()?),
            "Alias" => {
                let alias = <&str>::try_from(value).map_err(|_| Refusal::InvalidArguments)?;
                self.alias = Some(alias.to_owned()).filter(|alias| !alias.is_empty());
            }
            "Discoverable" => {
                self.check_powered()?;
                self.discoverable = flag()?;
            }
            "DiscoverableTimeout" => self.discoverable_timeout = number()?,
            "Pairable" => self.pairable = flag()?,
            "PairableTimeout" => self.pairable_timeout = number()?,
            _ => return Err(Refusal::ReadOnlyProperty),
        }
        Ok(())
    }

    pub(super) fn device_mut(&mut self, object: &str) -> Option<&mut Device> {
        self.devices.get_mut(object)
    }

    /// Adds the objects of the adapter and its devices.
    pub(super) fn show(&self, tree: &mut Tree) {
        let path = self.path();
        for (name, device) in &self.devices {
            tree.insert(format!("{path}/{name}"), device.interfaces(&path));
        }
        let interfaces =
            Interfaces::from([(INTERFACE, self.properties()), (ADVERTISING, self.advertising())]);
        tree.insert(path, interfaces);
    }

    fn properties(&self) -> Properties {
        let name = format!("hybridge-testkit hci{}", self.number);
        let state = if self.powered { "on" } else { "off" };
        Properties::from([
            ("Address", Value::Text(self.address.to_string())),
            ("AddressType", Value::from("public")),
            ("Alias", Value::Text(self.alias.clone().unwrap_or_else(|| name.clone()))),
            ("Class", Value::Uint32(0)),
            ("Discoverable", Value::Bool(self.discoverable)),
            ("DiscoverableTimeout", Value::Uint32(self.discoverable_timeout)),
            ("Discovering", Value::Bool(!self.sessions.is_empty())),
            ("Modalias", Value::from("usb:v1D6Bp0246d0542")),
            ("Name", Value::Text(name)),
            ("Pairable", Value::Bool(self.pairable)),
            ("PairableTimeout", Value::Uint32(self.pairable_timeout)),
            ("PowerState", Value::from(state)),
            ("Powered", Value::Bool(self.powered)),
            ("Roles", Value::Texts(vec!["central".to_owned(), "peripheral".to_owned()])),
            ("UUIDs", Value::Texts(Vec::new())),
        ])
    }

    fn advertising(&self) -> Properties {
        let active = u8::try_from(self.adverts.len()).unwrap_or(INSTANCES);
        let length = Value::Byte(super::advert::MAX_LENGTH);
        let capabilities = [
            ("MaxAdvLen", length.clone()),
            ("MaxScnRspLen", length),
            ("MaxTxPower", Value::Int16(7)),
            ("MinTxPower", Value::Int16(-34)),
        ];
        let capabilities = capabilities.map(|(name, value)| (name.to_owned(), value));
        let includes = ["tx-power", "appearance", "local-name"].map(str::to_owned);
        Properties::from([
            ("ActiveInstances", Value::Byte(active)),
            ("SupportedCapabilities", Value::Dict(BTreeMap::from(capabilities))),
            ("SupportedFeatures", Value::Texts(Vec::new())),
            ("SupportedIncludes", Value::Texts(includes.to_vec())),
            ("SupportedInstances", Value::Byte(INSTANCES.saturating_sub(active))),
        ])
    }
}

/// Puts an advert into the air, once for each service data of the transport in it. `None` if the air refuses.
fn send(radio: &SimDevice, own: DeviceAddress, data: &AdvertData) -> Option<Vec<SimAdvert>> {
    let send = |(uuid, bytes): &(_, Vec<u8>)| {
        let advert = Advertisement::new(*uuid, bytes.as_slice());
        if data.peripheral {
            radio.advertise_from(advert.connectable(), own).ok()
        } else {
            // The simulated air answers at once.
            radio.advertise(advert).now_or_never()?.ok()
        }
    };
    data.service_data.iter().map(send).collect()
}
