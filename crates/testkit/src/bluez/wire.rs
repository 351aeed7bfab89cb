//! Messages on D-Bus.

use std::collections::BTreeMap;

use zbus::{Connection, Message, ObjectPath, OwnedVariant, message::Flags, names::BusName};

use super::{
    calls::Reply,
    refusal::Refusal,
    tree::{Change, interfaces_to_wire, properties_to_wire, tree_to_wire},
};

const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const OBJECT_MANAGER: &str = "org.freedesktop.DBus.ObjectManager";
const ADVERTISEMENT: &str = "org.bluez.LEAdvertisement1";

/// The answer to a call.
pub(super) fn answer(call: &Message, answer: Result<Reply, Refusal>) -> zbus::Result<Message> {
    let header = call.header();
    let reply = match answer {
        Ok(reply) => reply,
        Err(refusal) => return Message::error(&header, refusal.name()).build(&refusal.text()),
    };
    let message = Message::method_return(&header);
    match reply {
        Reply::Nothing => message.build(&()),
        Reply::Value(value) => message.build(&value.to_wire()),
        Reply::Properties(properties) => message.build(&properties_to_wire(&properties)),
        Reply::Objects(tree) => message.build(&tree_to_wire(&tree)),
        Reply::Text(text) => message.build(&text),
        Reply::Texts(texts) => message.build(&texts),
    }
}

/// The signal that tells a change.
pub(super) fn signal(change: &Change) -> zbus::Result<Message> {
    match change {
        Change::Added { path, interfaces } => Message::signal("/", OBJECT_MANAGER, "InterfacesAdded")
            .build(&(ObjectPath::try_from(path.as_str())?, interfaces_to_wire(interfaces))),
        Change::Removed { path, interfaces } => Message::signal("/", OBJECT_MANAGER, "InterfacesRemoved")
            .build(&(ObjectPath::try_from(path.as_str())?, interfaces)),
        Change::Changed { path, interface, changed, invalidated } => Message::signal(
            path.as_str(),
            PROPERTIES,
            "PropertiesChanged",
        )
        .build(&(interface, properties_to_wire(changed), invalidated)),
    }
}

/// Asks a program for the properties of its advert.
pub(super) async fn read_advert(
    connection: &Connection,
    owner: Option<&str>,
    path: &str,
) -> zbus::Result<BTreeMap<String, OwnedVariant>> {
    let owner = owner.map(BusName::try_from).transpose()?;
    let reply = connection.call_method(owner, path, Some(PROPERTIES), "GetAll", &ADVERTISEMENT).await?;
    reply.body().deserialize()
}

/// Tells a program that its advert has ended.
pub(super) fn release(owner: Option<&str>, path: &str) -> zbus::Result<Message> {
    let mut call = Message::method_call(path, "Release").interface(ADVERTISEMENT);
    if let Some(owner) = owner {
        call = call.destination(BusName::try_from(owner)?);
    }
    call.with_flags(Flags::NO_REPLY_EXPECTED).build(&())
}

/// The program that has left the bus, if the signal says that one has.
pub(super) fn name_lost(signal: &Message) -> Option<String> {
    let header = signal.header();
    let from_bus = header.sender().is_some_and(|sender| sender.as_str() == "org.freedesktop.DBus");
    let changed = header.member().is_some_and(|member| member.as_str() == "NameOwnerChanged");
    if !from_bus || !changed {
        return None;
    }
    let (name, _, owner): (String, String, String) = signal.body().deserialize().ok()?;
    (owner.is_empty() && name.starts_with(':')).then_some(name)
}
