//! The settings as commented TOML.

use std::fmt::Write;

use toml::{Table, Value};

use super::{
    Settings,
    keys::{KEYS, Key},
};

/// The longest comment line.
const WIDTH: usize = 100;

/// All settings, each below its explanation, in a form that can be read back. What is not set stands as a comment.
pub(crate) fn commented(settings: &Settings) -> String {
    let (table, defaults) = (table(settings), table(&Settings::default()));
    let mut out = String::new();
    let mut section = "";
    for key in KEYS {
        if key.parts().0 != section {
            section = key.parts().0;
            let _ = write!(out, "\n[{section}]\n");
        }
        let _ = writeln!(out);
        for line in wrapped(key.help, WIDTH) {
            let _ = writeln!(out, "# {line}");
        }
        if let Some(default) = value(&defaults, key) {
            let _ = writeln!(out, "# Default: {default}");
        }
        match value(&table, key) {
            Some(value) => _ = writeln!(out, "{} = {value}", key.parts().1),
            None => _ = writeln!(out, "# {} = {}", key.parts().1, key.form.example()),
        }
    }
    out.trim_start().to_owned()
}

/// The settings as a TOML table, without those that are not set.
pub(super) fn table(settings: &Settings) -> Table {
    // A struct of texts, numbers and lists always becomes a table.
    Table::try_from(settings).unwrap_or_default()
}

/// What a key has in a table of settings.
pub(super) fn value<'a>(table: &'a Table, key: &Key) -> Option<&'a Value> {
    match key.parts() {
        ("", name) => table.get(name),
        (section, name) => table.get(section)?.get(name),
    }
}

/// A text in lines of at most `width` characters, where its words allow it.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len().saturating_add(word.len()) < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
