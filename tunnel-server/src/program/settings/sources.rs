//! Puts the settings of all sources together, so that each can be traced back to where it stands.

use std::{collections::BTreeMap, env, ffi::OsString, path::PathBuf};

use hybridge_relay::Config;
use serde::Deserialize;
use toml::{Table, Value};

use super::{
    Settings,
    error::{Origin, SettingsError},
    file,
    flags::{self, Flags},
    keys::Key,
    limits::LimitSettings,
};

/// A setting as one source gives it.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) key: &'static Key,
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// Where settings come from. Kept, so that the same sources can be read again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// The file that the command line or the environment names.
    pub(crate) file: Option<PathBuf>,
    /// Whether the command line lifts all limits.
    pub(crate) lift_limits: bool,
    pub(crate) flags: Flags,
}

/// Settings, and where each was set.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    pub(crate) limits_lifted: bool,
    origins: BTreeMap<&'static str, Origin>,
}

impl Sources {
    /// Reads all sources.
    ///
    /// # Errors
    /// Everything that is wrong in the first source that has something wrong.
    pub(crate) fn load(&self) -> Result<Loaded, Vec<SettingsError>> {
        self.load_with(|name| env::var_os(name))
    }

    /// [`load`](Self::load) with an environment of the caller's.
    pub(crate) fn load_with(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Loaded, Vec<SettingsError>> {
        let mut given = file::read(self.file.as_deref())?;
        given.extend(flags::from_environment(variable)?);
        given.extend(self.flags.given());
        let mut loaded = combine(given)?;
        if self.lift_limits {
            loaded.settings.limits = LimitSettings::from(&Config::without_limits());
            loaded.limits_lifted = true;
        }
        Ok(loaded)
    }
}

impl Loaded {
    /// Where a setting was set.
    pub(crate) fn origin(&self, key: &'static str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// An error in what a setting says, with the place where it says it.
    pub(crate) fn rule(&self, key: &'static str, what: impl Into<String>) -> SettingsError {
        SettingsError::Rule { origin: self.origin(key), key, what: what.into() }
    }
}

/// Settings as given, the later before the earlier.
fn combine(given: Vec<Given>) -> Result<Loaded, Vec<SettingsError>> {
    let errors: Vec<_> = given.iter().filter_map(|given| given.check().err()).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let (mut table, mut origins) = (Table::new(), BTreeMap::new());
    for Given { key, value, origin } in given {
        insert(&mut table, key, value);
        origins.insert(key.name, origin);
    }
    // Each value was checked by itself, and no two depend on each other here.
    let settings = Settings::deserialize(table)
        .map_err(|error| vec![SettingsError::Together { what: error.message().to_owned() }])?;
    Ok(Loaded { settings, limits_lifted: false, origins })
}

impl Given {
    /// Whether the value is of the right form.
    fn check(&self) -> Result<(), SettingsError> {
        let mut table = Table::new();
        insert(&mut table, self.key, self.value.clone());
        Settings::deserialize(table).map(|_| ()).map_err(|error| SettingsError::Value {
            origin: self.origin.clone(),
            key: self.key.name,
            what: error.message().lines().next().unwrap_or_default().to_owned(),
            hint: self.key.form.hint(),
        })
    }
}

fn insert(table: &mut Table, key: &Key, value: Value) {
    match key.parts() {
        ("", name) => _ = table.insert(name.to_owned(), value),
        (section, name) => {
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(name.to_owned(), value);
            }
        }
    }
}
