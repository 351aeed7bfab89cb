//! Choosing among the adapters that BlueZ lists.

use dbus::arg::{PropMap, prop_cast};

use crate::RadioError;

/// Where BlueZ keeps its adapters.
pub(super) const FOLDER: &str = "/org/bluez/";

/// An adapter as BlueZ lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdapterState {
    /// Its name on this system, as `hci0`.
    pub(crate) name: String,
    /// Whether it is switched on.
    pub(crate) powered: bool,
}

impl AdapterState {
    /// Reads the properties of an adapter's object.
    pub(crate) fn read(path: &str, properties: &PropMap) -> Option<Self> {
        let name = path.strip_prefix(FOLDER)?.to_owned();
        let powered = prop_cast::<bool>(properties, "Powered").copied().unwrap_or(false);
        Some(Self { name, powered })
    }
}

/// By name, `hci2` before `hci10`: BlueZ lists them in no order.
pub(crate) fn in_order(mut adapters: Vec<AdapterState>) -> Vec<AdapterState> {
    adapters.sort_by(|a, b| (a.name.len(), &a.name).cmp(&(b.name.len(), &b.name)));
    adapters
}

/// The adapter of a name, which has to be on, or the first that is on.
pub(super) fn choose(adapters: Vec<AdapterState>, name: Option<&str>) -> Result<AdapterState, RadioError> {
    if adapters.is_empty() && name.is_none() {
        return Err(RadioError::NoAdapter);
    }
    let wanted = |adapter: &&AdapterState| name.is_none_or(|name| adapter.name == name);
    let mut matching = adapters.iter().filter(wanted).peekable();
    if let (None, Some(name)) = (matching.peek(), name) {
        let present = adapters.into_iter().map(|adapter| adapter.name).collect();
        return Err(RadioError::AdapterNotFound { name: name.to_owned(), present });
    }
    matching.find(|adapter| adapter.powered).cloned().ok_or(RadioError::PoweredOff)
}

#[cfg(test)]
mod tests {
    use dbus::arg::Variant;

    use super::*;

    fn adapter(name: &str, powered: bool) -> AdapterState {
        AdapterState { name: name.to_owned(), powered }
    }

    #[test]
    fn an_adapter_is_read_from_its_object() {
        let properties = |powered| PropMap::from([("Powered".to_owned(), Variant(powered))]);
        let read = |path, powered| AdapterState::read(path, &properties(powered));
        assert_eq!(read("/org/bluez/hci3", Box::new(true)), Some(adapter("hci3", true)));
        assert_eq!(read("/org/bluez/hci3", Box::new(false)), Some(adapter("hci3", false)));
        assert_eq!(read("/org/bluez/hci3", Box::new("yes".to_owned())), Some(adapter("hci3", false)));
        assert_eq!(read("/elsewhere/hci3", Box::new(true)), None);
    }

    #[test]
    fn adapters_are_in_the_order_of_their_numbers() {
        let adapters = in_order(["hci10", "hci2", "hci0"].map(|name| adapter(name, true)).into());
        let names: Vec<_> = adapters.iter().map(|adapter| adapter.name.as_str()).collect();
        assert_eq!(names, ["hci0", "hci2", "hci10"]);
    }

    #[test]
    fn the_first_that_is_on_is_chosen() {
        let two = || vec![adapter("hci0", false), adapter("hci1", true), adapter("hci2", true)];
        assert_eq!(choose(two(), None).expect("one is on"), adapter("hci1", true));
        assert_eq!(choose(two(), Some("hci2")).expect("it is on"), adapter("hci2", true));
        assert!(matches!(choose(two(), Some("hci0")), Err(RadioError::PoweredOff)));
        assert!(matches!(choose(vec![adapter("hci0", false)], None), Err(RadioError::PoweredOff)));
    }

    #[test]
    fn a_missing_adapter_is_not_replaced() {
        assert!(matches!(choose(Vec::new(), None), Err(RadioError::NoAdapter)));
        let error = choose(vec![adapter("hci0", true)], Some("hci7")).expect_err("it is not there");
        let RadioError::AdapterNotFound { name, present } = error else { panic!("{error}") };
        assert_eq!((name.as_str(), present), ("hci7", vec!["hci0".to_owned()]));
        let error = choose(Vec::new(), Some("hci7")).expect_err("it is not there");
        assert!(matches!(error, RadioError::AdapterNotFound { present, .. } if present.is_empty()));
    }
}
