//! Programs that talk to the fake BlueZ over connections in memory.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures_util::StreamExt;
use hybridge_ble::{
    Advertisement, Advertiser, Scan, Scanner, ServiceUuid,
    sim::{Air, SimDevice},
};
use tokio::time::{sleep, timeout};
use zbus::{Connection, Message, MessageStream, ObjectPath, OwnedVariant, Variant, message::Type};

use super::FakeBluez;

const ADAPTER: &str = "org.bluez.Adapter1";
const MANAGER: &str = "org.bluez.LEAdvertisingManager1";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const HCI0: &str = "/org/bluez/hci0";
const HCI1: &str = "/org/bluez/hci1";

type Dict = BTreeMap<String, OwnedVariant>;

/// A program with a connection of its own, and the signals it got.
struct Program {
    connection: Connection,
    messages: MessageStream,
}

impl Program {
    async fn new(bluez: &FakeBluez) -> Self {
        let connection = bluez.connect().await.unwrap();
        let messages = MessageStream::from(&connection);
        Self { connection, messages }
    }

    async fn call<B>(&self, path: &str, interface: &str, method: &str, body: &B) -> Result<Message, String>
    where
        B: serde::Serialize + zbus::DynamicType,
    {
        let reply = self.connection.call_method(None::<&str>, path, Some(interface), method, body).await;
        reply.map_err(|error| match error {
            zbus::Error::MethodError(name, ..) => name.as_str().to_owned(),
            other => other.to_string(),
        })
    }

    async fn property(&self, path: &str, interface: &str, name: &str) -> OwnedVariant {
        let reply = self.call(path, PROPERTIES, "Get", &(interface, name)).await.unwrap();
        reply.body().deserialize().unwrap()
    }

    async fn powered(&self) -> bool {
        bool::try_from(&self.property(HCI0, ADAPTER, "Powered").await).unwrap()
    }

    async fn set(&self, path: &str, name: &str, value: impl Into<Variant<'static>>) -> Result<(), String> {
        self.call(path, PROPERTIES, "Set", &(ADAPTER, name, value.into())).await.map(drop)
    }

    async fn discover(&self, path: &str) -> Result<(), String> {
        self.call(path, ADAPTER, "StartDiscovery", &()).await.map(drop)
    }

    async fn objects(&self) -> BTreeMap<String, BTreeMap<String, Dict>> {
        let objects = "org.freedesktop.DBus.ObjectManager";
        let reply = self.call("/", objects, "GetManagedObjects", &()).await.unwrap();
        let objects: HashMap<zbus::OwnedObjectPath, BTreeMap<String, Dict>> =
            reply.body().deserialize().unwrap();
        objects.into_iter().map(|(path, interfaces)| (path.as_str().to_owned(), interfaces)).collect()
    }

    /// The next signal of this name.
    async fn signal(&mut self, name: &str) -> Message {
        let found = async {
            loop {
                let message = self.messages.next().await.unwrap().unwrap();
                let is_it = message.header().member().is_some_and(|member| member.as_str() == name);
                if message.message_type() == Type::Signal && is_it {
                    return message;
                }
            }
        };
        timeout(Duration::from_secs(60), found).await.expect("a signal")
    }

    /// The properties in the next PropertiesChanged signal of an interface, and those that have no value any more.
    async fn changed(&mut self, interface: &str) -> (Dict, Vec<String>) {
        loop {
            let signal = self.signal("PropertiesChanged").await;
            let (of, changed, gone): (String, Dict, Vec<String>) = signal.body().deserialize().unwrap();
            if of == interface {
                return (changed, gone);
            }
        }
    }

    /// The next device that appears: its path and properties.
    async fn device(&mut self) -> (String, Dict) {
        loop {
            let signal = self.signal("InterfacesAdded").await;
            let body = signal.body();
            let (path, mut interfaces): (ObjectPath<'_>, BTreeMap<String, Dict>) =
                body.deserialize().unwrap();
            if let Some(device) = interfaces.remove("org.bluez.Device1") {
                return (path.as_str().to_owned(), device);
            }
        }
    }

    /// Answers one question about an advert, and gives the answer of the registration.
    async fn advertise(&mut self, adapter: &str, path: &str, advert: &Dict) -> Result<(), String> {
        let connection = self.connection.clone();
        let answer = async {
            loop {
                let message = self.messages.next().await.unwrap().unwrap();
                if message.message_type() == Type::MethodCall {
                    connection.reply(&message.header(), advert).await.unwrap();
                }
            }
        };
        let path = ObjectPath::try_from(path).unwrap();
        let arguments = (path, BTreeMap::<&str, Variant<'_>>::new());
        let connection = self.connection.clone();
        tokio::select! {
            () = answer => Ok(()),
            reply = connection.call_method(None::<&str>, adapter, Some(MANAGER), "RegisterAdvertisement", &arguments) => {
                reply.map(drop).map_err(|error| error.to_string())
            }
        }
    }
}

fn service_data(value: &Dict) -> (String, Vec<u8>) {
    let data = BTreeMap::<String, OwnedVariant>::try_from(value["ServiceData"].try_clone().unwrap()).unwrap();
    let (uuid, bytes) = data.into_iter().next().unwrap();
    (uuid, Vec::<u8>::try_from(bytes).unwrap())
}

/// What bluer and others say about an advert.
fn advert(kind: &str, data: &[u8]) -> Dict {
    let uuid = "0000fff9-0000-1000-8000-00805f9b34fb";
    let service_data = BTreeMap::from([(uuid, Variant::from(data.to_vec()))]);
    let entries = [("Type", Variant::from(kind.to_owned())), ("ServiceData", Variant::from(service_data))];
    entries.map(|(name, value)| (name.to_owned(), value.try_into_owned().unwrap())).into()
}

fn world() -> (Air, FakeBluez, SimDevice) {
    let air = Air::new(1);
    let bluez = FakeBluez::without_bus(&air, 2);
    let phone = air.device("phone");
    (air, bluez, phone)
}

fn beacon() -> Advertisement {
    Advertisement::new(ServiceUuid::Fido, [7; 20])
}

#[tokio::test(start_paused = true)]
async fn an_advert_becomes_a_device_of_the_adapter_that_discovers() {
    let (_air, bluez, phone) = world();
    let mut browser = Program::new(&bluez).await;
    let _advert = phone.advertise(beacon()).await.unwrap();
    let filter = BTreeMap::from([("Transport", Variant::from("le"))]);
    browser.call(HCI0, ADAPTER, "SetDiscoveryFilter", &filter).await.unwrap();
    browser.discover(HCI0).await.unwrap();
    let (path, device) = browser.device().await;
    assert!(path.starts_with("/org/bluez/hci0/dev_"), "{path}");
    assert_eq!(service_data(&device), ("0000fff9-0000-1000-8000-00805f9b34fb".to_owned(), vec![7; 20]));
    assert_eq!(<&str>::try_from(&device["AddressType"]).unwrap(), "random");
    assert!(i16::try_from(&device["RSSI"]).unwrap() < 0);
    let objects = browser.objects().await;
    assert!(objects[&path].contains_key("org.bluez.Device1"));
    assert!(!objects.keys().any(|path| path.starts_with("/org/bluez/hci1/")), "hci1 does not listen");
}

#[tokio::test(start_paused = true)]
async fn adverts_go_into_the_air_and_end_with_their_owner() {
    let (air, bluez, _phone) = world();
    let mut scan = air.device("laptop").scan().await.unwrap();
    for (kind, connectable) in [("broadcast", false), ("peripheral", true)] {
        let mut phone = Program::new(&bluez).await;
        phone.advertise(HCI1, "/advert", &advert(kind, &[9; 20])).await.unwrap();
        let heard = scan.next().await.unwrap();
        assert_eq!((heard.uuid, heard.data.as_slice()), (ServiceUuid::Fido, [9; 20].as_slice()));
        let own = heard.device.to_string() == "00:00:5E:00:53:02";
        assert_eq!(own, connectable, "only a peripheral shows the adapter's address");
        assert_eq!(bluez.status("hci1").await.unwrap().adverts, 1);
        let again = phone.advertise(HCI1, "/advert", &advert(kind, &[9; 20])).await.unwrap_err();
        assert!(again.contains("AlreadyExists"), "{again}");
        drop(phone);
        while bluez.status("hci1").await.unwrap().adverts > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_advert_that_does_not_fit_is_refused() {
    let (_air, bluez, _phone) = world();
    let mut phone = Program::new(&bluez).await;
    for (length, fits) in [(24, true), (28, false), (252, false)] {
        let path = format!("/advert{length}");
        let outcome = phone.advertise(HCI1, &path, &advert("broadcast", &vec![1; length])).await;
        assert_eq!(outcome.is_ok(), fits, "{length}: {outcome:?}");
        if let Err(error) = outcome {
            assert!(error.contains("org.bluez.Error.Failed"), "{error}");
        }
    }
    for nonsense in [advert("foo", &[1]), Dict::new()] {
        let error = phone.advertise(HCI1, "/nonsense", &nonsense).await.unwrap_err();
        assert!(error.contains("Failed to parse advertisement"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn five_adverts_and_no_more() {
    let (_air, bluez, _phone) = world();
    let mut phone = Program::new(&bluez).await;
    for number in 0..5 {
        phone.advertise(HCI1, &format!("/advert{number}"), &advert("broadcast", &[number])).await.unwrap();
    }
    let count = |name| phone.property(HCI1, MANAGER, name);
    assert_eq!(u8::try_from(&count("ActiveInstances").await).unwrap(), 5);
    assert_eq!(u8::try_from(&count("SupportedInstances").await).unwrap(), 0);
    let error = phone.advertise(HCI1, "/advert5", &advert("broadcast", &[5])).await.unwrap_err();
    assert!(error.contains("org.bluez.Error.NotPermitted"), "{error}");
    let gone = ObjectPath::try_from("/advert0").unwrap();
    phone.call(HCI1, MANAGER, "UnregisterAdvertisement", &gone).await.unwrap();
    let error = phone.call(HCI1, MANAGER, "UnregisterAdvertisement", &gone).await.unwrap_err();
    assert_eq!(error, "org.bluez.Error.DoesNotExist");
    assert_eq!(bluez.status("hci1").await.unwrap().adverts, 4);
}

#[tokio::test(start_paused = true)]
async fn an_advert_with_a_timeout_is_released() {
    let (_air, bluez, _phone) = world();
    let mut phone = Program::new(&bluez).await;
    let mut advert = advert("broadcast", &[1]);
    advert.insert("Timeout".to_owned(), Variant::from(3_u16).try_into_owned().unwrap());
    phone.advertise(HCI1, "/advert", &advert).await.unwrap();
    let released = loop {
        let message = phone.messages.next().await.unwrap().unwrap();
        if message.header().member().is_some_and(|member| member.as_str() == "Release") {
            break message;
        }
    };
    assert_eq!(released.header().path().unwrap().as_str(), "/advert");
    assert_eq!(bluez.status("hci1").await.unwrap().adverts, 0);
}

#[tokio::test(start_paused = true)]
async fn discovery_belongs_to_each_program() {
    let (_air, bluez, _phone) = world();
    let (mut first, second) = (Program::new(&bluez).await, Program::new(&bluez).await);
    assert_eq!(first.call(HCI0, ADAPTER, "StopDiscovery", &()).await.unwrap_err(), "org.bluez.Error.Failed");
    first.discover(HCI0).await.unwrap();
    assert_eq!(first.discover(HCI0).await.unwrap_err(), "org.bluez.Error.InProgress");
    second.discover(HCI0).await.unwrap();
    assert_eq!(bluez.status("hci0").await.unwrap().discovery_sessions, 2);
    drop(second);
    while bluez.status("hci0").await.unwrap().discovery_sessions > 1 {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(bool::try_from(&first.changed(ADAPTER).await.0["Discovering"]).unwrap());
    first.call(HCI0, ADAPTER, "StopDiscovery", &()).await.unwrap();
    assert!(!bool::try_from(&first.changed(ADAPTER).await.0["Discovering"]).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_device_is_kept_without_its_loudness_and_forgotten_later() {
    let (_air, bluez, phone) = world();
    let mut browser = Program::new(&bluez).await;
    let sent = phone.advertise(beacon()).await.unwrap();
    browser.discover(HCI0).await.unwrap();
    let (path, _) = browser.device().await;
    drop(sent);
    browser.call(HCI0, ADAPTER, "StopDiscovery", &()).await.unwrap();
    let gone = loop {
        let (_, gone) = browser.changed("org.bluez.Device1").await;
        if !gone.is_empty() {
            break gone;
        }
    };
    assert_eq!(gone, ["RSSI"]);
    let cached = &browser.objects().await[&path]["org.bluez.Device1"];
    assert_eq!(service_data(cached).1, [7; 20], "what it sent last is still known");
    browser.signal("InterfacesRemoved").await;
    assert!(!browser.objects().await.contains_key(&path));
}

#[tokio::test(start_paused = true)]
async fn repetitions_are_told_to_who_wants_them() {
    let (_air, bluez, phone) = world();
    let mut browser = Program::new(&bluez).await;
    let _sent = phone.advertise(beacon()).await.unwrap();
    let filter = BTreeMap::from([("DuplicateData", Variant::from(true))]);
    browser.call(HCI0, ADAPTER, "SetDiscoveryFilter", &filter).await.unwrap();
    browser.discover(HCI0).await.unwrap();
    browser.device().await;
    let told = async {
        loop {
            let (changed, _) = browser.changed("org.bluez.Device1").await;
            if changed.contains_key("ServiceData") {
                return service_data(&changed).1;
            }
        }
    };
    assert_eq!(timeout(Duration::from_secs(1), told).await.expect("repetitions"), [7; 20]);
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_is_off_does_nothing() {
    let (air, bluez, _phone) = world();
    let mut program = Program::new(&bluez).await;
    program.advertise(HCI0, "/advert", &advert("broadcast", &[1])).await.unwrap();
    program.discover(HCI0).await.unwrap();
    program.set(HCI0, "Powered", false).await.unwrap();
    assert!(!program.powered().await);
    let status = bluez.status("hci0").await.unwrap();
    assert_eq!((status.discovery_sessions, status.adverts), (0, 0));
    assert_eq!(program.discover(HCI0).await.unwrap_err(), "org.bluez.Error.NotReady");
    let filter = BTreeMap::<&str, Variant<'_>>::new();
    let refused = program.call(HCI0, ADAPTER, "SetDiscoveryFilter", &filter).await.unwrap_err();
    assert_eq!(refused, "org.bluez.Error.NotReady");
    let refused = program.advertise(HCI0, "/other", &advert("broadcast", &[2])).await.unwrap_err();
    assert!(refused.contains("Failed to register advertisement"), "{refused}");

    let mut scan = air.device("laptop").scan().await.unwrap();
    bluez.set_powered("hci0", true).await.unwrap();
    assert_eq!(scan.next().await.unwrap().data, [1], "an advert outlives a pause of its adapter");
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_adapter_is_gone_until_it_is_plugged_in() {
    let (_air, bluez, _phone) = world();
    let mut program = Program::new(&bluez).await;
    bluez.unplug("hci0").await.unwrap();
    program.signal("InterfacesRemoved").await;
    assert!(!program.objects().await.contains_key(HCI0));
    let refused = program.discover(HCI0).await.unwrap_err();
    assert!(refused.contains("UnknownObject"), "{refused}");
    bluez.plug("hci0").await.unwrap();
    program.signal("InterfacesAdded").await;
    program.discover(HCI0).await.unwrap();
    assert!(bluez.unplug("hci7").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_bluez_refuses_everything() {
    let (_air, bluez, _phone) = world();
    let program = Program::new(&bluez).await;
    bluez.set_forbidden(true).await.unwrap();
    let refused = program.discover(HCI0).await.unwrap_err();
    assert!(refused.contains("AccessDenied"), "{refused}");
    bluez.set_forbidden(false).await.unwrap();
    program.discover(HCI0).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_dies_hangs_up_and_comes_back_empty() {
    let (_air, mut bluez, _phone) = world();
    let mut program = Program::new(&bluez).await;
    program.discover(HCI0).await.unwrap();
    bluez.stop().await;
    timeout(Duration::from_secs(5), program.connection.closed()).await.expect("it hangs up");
    assert!(bluez.connect().await.is_err());
    assert!(bluez.status("hci0").await.is_err());
    bluez.restart().await.unwrap();
    program = Program::new(&bluez).await;
    assert_eq!(bluez.status("hci0").await.unwrap().discovery_sessions, 0);
    program.discover(HCI0).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_named_as_bluez_names_it() {
    let (_air, bluez, _phone) = world();
    let program = Program::new(&bluez).await;
    for (path, interface, method, expected) in [
        ("/nowhere", ADAPTER, "StartDiscovery", "org.freedesktop.DBus.Error.UnknownObject"),
        (HCI0, ADAPTER, "Explode", "org.freedesktop.DBus.Error.UnknownMethod"),
        (HCI0, "org.bluez.Oven1", "Heat", "org.freedesktop.DBus.Error.UnknownMethod"),
    ] {
        let error = program.call(path, interface, method, &()).await.unwrap_err();
        assert!(error.contains(expected.rsplit('.').next().unwrap()), "{error}");
    }
    let agent = ObjectPath::try_from("/agent").unwrap();
    let agents = "org.bluez.AgentManager1";
    let error = program.call("/org/bluez", agents, "UnregisterAgent", &agent).await.unwrap_err();
    assert_eq!(error, "org.bluez.Error.DoesNotExist");
    program.call("/org/bluez", agents, "RegisterAgent", &(&agent, "DisplayYesNo")).await.unwrap();
    program.call("/org/bluez", agents, "RequestDefaultAgent", &agent).await.unwrap();
    program.call("/org/bluez", agents, "UnregisterAgent", &agent).await.unwrap();
    assert!(program.set(HCI0, "Address", "x").await.unwrap_err().contains("ReadOnly"));
    let unknown = BTreeMap::from([("Transport", Variant::from("smoke"))]);
    let error = program.call(HCI0, ADAPTER, "SetDiscoveryFilter", &unknown).await.unwrap_err();
    assert_eq!(error, "org.bluez.Error.InvalidArguments");
}

#[tokio::test(start_paused = true)]
async fn a_bus_can_be_shown_to_people() {
    let (_air, bluez, _phone) = world();
    let program = Program::new(&bluez).await;
    let introspect = "org.freedesktop.DBus.Introspectable";
    for (path, holds) in [
        ("/", "<node name=\"org\"/>"),
        ("/org", "<node name=\"bluez\"/>"),
        ("/org/bluez", "<node name=\"hci1\"/>"),
        (HCI0, "<property name=\"Powered\" type=\"b\" access=\"read\"/>"),
    ] {
        let reply = program.call(path, introspect, "Introspect", &()).await.unwrap();
        let xml: String = reply.body().deserialize().unwrap();
        assert!(xml.contains(holds), "{path}: {xml}");
    }
}
