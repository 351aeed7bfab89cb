//! What a program asks LEAdvertisingManager1 to send: the properties of its org.bluez.LEAdvertisement1 object.

use std::{collections::BTreeMap, time::Duration};

use hybridge_ble::ServiceUuid;
use uuid::Uuid;
use zbus::{OwnedVariant, Variant};

use super::refusal::Refusal;

/// Bytes of advertising data in one advert.
pub(super) const MAX_LENGTH: u8 = 31;

/// Why BlueZ does not take what an object says about itself.
const UNPARSED: Refusal = Refusal::Failed("Failed to parse advertisement.");

/// The bounds of an advertising interval, in milliseconds.
const INTERVALS: std::ops::RangeInclusive<u32> = 20..=10_485_000;

/// An advert that a program asks for, as BlueZ understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdvertData {
    /// Type "peripheral": others may connect, and the adapter's own address is used.
    pub peripheral: bool,
    /// The service data that the transport uses. Anything else takes room and is not heard by anybody.
    pub service_data: Vec<(ServiceUuid, Vec<u8>)>,
    /// After what time it ends by itself.
    pub timeout: Option<Duration>,
    /// All of its fields together, in bytes.
    pub length: usize,
}

impl AdvertData {
    /// Reads the properties of an LEAdvertisement1 object and counts the bytes that they take.
    ///
    /// `discoverable` is the adapter's property of this name, which holds where the advert does not say.
    ///
    /// # Errors
    /// [`Refusal::Failed`] for what does not fit into 31 bytes, or makes no sense.
    pub fn read(properties: &BTreeMap<String, OwnedVariant>, discoverable: bool) -> Result<Self, Refusal> {
        let fields = Fields(properties);
        let peripheral = match fields.text("Type")?.ok_or(UNPARSED)? {
            "peripheral" => true,
            "broadcast" => false,
            _ => return Err(UNPARSED),
        };
        fields.check_interval()?;
        let service_data = fields.service_data()?;
        let length = [
            fields.flags(peripheral, discoverable)?,
            fields.uuid_lists()?,
            service_data.iter().map(|(uuid, data)| field(uuid_length(uuid), data.len())).sum(),
            fields.numbered("ManufacturerData", 2)?,
            fields.numbered("Data", 0)?,
            fields.includes()?,
        ];
        let length = length.into_iter().fold(0, usize::saturating_add);
        if length > usize::from(MAX_LENGTH) {
            return Err(UNPARSED);
        }
        let timeout = fields.number("Timeout")?.filter(|seconds| *seconds > 0).map(u64::from);
        let known = |(uuid, data): (Uuid, Vec<u8>)| Some((ServiceUuid::from_long(uuid.as_u128())?, data));
        let service_data = service_data.into_iter().filter_map(known).collect();
        Ok(Self { peripheral, service_data, timeout: timeout.map(Duration::from_secs), length })
    }
}

/// The bytes of one field: its length, its type, and what is in it.
fn field(head: usize, data: usize) -> usize {
    2_usize.saturating_add(head).saturating_add(data)
}

/// The shortest form of a UUID, in bytes.
fn uuid_length(uuid: &Uuid) -> usize {
    const BASE: u128 = 0x0000_0000_0000_1000_8000_0080_5f9b_34fb;
    match uuid.as_u128().checked_sub(BASE) {
        Some(rest) if rest & ((1 << 96) - 1) == 0 => {
            if rest >> 96 <= u128::from(u16::MAX) {
                2
            } else {
                4
            }
        }
        _ => 16,
    }
}

/// Reads properties one by one.
struct Fields<'a>(&'a BTreeMap<String, OwnedVariant>);

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&'a Variant<'static>> {
        self.0.get(name).map(|value| &**value)
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.get(name).map(<&str>::try_from).transpose().map_err(|_| UNPARSED)
    }

    fn number(&self, name: &str) -> Result<Option<u16>, Refusal> {
        self.get(name).map(u16::try_from).transpose().map_err(|_| UNPARSED)
    }

    fn wide_number(&self, name: &str) -> Result<Option<u32>, Refusal> {
        self.get(name).map(u32::try_from).transpose().map_err(|_| UNPARSED)
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        value.try_clone().and_then(Vec::<String>::try_from).map_err(|_| UNPARSED)
    }

    fn check_interval(&self) -> Result<(), Refusal> {
        let shortest = self.wide_number("MinInterval")?;
        let longest = self.wide_number("MaxInterval")?;
        let out_of_bounds = [shortest, longest].iter().flatten().any(|value| !INTERVALS.contains(value));
        let crossed = matches!((shortest, longest), (Some(shortest), Some(longest)) if shortest > longest);
        if out_of_bounds || crossed { Err(UNPARSED) } else { Ok(()) }
    }

    /// Who can be discovered says so in three bytes; nobody else sends flags.
    fn flags(&self, peripheral: bool, adapter: bool) -> Result<usize, Refusal> {
        let own = self.get("Discoverable").map(bool::try_from).transpose().map_err(|_| UNPARSED)?;
        match (peripheral, own) {
            (false, Some(true)) => Err(UNPARSED),
            (true, own) if own.unwrap_or(adapter) => Ok(3),
            _ => Ok(0),
        }
    }

    /// One list for each length of UUIDs in it.
    fn uuid_lists(&self) -> Result<usize, Refusal> {
        let mut total: usize = 0;
        for name in ["ServiceUUIDs", "SolicitUUIDs"] {
            let mut lists = BTreeMap::<usize, usize>::new();
            for text in self.texts(name)? {
                let length = uuid_length(&parse_uuid(&text)?);
                let count = lists.entry(length).or_default();
                *count = count.saturating_add(1);
            }
            let lists = lists.into_iter().map(|(length, count)| field(0, length.saturating_mul(count)));
            total = lists.fold(total, usize::saturating_add);
        }
        Ok(total)
    }

    fn service_data(&self) -> Result<Vec<(Uuid, Vec<u8>)>, Refusal> {
        let Some(value) = self.get("ServiceData") else { return Ok(Vec::new()) };
        let entries = value.try_clone().and_then(BTreeMap::<String, Variant<'_>>::try_from);
        let entries = entries.map_err(|_| UNPARSED)?;
        entries.into_iter().map(|(uuid, data)| Ok((parse_uuid(&uuid)?, bytes(data)?))).collect()
    }

    /// The length of all entries of a dictionary of byte arrays, each of which gets a field.
    fn numbered(&self, name: &str, head: usize) -> Result<usize, Refusal> {
        let Some(Variant::Dict(dict)) = self.get(name) else {
            return if self.0.contains_key(name) { Err(UNPARSED) } else { Ok(0) };
        };
        let mut total: usize = 0;
        for (_, data) in dict.iter() {
            let data = bytes(data.try_clone().map_err(|_| UNPARSED)?)?;
            total = total.saturating_add(field(head, data.len()));
        }
        Ok(total)
    }

    /// What the system adds by itself. A name goes into the scan response.
    fn includes(&self) -> Result<usize, Refusal> {
        let includes = self.texts("Includes")?;
        let appearance = self.number("Appearance")?.is_some() || includes.iter().any(|it| it == "appearance");
        let power = includes.iter().any(|it| it == "tx-power");
        Ok(usize::from(appearance).saturating_mul(4).saturating_add(usize::from(power).saturating_mul(3)))
    }
}

fn parse_uuid(text: &str) -> Result<Uuid, Refusal> {
    // BlueZ also takes the short forms.
    let short = matches!(text.len(), 4 | 8).then(|| u32::from_str_radix(text, 16).ok()).flatten();
    match short {
        Some(short) => Ok(Uuid::from_fields(short, 0, 0x1000, b"\x80\x00\x00\x80\x5f\x9b\x34\xfb")),
        None => Uuid::parse_str(text).map_err(|_| UNPARSED),
    }
}

/// A byte array, in as many variants as the sender wrapped it in.
fn bytes(mut value: Variant<'_>) -> Result<Vec<u8>, Refusal> {
    while let Variant::Variant(inner) = value {
        value = *inner;
    }
    Vec::<u8>::try_from(value).map_err(|_| UNPARSED)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIDO: &str = "0000fff9-0000-1000-8000-00805f9b34fb";

    type Entry = (&'static str, Variant<'static>);

    fn read(entries: impl IntoIterator<Item = Entry>) -> Result<AdvertData, Refusal> {
        let owned = |(name, value): Entry| (name.to_owned(), value.try_into_owned().unwrap());
        AdvertData::read(&entries.into_iter().map(owned).collect(), false)
    }

    fn kind(kind: &'static str) -> Entry {
        ("Type", kind.into())
    }

    fn service_data(uuid: &'static str, length: usize) -> Entry {
        ("ServiceData", BTreeMap::from([(uuid, Variant::from(vec![7_u8; length]))]).into())
    }

    #[test]
    fn every_field_takes_its_room() {
        let length = |entries: Vec<Entry>| {
            let entries = entries.into_iter().chain([kind("peripheral")]);
            read(entries).map(|advert| advert.length)
        };
        let uuids = |uuids: &[&'static str]| ("ServiceUUIDs", uuids.to_vec().into());
        let numbered = |key: u16| BTreeMap::from([(key, Variant::from(vec![1_u8; 5]))]).into();
        assert_eq!(length(vec![]), Ok(0));
        assert_eq!(length(vec![service_data(FIDO, 20)]), Ok(24));
        assert_eq!(length(vec![service_data("12345678-0000-1000-8000-00805f9b34fb", 20)]), Ok(26));
        assert_eq!(length(vec![service_data("12345678-9abc-def0-1234-56789abcdef0", 10)]), Ok(28));
        assert_eq!(length(vec![uuids(&[FIDO, "fde2"])]), Ok(6));
        assert_eq!(length(vec![uuids(&[FIDO, "12345678"])]), Ok(10));
        assert_eq!(length(vec![("Discoverable", true.into())]), Ok(3));
        assert_eq!(length(vec![("ManufacturerData", numbered(0xFFFF))]), Ok(9));
        assert_eq!(length(vec![("Includes", vec!["tx-power", "appearance", "local-name"].into())]), Ok(7));
        assert_eq!(length(vec![("Appearance", 1_u16.into())]), Ok(4));
        let full = vec![("Discoverable", true.into()), uuids(&[FIDO]), service_data(FIDO, 20)];
        assert_eq!(length(full), Ok(31));
        assert_eq!(length(vec![uuids(&[FIDO]), service_data(FIDO, 24)]), Err(UNPARSED));
    }

    #[test]
    fn only_data_of_the_transport_is_heard() {
        let advert = read([kind("broadcast"), service_data(FIDO, 3)]).unwrap();
        assert_eq!(advert.service_data, [(ServiceUuid::Fido, vec![7; 3])]);
        let advert = read([kind("broadcast"), service_data("180f", 3)]).unwrap();
        assert_eq!((advert.service_data.len(), advert.length), (0, 7));
    }

    #[test]
    fn nonsense_is_refused() {
        for entry in [
            ("Type", Variant::from("shout")),
            ("Type", Variant::from(1_u8)),
            ("ServiceUUIDs", Variant::from(vec!["fish"])),
            ("ServiceUUIDs", Variant::from("fff9")),
            ("ServiceData", Variant::from(BTreeMap::from([(FIDO, Variant::from("text"))]))),
            ("ServiceData", Variant::from(vec![1_u8])),
            ("ManufacturerData", Variant::from(true)),
            ("Discoverable", Variant::from(true)),
            ("Timeout", Variant::from(-1_i32)),
            ("MinInterval", Variant::from(19_u32)),
        ] {
            let name = entry.0;
            let kind = (name != "Type").then(|| kind("broadcast"));
            assert_eq!(read(kind.into_iter().chain([entry])), Err(UNPARSED), "{name}");
        }
        let crossed = [("MinInterval", 200_u32.into()), ("MaxInterval", 100_u32.into())];
        assert_eq!(read(crossed.into_iter().chain([kind("broadcast")])), Err(UNPARSED));
        assert_eq!(read([]), Err(UNPARSED), "the type is required");
    }

    /// Values of the types that occur, in places where they belong and where they do not.
    fn value() -> impl Strategy<Value = Variant<'static>> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
        let uuid = prop_oneof![Just(FIDO.to_owned()), Just("fde2".to_owned()), ".{0,40}"];
        prop_oneof![
            any::<bool>().prop_map(Variant::from),
            any::<u16>().prop_map(Variant::from),
            any::<u32>().prop_map(Variant::from),
            prop_oneof![Just("broadcast".to_owned()), Just("peripheral".to_owned()), ".{0,9}"]
                .prop_map(Variant::from),
            bytes().prop_map(Variant::from),
            proptest::collection::vec(uuid.clone(), 0..4).prop_map(Variant::from),
            proptest::collection::btree_map(uuid, bytes().prop_map(Variant::from), 0..3)
                .prop_map(Variant::from),
            proptest::collection::btree_map(any::<u16>(), bytes().prop_map(Variant::from), 0..3)
                .prop_map(Variant::from),
        ]
    }

    const NAMES: [&str; 14] = [
        "Type",
        "ServiceUUIDs",
        "SolicitUUIDs",
        "ServiceData",
        "ManufacturerData",
        "Data",
        "Discoverable",
        "Includes",
        "Appearance",
        "Timeout",
        "MinInterval",
        "MaxInterval",
        "LocalName",
        "Other",
    ];

    proptest! {
        #[test]
        fn whatever_an_object_says_fits_or_is_refused(
            entries in proptest::collection::vec((proptest::sample::select(&NAMES[..]), value()), 0..8),
            typed in any::<bool>(),
        ) {
            let entries = entries.into_iter().chain(typed.then(|| kind("peripheral")));
            match read(entries) {
                Ok(advert) => {
                    prop_assert!(advert.length <= usize::from(MAX_LENGTH));
                    let heard: usize = advert.service_data.iter().map(|(_, data)| data.len() + 4).sum();
                    prop_assert!(heard <= advert.length);
                }
                Err(refusal) => prop_assert_eq!(refusal, UNPARSED),
            }
        }
    }
}
