//! `hybridge domain`: tunnel service IDs and host names.

use std::io::Write;

use hybridge_proto::domain::DomainId;

use crate::{args::DomainArgs, error::Error};

/// Answers in lines of ID, host name and origin of the name, separated by tabs.
pub(crate) fn run(args: DomainArgs, out: &mut impl Write) -> Result<(), Error> {
    let found = match (args.search, args.name) {
        (Some(prefix), _) => search(&prefix)?,
        (None, Some(name)) => vec![look_up(&name)?],
        (None, None) => Vec::new(),
    };
    for (id, host) in found {
        writeln!(out, "{id}\t{host}\t{}", origin(id)).map_err(Error::Write)?;
    }
    Ok(())
}

/// The ID and the host name of either.
pub(crate) fn look_up(name: &str) -> Result<(DomainId, String), Error> {
    let id = match number(name) {
        Some(id) => id?,
        None => DomainId::from_host(name).ok_or(Error::NotATunnelService)?,
    };
    Ok((id, id.host().map_err(Error::Unassigned)?))
}

/// The ID that a name spells in digits; `None` when it is no number at all.
fn number(name: &str) -> Option<Result<DomainId, Error>> {
    let (digits, radix) = match name.strip_prefix("0x").or_else(|| name.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (name, 10),
    };
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    is_number.then(|| u16::from_str_radix(digits, radix).map(DomainId::new).map_err(|_| Error::IdRange))
}

fn search(prefix: &str) -> Result<Vec<(DomainId, String)>, Error> {
    let prefix = prefix.strip_prefix("cable.").unwrap_or(prefix);
    if !prefix.chars().all(|letter| matches!(letter, 'a'..='z' | 'A'..='Z' | '2'..='7')) {
        return Err(Error::NotInNames);
    }
    let found: Vec<_> = DomainId::search(prefix).filter(|(id, _)| id.is_hashed()).collect();
    if found.is_empty() { Err(Error::NothingFound) } else { Ok(found) }
}

fn origin(id: DomainId) -> &'static str {
    match id {
        DomainId::GOOGLE => "assigned to Google",
        DomainId::APPLE => "assigned to Apple",
        _ => "computed",
    }
}
