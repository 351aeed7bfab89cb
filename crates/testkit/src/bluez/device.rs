//! Devices that an adapter knows: those it hears, and for a while those it has heard.

use std::{collections::BTreeMap, time::Duration};

use hybridge_ble::{AddressKind, DeviceAddress, Sighting};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    refusal::Refusal,
    tree::{Change, Interfaces, Properties, Value},
    wire,
};

pub(super) const INTERFACE: &str = "org.bluez.Device1";

/// How long a device that is not heard any more is kept, as BlueZ does with devices that nobody has paired.
pub(super) const KEPT: Duration = Duration::from_secs(30);

/// How loud adverts are heard, in dBm. They vary a little, since every radio's do.
const RSSI: i16 = -48;

/// A device as one adapter knows it.
#[derive(Debug)]
pub(super) struct Device {
    address: DeviceAddress,
    alias: Option<String>,
    trusted: bool,
    blocked: bool,
    service_data: BTreeMap<String, Value>,
    /// Known while a scan is running and has heard the device.
    rssi: Option<i16>,
    heard: u32,
    /// When it is forgotten.
    pub(super) forgotten: Instant,
}

impl Device {
    pub(super) fn new(address: DeviceAddress, now: Instant) -> Self {
        Self {
            address,
            alias: None,
            trusted: false,
            blocked: false,
            service_data: BTreeMap::new(),
            rssi: None,
            heard: 0,
            forgotten: now.checked_add(KEPT).unwrap_or(now),
        }
    }

    /// How loud the next advert of a device is that was heard so often.
    pub(super) fn loudness(heard: u32) -> i16 {
        RSSI.saturating_sub(i16::try_from(heard % 4).unwrap_or_default())
    }

    pub(super) const fn heard(&self) -> u32 {
        self.heard
    }

    pub(super) fn hear(&mut self, sighting: &Sighting, now: Instant) {
        self.rssi = Some(Self::loudness(self.heard));
        self.heard = self.heard.wrapping_add(1);
        self.forgotten = now.checked_add(KEPT).unwrap_or(now);
        let uuid = Uuid::from_u128(sighting.uuid.long()).to_string();
        self.service_data = BTreeMap::from([(uuid, Value::Bytes(sighting.data.clone()))]);
    }

    /// The scan is over: nothing is known about how loud the device is.
    pub(super) const fn fall_silent(&mut self) {
        self.rssi = None;
    }

    /// The service data, to be told again.
    pub(super) fn repetition(&self) -> Properties {
        Properties::from([("ServiceData", Value::Dict(self.service_data.clone()))])
    }

    pub(super) fn set(&mut self, property: &str, value: &zbus::Variant<'_>) -> Result<(), Refusal> {
        let flag = || bool::try_from(value).map_err(|_| Refusal::InvalidArguments);
        match property {
            "Alias" => {
                let alias = <&str>::try_from(value).map_err(|_| Refusal::InvalidArguments)?;
                self.alias = Some(alias.to_owned()).filter(|alias| !alias.is_empty());
            }
            "Trusted" => self.trusted = flag()?,
            "Blocked" => self.blocked = flag()?,
            _ => return Err(Refusal::ReadOnlyProperty),
        }
        Ok(())
    }

    pub(super) fn interfaces(&self, adapter: &str) -> Interfaces {
        let address = self.address.to_string();
        let alias = self.alias.clone().unwrap_or_else(|| address.replace(':', "-"));
        let kind = match self.address.kind() {
            AddressKind::Public => "public",
            AddressKind::Random => "random",
        };
        let mut properties = Properties::from([
            ("Adapter", Value::Path(adapter.to_owned())),
            ("Address", Value::Text(address)),
            ("AddressType", Value::from(kind)),
            ("Alias", Value::Text(alias)),
            ("Blocked", Value::Bool(self.blocked)),
            ("Bonded", Value::Bool(false)),
            ("Connected", Value::Bool(false)),
            ("LegacyPairing", Value::Bool(false)),
            ("Paired", Value::Bool(false)),
            ("ServiceData", Value::Dict(self.service_data.clone())),
            ("ServicesResolved", Value::Bool(false)),
            ("Trusted", Value::Bool(self.trusted)),
            ("UUIDs", Value::Texts(Vec::new())),
        ]);
        properties.extend(self.rssi.map(|rssi| ("RSSI", Value::Int16(rssi))));
        Interfaces::from([(INTERFACE, properties)])
    }
}

/// The InterfacesAdded signal by which an adapter, an object of this path, tells of a device that it hears for the first
/// time.
///
/// # Errors
/// [`zbus::Error`] if the path is none of D-Bus, or the data is too long for a message.
pub fn announcement(adapter: &str, sighting: &Sighting) -> zbus::Result<zbus::Message> {
    let now = Instant::now();
    let mut device = Device::new(sighting.device, now);
    device.hear(sighting, now);
    let path = format!("{adapter}/{}", object_name(&sighting.device));
    wire::signal(&Change::Added { path, interfaces: device.interfaces(adapter) })
}

/// The name of a device's object below its adapter's.
pub(super) fn object_name(address: &DeviceAddress) -> String {
    format!("dev_{}", address.to_string().replace(':', "_"))
}

/// Answers a call of Device1. Nothing here can be connected to: no air carries connections over D-Bus.
pub(super) fn call(member: &str) -> Result<(), Refusal> {
    match member {
        "Connect" => Err(Refusal::Failed("le-connection-abort-by-local")),
        "Disconnect" | "DisconnectProfile" => Err(Refusal::NotConnected),
        "ConnectProfile" => Err(Refusal::Failed("br-connection-profile-unavailable")),
        "Pair" => Err(Refusal::AuthenticationFailed),
        "CancelPairing" => Err(Refusal::DoesNotExist),
        _ => Err(Refusal::UnknownMethod),
    }
}

#[cfg(test)]
mod tests {
    use hybridge_ble::ServiceUuid;
    use proptest::{collection::vec, prelude::*, sample::select};
    use zbus::{OwnedObjectPath, OwnedVariant};

    use super::*;

    type Dict = BTreeMap<String, OwnedVariant>;

    /// What a program understands that gets the announcement.
    fn understood(adapter: &str, sighting: &Sighting) -> zbus::Result<(OwnedObjectPath, Dict)> {
        let message = announcement(adapter, sighting)?;
        let (path, mut interfaces): (OwnedObjectPath, BTreeMap<String, Dict>) =
            message.body().deserialize()?;
        assert_eq!(interfaces.len(), 1);
        Ok((path, interfaces.remove(INTERFACE).unwrap()))
    }

    /// Paths of D-Bus, and others.
    fn any_path() -> impl Strategy<Value = String> {
        prop_oneof!["(/[A-Za-z0-9_]{1,6}){1,3}", "/", "[/a-z.-]{0,6}", ".{0,6}"]
    }

    proptest! {
        #[test]
        fn what_is_heard_is_announced_as_it_is(
            uuid in select(&ServiceUuid::ALL[..]),
            data in vec(any::<u8>(), 0..300),
            address in any::<[u8; DeviceAddress::LENGTH]>(),
            kind in select(&[AddressKind::Public, AddressKind::Random][..]),
        ) {
            let device = DeviceAddress::new(address, kind);
            let (path, properties) =
                understood("/org/bluez/hci0", &Sighting::new(uuid, data.clone(), device)).unwrap();
            prop_assert_eq!(path.as_str(), format!("/org/bluez/hci0/{}", object_name(&device)));
            prop_assert_eq!(<&str>::try_from(&properties["Address"]).unwrap(), device.to_string());
            let mut heard = BTreeMap::<String, OwnedVariant>::try_from(properties["ServiceData"].try_clone().unwrap()).unwrap();
            let bytes = heard.remove(&Uuid::from_u128(uuid.long()).to_string()).unwrap();
            prop_assert_eq!(Vec::<u8>::try_from(bytes).unwrap(), data);
            prop_assert!(heard.is_empty());
        }

        #[test]
        fn an_adapter_that_is_no_object_is_refused(adapter in any_path()) {
            let device = DeviceAddress::new([2; DeviceAddress::LENGTH], AddressKind::Random);
            let path = format!("{adapter}/{}", object_name(&device));
            let announced = announcement(&adapter, &Sighting::new(ServiceUuid::Fido, [], device));
            prop_assert_eq!(announced.is_ok(), OwnedObjectPath::try_from(path).is_ok());
        }
    }
}
