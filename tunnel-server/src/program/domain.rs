//! `hybridge-relay domain`: tunnel service IDs and their host names.

use std::io::Write;

use hybridge_proto::domain::DomainId;

use super::{args::DomainArgs, error::Error};

/// Answers in lines of ID, host name and origin of the name, separated by tabs.
pub(crate) fn run(args: &DomainArgs, out: &mut impl Write) -> Result<(), Error> {
    let mut found = Vec::new();
    if let Some(number) = args.id {
        let id = DomainId::new(number);
        found.push((id, id.host().map_err(|_| Error::Unassigned(number))?));
    }
    if let Some(prefix) = &args.search {
        found.extend(search(prefix)?);
    }
    for (id, host) in found {
        let origin = if id.is_hashed() { "computed" } else { assigned(id) };
        writeln!(out, "{id}\t{host}\t{origin}").map_err(Error::Write)?;
    }
    Ok(())
}

fn search(prefix: &str) -> Result<Vec<(DomainId, String)>, Error> {
    let prefix = prefix.strip_prefix("cable.").unwrap_or(prefix);
    if !prefix.chars().all(|letter| matches!(letter, 'a'..='z' | 'A'..='Z' | '2'..='7')) {
        return Err(Error::NotInNames);
    }
    let found: Vec<_> = DomainId::search(prefix).filter(|(id, _)| id.is_hashed()).collect();
    if found.is_empty() { Err(Error::NothingFound) } else { Ok(found) }
}

const fn assigned(id: DomainId) -> &'static str {
    match id.get() {
        0 => "assigned to Google",
        _ => "assigned to Apple",
    }
}
