//! The configuration file: which one, and its settings one by one with the lines they stand on.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

use super::{
    error::{Origin, SettingsError},
    keys,
    sources::Given,
};

/// The file that is read if it is there and no other is named.
pub(crate) const DEFAULT_PATH: &str = "/etc/hybridge-relay/config.toml";

/// The settings of a file. `None` stands for the default file, which may be missing.
pub(crate) fn read(path: Option<&Path>) -> Result<Vec<Given>, Vec<SettingsError>> {
    let (path, required) = match path {
        Some(path) => (path, true),
        None => (Path::new(DEFAULT_PATH), false),
    };
    match fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) if !required && error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(vec![SettingsError::read(path, error)]),
    }
}

/// The settings that a file's text gives; everything that is wrong with them, if anything is.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Vec<Given>, Vec<SettingsError>> {
    let syntax = |error: toml::de::Error| {
        let line = line_of(text, error.span());
        vec![SettingsError::Syntax { path: path.to_owned(), line, what: error.message().to_owned() }]
    };
    let spans = DeTable::parse(text).map_err(syntax)?;
    let values: Table = toml::from_str(text).map_err(syntax)?;
    let mut reader = Reader { path, text, given: Vec::new(), errors: Vec::new() };
    for (name, value) in spans.get_ref() {
        reader.entry("", name, value, values.get(name.get_ref().as_ref()));
    }
    if reader.errors.is_empty() { Ok(reader.given) } else { Err(reader.errors) }
}

/// Collects the settings of a file.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    given: Vec<Given>,
    errors: Vec<SettingsError>,
}

impl Reader<'_> {
    /// One line of the file, or one section of it. `value` is the same as `spanned`, in owned form.
    fn entry(
        &mut self,
        section: &str,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        spanned: &Spanned<DeValue<'_>>,
        value: Option<&Value>,
    ) {
        let dotted = match section {
            "" => name.get_ref().to_string(),
            section => format!("{section}.{}", name.get_ref()),
        };
        let origin =
            Origin::File { path: PathBuf::from(self.path), line: line_of(self.text, Some(name.span())) };
        if let (Some(key), Some(value)) = (keys::find(&dotted), value) {
            self.given.push(Given { key, value: value.clone(), origin });
        } else if let (Some(entries), "") = (spanned.get_ref().as_table(), section)
            && keys::is_section(&dotted)
        {
            for (name, spanned) in entries {
                let value = value.and_then(|table| table.get(name.get_ref().as_ref()));
                self.entry(&dotted, name, spanned, value);
            }
        } else {
            self.errors.push(SettingsError::Unknown { origin, near: keys::nearest(&dotted), key: dotted });
        }
    }
}

/// The number of the line on which a part of a text starts.
fn line_of(text: &str, span: Option<Range<usize>>) -> usize {
    let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or(text);
    before.matches('\n').count().saturating_add(1)
}
