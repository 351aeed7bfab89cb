//! What programs and BlueZ tell each other of adverts, as D-Bus has it: one byte of flags, and a dictionary of properties that
//! a program sends, an advert's or a discovery filter's; and the same bytes as service data that BlueZ tells programs of.
#![no_main]

use std::collections::BTreeMap;

use hybridge_ble::{AddressKind, DeviceAddress, ServiceUuid, Sighting};
use hybridge_testkit::bluez::{AdvertData, Filter, announcement};
use libfuzzer_sys::fuzz_target;
use zbus::{
    OwnedObjectPath, OwnedVariant,
    wire::{
        LE,
        serialized::{Context, Data},
    },
};

/// The flags of the first byte.
const DISCOVERABLE: u8 = 1;
const GOOGLE: u8 = 2;

type Properties = BTreeMap<String, OwnedVariant>;

fuzz_target!(|bytes: &[u8]| {
    let Some((flags, body)) = bytes.split_first() else { return };
    let data = Data::new(body, Context::new(LE, 0));
    if let Ok((properties, _)) = data.deserialize::<Properties>() {
        told(&properties, flags & DISCOVERABLE != 0);
    }
    let uuid = if flags & GOOGLE != 0 { ServiceUuid::Google } else { ServiceUuid::Fido };
    heard(uuid, body);
});

/// An advert fits into the air or is refused.
fn told(properties: &Properties, discoverable: bool) {
    if let Ok(advert) = AdvertData::read(properties, discoverable) {
        assert!(advert.length <= 31);
        let heard: usize = advert.service_data.iter().map(|(_, data)| data.len() + 4).sum();
        assert!(heard <= advert.length, "what is heard takes room");
        assert!(advert.timeout.is_none_or(|timeout| !timeout.is_zero()));
    }
    if let Ok(filter) = Filter::read(properties) {
        let loud = |rssi| filter.lets_through("00:00:5E:00:53:02", rssi);
        assert!(loud(20) || !loud(-127), "who is louder is heard rather");
    }
}

/// A program reads in the signal what was heard.
fn heard(uuid: ServiceUuid, data: &[u8]) {
    let device = DeviceAddress::new([0, 0, 0x5E, 0, 0x53, 2], AddressKind::Random);
    let signal = announcement("/org/bluez/hci0", &Sighting::new(uuid, data, device)).expect("a signal");
    let body = signal.body();
    let (path, interfaces): (OwnedObjectPath, BTreeMap<String, Properties>) =
        body.deserialize().expect("an object and its interfaces");
    assert_eq!(path.as_str(), "/org/bluez/hci0/dev_00_00_5E_00_53_02");
    let told = interfaces["org.bluez.Device1"]["ServiceData"].try_clone().expect("no file descriptors");
    let told = BTreeMap::<String, OwnedVariant>::try_from(told).expect("a dictionary");
    let [(name, told)] = told.iter().collect::<Vec<_>>()[..] else { panic!("one entry") };
    assert!(name.starts_with(&format!("0000{:04x}-", uuid.short())), "{name}");
    let told = Vec::<u8>::try_from(told.try_clone().expect("no file descriptors")).expect("bytes");
    assert_eq!(told, data);
}
