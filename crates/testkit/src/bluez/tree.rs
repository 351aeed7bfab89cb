//! Objects, interfaces and properties, and what signals a change of them takes.

use std::collections::BTreeMap;

use zbus::{ObjectPath, Variant};

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Bool(bool),
    Byte(u8),
    Int16(i16),
    Uint32(u32),
    Text(String),
    Path(String),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
    /// `a{sv}`.
    Dict(BTreeMap<String, Value>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The properties of an interface, by name.
pub(super) type Properties = BTreeMap<&'static str, Value>;

/// The interfaces of an object, by name.
pub(super) type Interfaces = BTreeMap<&'static str, Properties>;

/// Objects by path.
pub(super) type Tree = BTreeMap<String, Interfaces>;

/// Properties as they travel: `a{sv}`.
pub(super) type WireProperties<'a> = BTreeMap<&'a str, Variant<'a>>;

/// Interfaces as they travel: `a{sa{sv}}`.
pub(super) type WireInterfaces<'a> = BTreeMap<&'a str, WireProperties<'a>>;

/// Objects as they travel: `a{oa{sa{sv}}}`.
pub(super) type WireTree<'a> = BTreeMap<ObjectPath<'a>, WireInterfaces<'a>>;

impl Value {
    /// The value as it travels.
    pub(super) fn to_wire(&self) -> Variant<'_> {
        match self {
            Self::Bool(value) => Variant::from(*value),
            Self::Byte(value) => Variant::from(*value),
            Self::Int16(value) => Variant::from(*value),
            Self::Uint32(value) => Variant::from(*value),
            Self::Text(text) => Variant::from(text.as_str()),
            Self::Path(path) => Variant::from(ObjectPath::from_string_unchecked(path.clone())),
            Self::Bytes(bytes) => Variant::from(bytes.as_slice()),
            Self::Texts(texts) => Variant::from(texts.iter().map(String::as_str).collect::<Vec<_>>()),
            Self::Dict(dict) => {
                let entries = dict.iter().map(|(key, value)| (key.as_str(), value.to_wire()));
                Variant::from(entries.collect::<BTreeMap<_, _>>())
            }
        }
    }
}

pub(super) fn properties_to_wire(properties: &Properties) -> WireProperties<'_> {
    properties.iter().map(|(name, value)| (*name, value.to_wire())).collect()
}

pub(super) fn interfaces_to_wire(interfaces: &Interfaces) -> WireInterfaces<'_> {
    interfaces.iter().map(|(name, properties)| (*name, properties_to_wire(properties))).collect()
}

pub(super) fn tree_to_wire(tree: &Tree) -> WireTree<'_> {
    let mut objects = WireTree::new();
    for (path, interfaces) in tree {
        objects.insert(ObjectPath::from_str_unchecked(path), interfaces_to_wire(interfaces));
    }
    objects
}

/// A signal about the objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Added { path: String, interfaces: Interfaces },
    Removed { path: String, interfaces: Vec<&'static str> },
    Changed { path: String, interface: &'static str, changed: Properties, invalidated: Vec<&'static str> },
}

/// What tells somebody who knows the objects `before` how they are `after`. What goes comes first, children before
/// their parents; what comes follows, parents before their children.
pub(super) fn changes(before: &Tree, after: &Tree) -> Vec<Change> {
    let mut changes = Vec::new();
    for (path, interfaces) in before.iter().rev().filter(|(path, _)| !after.contains_key(*path)) {
        changes
            .push(Change::Removed { path: path.clone(), interfaces: interfaces.keys().copied().collect() });
    }
    for (path, interfaces) in after {
        match before.get(path) {
            None => changes.push(Change::Added { path: path.clone(), interfaces: interfaces.clone() }),
            Some(before) => changes_of_object(path, before, interfaces, &mut changes),
        }
    }
    changes
}

fn changes_of_object(path: &str, before: &Interfaces, after: &Interfaces, changes: &mut Vec<Change>) {
    for (&interface, properties) in after {
        // An object never gains or loses an interface while it exists.
        let Some(before) = before.get(interface).filter(|before| *before != properties) else { continue };
        let changed = properties.iter().filter(|(name, value)| before.get(*name) != Some(*value));
        let changed: Properties = changed.map(|(name, value)| (*name, value.clone())).collect();
        let invalidated = before.keys().filter(|name| !properties.contains_key(*name)).copied().collect();
        changes.push(Change::Changed { path: path.to_owned(), interface, changed, invalidated });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(objects: &[(&str, &[(&'static str, u8)])]) -> Tree {
        let object = |properties: &[(&'static str, u8)]| {
            let properties = properties.iter().map(|(name, value)| (*name, Value::Byte(*value))).collect();
            Interfaces::from([("i", properties)])
        };
        objects.iter().map(|(path, properties)| ((*path).to_owned(), object(properties))).collect()
    }

    #[test]
    fn objects_go_from_the_leaves_and_come_from_the_root() {
        let full = tree(&[("/a", &[]), ("/a/b", &[]), ("/a/b/c", &[])]);
        let paths = |changes: &[Change]| {
            let path = |change: &Change| match change {
                Change::Added { path, .. } | Change::Removed { path, .. } | Change::Changed { path, .. } => {
                    path.clone()
                }
            };
            changes.iter().map(path).collect::<Vec<_>>()
        };
        assert_eq!(paths(&changes(&full, &Tree::new())), ["/a/b/c", "/a/b", "/a"]);
        assert_eq!(paths(&changes(&Tree::new(), &full)), ["/a", "/a/b", "/a/b/c"]);
        assert_eq!(changes(&full, &full), []);
    }

    #[test]
    fn properties_change_come_and_go_in_one_signal() {
        let before = tree(&[("/a", &[("Same", 1), ("Other", 2), ("Gone", 3)])]);
        let after = tree(&[("/a", &[("Same", 1), ("Other", 4), ("New", 5)])]);
        let changed = Properties::from([("Other", Value::Byte(4)), ("New", Value::Byte(5))]);
        let expected =
            Change::Changed { path: "/a".into(), interface: "i", changed, invalidated: vec!["Gone"] };
        assert_eq!(changes(&before, &after), [expected]);
    }

    #[test]
    fn values_travel_with_the_signature_that_bluez_gives_them() {
        let dict = Value::Dict(BTreeMap::from([("uuid".to_owned(), Value::Bytes(vec![1]))]));
        for (value, signature) in [
            (Value::Bool(true), "b"),
            (Value::Byte(1), "y"),
            (Value::Int16(-1), "n"),
            (Value::Uint32(1), "u"),
            (Value::from("text"), "s"),
            (Value::Path("/a".into()), "o"),
            (Value::Bytes(Vec::new()), "ay"),
            (Value::Texts(Vec::new()), "as"),
            (dict, "a{sv}"),
        ] {
            assert_eq!(value.to_wire().value_signature().to_string(), signature);
        }
    }
}
