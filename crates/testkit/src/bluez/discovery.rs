//! What programs ask an adapter to look for.

use std::collections::BTreeMap;

use zbus::OwnedVariant;

use super::refusal::Refusal;

/// A discovery filter: what a program gave to SetDiscoveryFilter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only devices that list one of these services. Service data alone is no such list, so nothing in this air
    /// passes a filter with UUIDs.
    uuids: bool,
    /// Only devices at least this loud.
    rssi: Option<i16>,
    /// Only classic Bluetooth, which this air does not have.
    classic_only: bool,
    /// Repetitions are told even where nothing in them is new.
    duplicates: bool,
    /// Only devices whose address begins like this.
    pattern: Option<String>,
}

impl Filter {
    /// The names of the filters there are.
    pub(super) const NAMES: [&'static str; 7] =
        ["UUIDs", "RSSI", "Pathloss", "Transport", "DuplicateData", "Discoverable", "Pattern"];

    /// Reads a filter. Names that BlueZ does not know are passed over, as it does.
    ///
    /// # Errors
    /// [`Refusal::InvalidArguments`] for values of other types or out of bounds.
    pub fn read(entries: &BTreeMap<String, OwnedVariant>) -> Result<Self, Refusal> {
        if entries.contains_key("RSSI") && entries.contains_key("Pathloss") {
            return Err(Refusal::InvalidArguments);
        }
        let mut filter = Self::default();
        for (name, value) in entries {
            filter.entry(name, value).ok_or(Refusal::InvalidArguments)?;
        }
        Ok(filter)
    }

    fn entry(&mut self, name: &str, value: &OwnedVariant) -> Option<()> {
        match name {
            "UUIDs" => {
                let uuids = Vec::<String>::try_from(value.try_clone().ok()?).ok()?;
                self.uuids = !uuids.is_empty();
            }
            "RSSI" => self.rssi = Some(i16::try_from(value).ok().filter(|rssi| (-127..=20).contains(rssi))?),
            "Pathloss" => drop(u16::try_from(value).ok().filter(|loss| *loss <= 137)?),
            "Transport" => {
                self.classic_only = match <&str>::try_from(value).ok()? {
                    "auto" | "le" => false,
                    "bredr" => true,
                    _ => return None,
                }
            }
            "DuplicateData" => self.duplicates = bool::try_from(value).ok()?,
            "Discoverable" => drop(bool::try_from(value).ok()?),
            "Pattern" => {
                let pattern = <&str>::try_from(value).ok()?;
                self.pattern = Some(pattern.to_owned()).filter(|pattern| !pattern.is_empty());
            }
            _ => {}
        }
        Some(())
    }

    /// Whether a device with this address, heard this loud in dBm, is told about.
    pub fn lets_through(&self, address: &str, rssi: i16) -> bool {
        !self.uuids
            && !self.classic_only
            && self.rssi.is_none_or(|least| rssi >= least)
            && self.pattern.as_ref().is_none_or(|start| address.starts_with(start.as_str()))
    }

    /// Whether repetitions are told.
    pub(super) const fn wants_duplicates(&self) -> bool {
        self.duplicates
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};
    use zbus::Variant;

    use super::*;

    fn read(entries: Vec<(&str, Variant<'static>)>) -> Result<Filter, Refusal> {
        let owned = |(name, value): (&str, Variant<'_>)| (name.to_owned(), value.try_into_owned().unwrap());
        Filter::read(&entries.into_iter().map(owned).collect())
    }

    #[test]
    fn what_programs_send_is_understood() {
        let chromium = read(vec![("Transport", "le".into())]).unwrap();
        assert!(chromium.lets_through("00:00:5E:00:53:02", -50));
        assert!(!chromium.wants_duplicates());
        let btleplug = read(vec![("Transport", "auto".into()), ("DuplicateData", true.into())]).unwrap();
        assert!(btleplug.wants_duplicates());
        assert!(read(vec![("SomethingNew", 1_u8.into())]).is_ok());
    }

    #[test]
    fn each_condition_counts() {
        let through = |name, value| read(vec![(name, value)]).unwrap().lets_through("AA:BB:CC:DD:EE:FF", -50);
        assert!(!through("UUIDs", vec!["fff9"].into()));
        assert!(through("UUIDs", Vec::<&str>::new().into()));
        assert!(!through("Transport", "bredr".into()));
        assert!(through("RSSI", (-50_i16).into()));
        assert!(!through("RSSI", (-49_i16).into()));
        assert!(through("Pattern", "AA:BB".into()));
        assert!(!through("Pattern", "BB".into()));
        assert!(through("Pathloss", 137_u16.into()));
    }

    #[test]
    fn nonsense_is_refused() {
        for (name, value) in [
            ("Transport", Variant::from("smoke")),
            ("Transport", Variant::from(true)),
            ("RSSI", Variant::from(21_i16)),
            ("RSSI", Variant::from(-50_i32)),
            ("Pathloss", Variant::from(138_u16)),
            ("UUIDs", Variant::from("fff9")),
            ("DuplicateData", Variant::from(1_u8)),
        ] {
            assert_eq!(read(vec![(name, value)]), Err(Refusal::InvalidArguments), "{name}");
        }
        let both = vec![("RSSI", Variant::from(-50_i16)), ("Pathloss", Variant::from(1_u16))];
        assert_eq!(read(both), Err(Refusal::InvalidArguments));
    }

    /// Values of all types that filters have, and of some that they do not have.
    fn value() -> impl Strategy<Value = Variant<'static>> {
        prop_oneof![
            any::<bool>().prop_map(Variant::from),
            any::<u8>().prop_map(Variant::from),
            (-200..200_i16).prop_map(Variant::from),
            (0..200_u16).prop_map(Variant::from),
            any::<i32>().prop_map(Variant::from),
            prop_oneof![select(&["auto", "le", "bredr", "AA:BB", ""][..]).prop_map(str::to_owned), ".{0,9}"]
                .prop_map(Variant::from),
            vec(".{0,9}", 1..3).prop_map(Variant::from),
            vec(any::<u8>(), 1..9).prop_map(Variant::from),
        ]
    }

    /// Whether BlueZ's documentation allows this value under this name.
    fn allowed(name: &str, value: &Variant<'_>) -> bool {
        match (name, value) {
            ("UUIDs", Variant::Array(array)) => array.iter().all(|item| matches!(item, Variant::Str(_))),
            ("RSSI", Variant::I16(rssi)) => (-127..=20).contains(rssi),
            ("Pathloss", Variant::U16(loss)) => (0..=137).contains(loss),
            ("Transport", Variant::Str(transport)) => matches!(transport.as_str(), "auto" | "bredr" | "le"),
            ("DuplicateData" | "Discoverable", Variant::Bool(_)) | ("Pattern", Variant::Str(_)) => true,
            (name, _) => !Filter::NAMES.contains(&name),
        }
    }

    proptest! {
        #[test]
        fn filters_are_understood_or_refused(
            entries in proptest::collection::btree_map(
                prop_oneof![9 => select(&Filter::NAMES[..]), 1 => Just("SomethingNew")],
                value(),
                0..4,
            ),
            rssi in any::<i16>(),
        ) {
            let both = entries.contains_key("RSSI") && entries.contains_key("Pathloss");
            let good = !both && entries.iter().all(|(name, value)| allowed(name, value));
            let least = entries.get("RSSI").and_then(|value| i16::try_from(value).ok());
            let uuids = entries.contains_key("UUIDs");
            match read(entries.into_iter().collect()) {
                Ok(filter) => {
                    prop_assert!(good);
                    if filter.lets_through("AA:BB:CC:DD:EE:FF", rssi) {
                        prop_assert!(!uuids && least.is_none_or(|least| rssi >= least));
                    }
                }
                Err(refusal) => {
                    prop_assert!(!good);
                    prop_assert_eq!(refusal, Refusal::InvalidArguments);
                }
            }
        }
    }
}
