//! The record of a run: who did what when, with kinds and lengths, and never a payload.

use core::{fmt, time::Duration};
use std::{collections::hash_map::DefaultHasher, hash::Hasher};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Who {
    Laptop,
    Phone(usize),
    /// The air, the tunnel service, or a fault in either.
    World,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    at: Duration,
    who: Who,
    what: &'static str,
    /// Bytes.
    length: Option<usize>,
    /// A hash of the message, so that equal traces mean equal bytes.
    digest: u64,
    detail: String,
}

/// All entries, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Trace {
    entries: Vec<Entry>,
    pub(crate) now: Duration,
}

impl Trace {
    pub(crate) fn note(&mut self, who: Who, what: &'static str) {
        self.detail(who, what, String::new());
    }

    pub(crate) fn detail(&mut self, who: Who, what: &'static str, detail: String) {
        self.entries.push(Entry { at: self.now, who, what, length: None, digest: 0, detail });
    }

    pub(crate) fn message(&mut self, who: Who, what: &'static str, bytes: &[u8]) {
        let mut hasher = DefaultHasher::new();
        // Oversized messages are not hashed whole, for speed.
        hasher.write(&bytes[..bytes.len().min(4096)]);
        let (length, digest) = (Some(bytes.len()), hasher.finish());
        self.entries.push(Entry { at: self.now, who, what, length, digest, detail: String::new() });
    }

    /// When something was said or done, however it is put.
    pub(crate) fn find(&self, text: &str) -> Option<Duration> {
        self.entries.iter().find(|entry| entry.to_string().contains(text)).map(|entry| entry.at)
    }

    /// Whether an entry with this text exists.
    pub(crate) fn has(&self, who: Who, what: &str) -> bool {
        self.entries.iter().any(|entry| entry.who == who && entry.what == what)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = format!("{:?}", self.who);
        write!(f, "{:>9.3} s  {who:<9} {}", self.at.as_secs_f64(), self.what)?;
        if let Some(length) = self.length {
            write!(f, ", {length} bytes")?;
        }
        if self.detail.is_empty() { Ok(()) } else { write!(f, " {}", self.detail) }
    }
}
