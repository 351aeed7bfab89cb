//! What BlueZ says about its adapters, for programs that tell people what is wrong.

use dbus::arg::{PropMap, RefArg, prop_cast};
use thiserror::Error;

use crate::RadioError;
use crate::system_bus::{AdapterState, Bus, Objects, in_order};

const ADAPTER: &str = "org.bluez.Adapter1";
const ADVERTISING: &str = "org.bluez.LEAdvertisingManager1";

/// What BlueZ says about an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdapterReport {
    /// Its name on this system, as `hci0`.
    pub name: String,
    /// Whether it is switched on.
    pub powered: bool,
    /// Whether it can listen for adverts. `None` where BlueZ does not say, as old ones do not.
    pub central: Option<bool>,
    /// How many more adverts it can send at the same time. `None` where it can send none, or is off.
    pub free_adverts: Option<u8>,
}

/// Why BlueZ says nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The system bus cannot be used.
    #[error("there is no connection to the system bus: start the service dbus, then try again")]
    Bus(#[source] RadioError),
    /// The bus is there, and BlueZ does not answer on it.
    #[error("BlueZ does not answer: start the service bluetooth, then try again")]
    Bluez(#[source] RadioError),
}

/// Asks BlueZ for its adapters, in the order of their names. Starts BlueZ if the bus knows how, and changes nothing else.
/// Takes 10 seconds at most.
///
/// # Errors
/// [`InspectError`], with [`RadioError::PermissionDenied`] in it where this program may not ask, and
/// [`RadioError::ServiceGone`] where nobody is there to be asked.
///
/// # Cancel safety
/// Dropping the future leaves nothing running.
pub async fn inspect() -> Result<Vec<AdapterReport>, InspectError> {
    let bus = Bus::connect().await.map_err(InspectError::Bus)?;
    let objects = bus.objects().await.map_err(InspectError::Bluez)?;
    Ok(reports(&objects))
}

fn reports(objects: &Objects) -> Vec<AdapterReport> {
    let states =
        objects.iter().filter_map(|(path, interfaces)| AdapterState::read(path, interfaces.get(ADAPTER)?));
    let report = |state: AdapterState| {
        let path = format!("/org/bluez/{}", state.name);
        let interfaces = objects.iter().find(|(known, _)| ***known == *path).map(|(_, all)| all);
        let properties = |name| interfaces.and_then(|all| all.get(name));
        AdapterReport {
            central: properties(ADAPTER).and_then(central),
            free_adverts: properties(ADVERTISING)
                .and_then(|manager| prop_cast::<u8>(manager, "SupportedInstances").copied()),
            powered: state.powered,
            name: state.name,
        }
    };
    in_order(states.collect()).into_iter().map(report).collect()
}

/// Whether the adapter's roles have that of the one who listens.
fn central(properties: &PropMap) -> Option<bool> {
    let mut roles = properties.get("Roles")?.0.as_iter()?;
    Some(roles.any(names_central))
}

fn names_central(role: &dyn RefArg) -> bool {
    role.as_str().is_some_and(|role| role.starts_with("central"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use dbus::Path;
    use dbus::arg::Variant;

    use super::*;

    fn boxed(value: impl RefArg + 'static) -> Variant<Box<dyn RefArg>> {
        Variant(Box::new(value))
    }

    fn object(
        path: &str,
        adapter: PropMap,
        advertising: Option<PropMap>,
    ) -> (Path<'static>, HashMap<String, PropMap>) {
        let mut interfaces = HashMap::from([(ADAPTER.to_owned(), adapter)]);
        interfaces.extend(advertising.map(|manager| (ADVERTISING.to_owned(), manager)));
        (Path::from(path.to_owned()), interfaces)
    }

    fn adapter(powered: bool, roles: Option<&[&str]>) -> PropMap {
        let mut properties = PropMap::from([("Powered".to_owned(), boxed(powered))]);
        let words = roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect::<Vec<_>>());
        properties.extend(words.map(|words| ("Roles".to_owned(), boxed(words))));
        properties
    }

    fn advertising(free: u8) -> PropMap {
        PropMap::from([("SupportedInstances".to_owned(), boxed(free))])
    }

    fn report(name: &str, powered: bool, central: Option<bool>, free_adverts: Option<u8>) -> AdapterReport {
        AdapterReport { name: name.to_owned(), powered, central, free_adverts }
    }

    #[test]
    fn adapters_are_read_in_order() {
        let objects = Objects::from([
            object("/org/bluez/hci10", adapter(false, None), None),
            object("/org/bluez/hci1", adapter(true, Some(&["peripheral"])), Some(advertising(0))),
            object("/org/bluez/hci0", adapter(true, Some(&["central", "peripheral"])), Some(advertising(5))),
            (Path::from("/org/bluez/hci0/dev_00".to_owned()), HashMap::new()),
        ]);
        let expected = [
            report("hci0", true, Some(true), Some(5)),
            report("hci1", true, Some(false), Some(0)),
            report("hci10", false, None, None),
        ];
        assert_eq!(reports(&objects), expected);
    }

    #[test]
    fn both_roles_at_once_count_too() {
        assert_eq!(central(&adapter(true, Some(&["central-peripheral"]))), Some(true));
        assert_eq!(central(&adapter(true, Some(&[]))), Some(false));
        let no_list = PropMap::from([("Roles".to_owned(), boxed(7_u32))]);
        assert_eq!(central(&no_list), None);
    }

    #[test]
    fn values_of_another_type_are_no_values() {
        let odd = PropMap::from([("SupportedInstances".to_owned(), boxed(true))]);
        let objects = Objects::from([object("/org/bluez/hci0", adapter(true, None), Some(odd))]);
        assert_eq!(reports(&objects), [report("hci0", true, None, None)]);
    }
}
