//! The methods that programs call.

use std::{collections::BTreeMap, fmt::Write};

use serde::de::DeserializeOwned;
use zbus::{Message, OwnedObjectPath, OwnedVariant, Type};

use super::{
    adapter::{self, Adapter},
    client::Client,
    daemon::{AGENTS, Daemon},
    device,
    discovery::Filter,
    refusal::Refusal,
    tree::{Interfaces, Properties, Tree, Value},
};

/// What a call is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Nothing,
    Value(Value),
    Properties(Properties),
    Objects(Tree),
    Text(String),
    Texts(Vec<&'static str>),
}

/// What comes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Reply(Reply),
    /// The answer depends on the caller's advert object, which has to be read first.
    ReadAdvert {
        adapter: u8,
        path: String,
    },
}

impl Daemon {
    /// Answers a method call.
    pub(super) fn call(&mut self, client: &Client, message: &Message) -> Result<Outcome, Refusal> {
        if self.forbidden {
            return Err(Refusal::AccessDenied);
        }
        let header = message.header();
        let (Some(path), Some(member)) = (header.path(), header.member()) else {
            return Err(Refusal::UnknownMethod);
        };
        let interface = header.interface().map_or("", |interface| interface.as_str());
        let call = Call { client, message, path: path.as_str(), member: member.as_str() };
        match interface {
            "org.freedesktop.DBus.Peer" if call.member == "Ping" => {
                return Ok(Outcome::Reply(Reply::Nothing));
            }
            "org.freedesktop.DBus.Introspectable" => return self.introspect(&call).map(Outcome::Reply),
            "org.freedesktop.DBus.ObjectManager" if call.path == "/" => {
                return match call.member {
                    "GetManagedObjects" => Ok(Outcome::Reply(Reply::Objects(self.tree()))),
                    _ => Err(Refusal::UnknownMethod),
                };
            }
            _ => {}
        }
        let object = self.tree().remove(call.path).ok_or(Refusal::UnknownObject)?;
        if interface == "org.freedesktop.DBus.Properties" {
            return self.properties(&call, &object).map(Outcome::Reply);
        }
        if !object.contains_key(interface) {
            return Err(Refusal::UnknownMethod);
        }
        match interface {
            adapter::INTERFACE => call.on(self.adapter(call.path)?).map(Outcome::Reply),
            adapter::ADVERTISING => self.advertising(&call),
            device::INTERFACE => device::call(call.member).map(|()| Outcome::Reply(Reply::Nothing)),
            AGENTS => self.agents(&call).map(|()| Outcome::Reply(Reply::Nothing)),
            _ => Err(Refusal::UnknownMethod),
        }
    }

    fn adapter(&mut self, path: &str) -> Result<&mut Adapter, Refusal> {
        let found = self.adapters.values_mut().find(|adapter| adapter.path() == path);
        found.ok_or(Refusal::UnknownObject)
    }

    fn properties(&mut self, call: &Call<'_>, object: &Interfaces) -> Result<Reply, Refusal> {
        let find = |interface: &str| object.get(interface).ok_or(Refusal::UnknownInterface);
        match call.member {
            "Get" => {
                let (interface, name): (String, String) = call.arguments()?;
                let value = find(&interface)?.get(name.as_str()).ok_or(Refusal::UnknownProperty)?;
                Ok(Reply::Value(value.clone()))
            }
            "GetAll" => {
                let interface: String = call.arguments()?;
                Ok(Reply::Properties(find(&interface)?.clone()))
            }
            "Set" => {
                let (interface, name, value): (String, String, OwnedVariant) = call.arguments()?;
                find(&interface)?.get(name.as_str()).ok_or(Refusal::UnknownProperty)?;
                self.set(call.path, &interface, &name, &value).map(|()| Reply::Nothing)
            }
            _ => Err(Refusal::UnknownMethod),
        }
    }

    fn set(&mut self, path: &str, interface: &str, name: &str, value: &OwnedVariant) -> Result<(), Refusal> {
        match interface {
            adapter::INTERFACE => self.adapter(path)?.set(name, value),
            device::INTERFACE => {
                let (adapter, device) = path.rsplit_once('/').ok_or(Refusal::UnknownObject)?;
                let device = self.adapter(adapter)?.device_mut(device).ok_or(Refusal::UnknownObject)?;
                device.set(name, value)
            }
            _ => Err(Refusal::ReadOnlyProperty),
        }
    }

    fn advertising(&mut self, call: &Call<'_>) -> Result<Outcome, Refusal> {
        let found = self.adapters.iter_mut().find(|(_, adapter)| adapter.path() == call.path);
        let (&number, adapter) = found.ok_or(Refusal::UnknownObject)?;
        match call.member {
            "RegisterAdvertisement" => {
                let (path, _): (OwnedObjectPath, BTreeMap<String, OwnedVariant>) = call.arguments()?;
                let key = (call.client.clone(), path.as_str().to_owned());
                if adapter.has_advert(&key) || !self.reading.insert((number, key)) {
                    return Err(Refusal::AlreadyExists);
                }
                Ok(Outcome::ReadAdvert { adapter: number, path: path.as_str().to_owned() })
            }
            "UnregisterAdvertisement" => {
                let path: OwnedObjectPath = call.arguments()?;
                adapter.unregister(&(call.client.clone(), path.as_str().to_owned()))?;
                Ok(Outcome::Reply(Reply::Nothing))
            }
            _ => Err(Refusal::UnknownMethod),
        }
    }

    fn agents(&mut self, call: &Call<'_>) -> Result<(), Refusal> {
        const CAPABILITIES: [&str; 6] =
            ["", "DisplayOnly", "DisplayYesNo", "KeyboardOnly", "NoInputNoOutput", "KeyboardDisplay"];
        let key = |path: OwnedObjectPath| (call.client.clone(), path.as_str().to_owned());
        match call.member {
            "RegisterAgent" => {
                let (path, capability): (OwnedObjectPath, String) = call.arguments()?;
                if self.agents.iter().any(|(owner, _)| owner == call.client) {
                    return Err(Refusal::AlreadyExists);
                }
                if !CAPABILITIES.contains(&capability.as_str()) {
                    return Err(Refusal::InvalidArguments);
                }
                self.agents.insert(key(path));
                Ok(())
            }
            "UnregisterAgent" => {
                let removed = self.agents.remove(&key(call.arguments()?));
                removed.then_some(()).ok_or(Refusal::DoesNotExist)
            }
            "RequestDefaultAgent" => {
                let known = self.agents.contains(&key(call.arguments()?));
                known.then_some(()).ok_or(Refusal::DoesNotExist)
            }
            _ => Err(Refusal::UnknownMethod),
        }
    }

    /// Tells what is at a path, for programs that show a bus to people.
    fn introspect(&self, call: &Call<'_>) -> Result<Reply, Refusal> {
        let tree = self.tree();
        let inside = if call.path == "/" { "/".to_owned() } else { format!("{}/", call.path) };
        let below = tree.keys().filter_map(|path| path.strip_prefix(&inside));
        let children: Vec<&str> = below.map(|rest| rest.split('/').next().unwrap_or(rest)).collect();
        let object = tree.get(call.path);
        if call.member != "Introspect" {
            return Err(Refusal::UnknownMethod);
        }
        if object.is_none() && children.is_empty() && call.path != "/" {
            return Err(Refusal::UnknownObject);
        }
        let mut xml = "<node>".to_owned();
        for (interface, properties) in object.into_iter().flatten() {
            // Writing into a string cannot fail.
            let _ = write!(xml, "<interface name=\"{interface}\">");
            for (name, value) in properties {
                let signature = value.to_wire().value_signature().to_string();
                let _ = write!(xml, "<property name=\"{name}\" type=\"{signature}\" access=\"read\"/>");
            }
            xml.push_str("</interface>");
        }
        let children: std::collections::BTreeSet<&str> = children.into_iter().collect();
        for child in children {
            let _ = write!(xml, "<node name=\"{child}\"/>");
        }
        xml.push_str("</node>");
        Ok(Reply::Text(xml))
    }
}

struct Call<'a> {
    client: &'a Client,
    message: &'a Message,
    path: &'a str,
    member: &'a str,
}

impl Call<'_> {
    /// The arguments, if they are of these types. BlueZ says of any others that there is no such method.
    fn arguments<T: DeserializeOwned + Type>(&self) -> Result<T, Refusal> {
        self.message.body().deserialize().map_err(|_| Refusal::UnknownMethod)
    }

    /// Calls a method of Adapter1.
    fn on(&self, adapter: &mut Adapter) -> Result<Reply, Refusal> {
        match self.member {
            "SetDiscoveryFilter" => {
                let entries: BTreeMap<String, OwnedVariant> = self.arguments()?;
                let filter = Filter::read(&entries)?;
                adapter.set_filter(self.client.clone(), filter, !entries.is_empty())?;
            }
            "StartDiscovery" => adapter.start_discovery(self.client.clone())?,
            "StopDiscovery" => adapter.stop_discovery(self.client)?,
            "RemoveDevice" => {
                let path: OwnedObjectPath = self.arguments()?;
                adapter.remove_device(path.as_str())?;
            }
            "GetDiscoveryFilters" => return Ok(Reply::Texts(Filter::NAMES.to_vec())),
            _ => return Err(Refusal::UnknownMethod),
        }
        Ok(Reply::Nothing)
    }
}
