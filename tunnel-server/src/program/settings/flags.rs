//! Flags and environment variables, one of each for every setting.

use std::{collections::BTreeMap, env, ffi::OsString};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use toml::Value;

use super::{
    Settings,
    error::{Origin, SettingsError},
    keys::{self, Form, KEYS, Key, VARIABLE_PREFIX},
    print,
    sources::Given,
};

/// The variable that names the configuration file.
const FILE_VARIABLE: &str = "HYBRIDGE_RELAY_CONFIG";

/// The settings that the command line gives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags(BTreeMap<&'static str, Vec<String>>);

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |key: &'static Key| {
            let values = matches.get_many::<String>(key.name)?;
            Some((key.name, values.cloned().collect()))
        };
        Ok(Self(KEYS.iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let defaults = print::table(&Settings::default());
        KEYS.iter().fold(command, |command, key| command.arg(flag(key, print::value(&defaults, key))))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(key: &'static Key, default: Option<&Value>) -> Arg {
    let (section, _) = key.parts();
    let default = default.map(shown).filter(|text| !text.is_empty());
    let default = default.map(|text| format!(" [default: {text}]")).unwrap_or_default();
    let flag = Arg::new(key.name)
        .long(key.flag())
        .value_name(key.form.value_name())
        .help(format!("{}{default}", key.help.trim_end_matches('.')))
        .action(if key.form.is_list() { ArgAction::Append } else { ArgAction::Set });
    match section {
        "" => flag,
        section => flag.help_heading(format!("Settings of [{section}]")).hide_short_help(true),
    }
}

/// A value as a flag takes it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

impl Flags {
    pub(crate) fn given(&self) -> Vec<Given> {
        let given = |key: &'static Key| {
            let values = self.0.get(key.name)?;
            Some(Given { key, value: value_of(key, &values.join(",")), origin: Origin::Flag(key.flag()) })
        };
        KEYS.iter().filter_map(given).collect()
    }
}

/// The settings that environment variables give. An empty variable counts as absent, for the sake of files in which
/// all variables stand.
pub(crate) fn from_environment(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<Given>, Vec<SettingsError>> {
    let (mut given, mut errors) = (Vec::new(), Vec::new());
    for key in KEYS {
        let name = key.variable();
        let Some(value) = variable(&name).filter(|value| !value.is_empty()) else { continue };
        let origin = Origin::Variable(name);
        match value.into_string() {
            Ok(text) => given.push(Given { key, value: value_of(key, &text), origin }),
            Err(_) => errors.push(SettingsError::Value {
                origin,
                key: key.name,
                what: "this is not UTF-8".to_owned(),
                hint: key.form.hint(),
            }),
        }
    }
    if errors.is_empty() { Ok(given) } else { Err(errors) }
}

/// Environment variables that look like settings and are none, with the one that may be meant. Only a warning:
/// container platforms put variables of their own under the name of the service.
pub(crate) fn unknown_variables() -> Vec<(String, Option<String>)> {
    let known = |name: &str| name == FILE_VARIABLE || KEYS.iter().any(|key| key.variable() == name);
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let unknown = names.filter(|name| name.starts_with(VARIABLE_PREFIX) && !known(name));
    unknown
        .map(|name| {
            let guess = name.trim_start_matches(VARIABLE_PREFIX).to_ascii_lowercase();
            let near = keys::nearest(&guess).and_then(keys::find).map(Key::variable);
            (name, near)
        })
        .collect()
}

/// A text as the value of a setting. Lists are separated by commas.
fn value_of(key: &Key, text: &str) -> Value {
    if key.form.is_list() {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        return Value::Array(items.map(|item| Value::String(item.to_owned())).collect());
    }
    let text = text.trim();
    let typed = match key.form {
        Form::Node => text.parse().ok().map(Value::Integer),
        Form::YesNo => text.parse().ok().map(Value::Boolean),
        _ => None,
    };
    typed.unwrap_or_else(|| Value::String(text.to_owned()))
}
