//! A file of policies.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use thiserror::Error;
use webauthn_rs::prelude::AttestationCaList;

use super::{Attestation, EVERYONE, Kinds, Policy, Verification};

/// The largest file in bytes.
const MAX_FILE: u64 = 64 * 1024;
/// The most groups.
const MAX_GROUPS: usize = 16;
const PEM_END: &str = "-----END CERTIFICATE-----";

/// Why there are no policies to be had from a file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It cannot be read, or is larger than 64 KiB.
    #[error("{0} cannot be read; name a text file of at most 64 KiB")]
    Unreadable(PathBuf, #[source] io::Error),
    /// It is not TOML, or has other settings than those that there are.
    #[error("the policy is not understood: {0}")]
    Malformed(#[source] Box<toml::de::Error>),
    /// Whoever chooses no group has none.
    #[error("the policy has no group `everyone`; add a table [everyone]")]
    NoEveryone,
    /// The groups are too many, or one has a name that does not fit on a page.
    #[error("the policy has a group {0:?}; use at most 16 groups, with names of 1 to 32 of a-z, 0-9 and -")]
    Group(String),
    /// The certificates of makers are none.
    #[error("{0} has no certificates in PEM; name a file with at least one root certificate")]
    Roots(PathBuf),
    /// Certificates of makers are named, but asked of nobody.
    #[error(
        "group `{0}` has `attestation-roots` but does not require attestation; remove one or change the other"
    )]
    IdleRoots(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    passkeys: Kinds,
    attestation: Attestation,
    attestation_roots: Option<PathBuf>,
    user_verification: Verification,
    password: bool,
}

pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Policy>, PolicyError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let groups = parse(&text(path)?)?;
    groups.into_iter().map(|(name, table)| Ok((name.clone(), policy(name, table, folder)?))).collect()
}

fn text(path: &Path) -> Result<String, PolicyError> {
    let read = || {
        let mut text = String::new();
        File::open(path)?.take(MAX_FILE + 1).read_to_string(&mut text)?;
        let fits = u64::try_from(text.len()).is_ok_and(|length| length <= MAX_FILE);
        if fits { Ok(text) } else { Err(io::ErrorKind::FileTooLarge.into()) }
    };
    read().map_err(|error| PolicyError::Unreadable(path.to_owned(), error))
}

fn parse(text: &str) -> Result<BTreeMap<String, Table>, PolicyError> {
    let groups: BTreeMap<String, Table> =
        toml::from_str(text).map_err(|error| PolicyError::Malformed(Box::new(error)))?;
    if !groups.contains_key(EVERYONE) {
        return Err(PolicyError::NoEveryone);
    }
    let plain = |name: &&String| {
        (1..=32).contains(&name.len())
            && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
    };
    let odd = groups.keys().find(|name| !plain(name)).or_else(|| groups.keys().nth(MAX_GROUPS));
    match odd {
        Some(name) => Err(PolicyError::Group(name.clone())),
        None => Ok(groups),
    }
}

fn policy(group: String, table: Table, folder: &Path) -> Result<Policy, PolicyError> {
    if table.attestation_roots.is_some() && table.attestation == Attestation::NotRequired {
        return Err(PolicyError::IdleRoots(group));
    }
    let roots = match table.attestation_roots {
        // A relative path is one from the file that names it.
        Some(path) => Some(roots(&folder.join(path))?),
        None => None,
    };
    Ok(Policy {
        kinds: table.passkeys,
        attestation: table.attestation,
        roots,
        verification: table.user_verification,
        password: table.password,
    })
}

fn roots(path: &Path) -> Result<AttestationCaList, PolicyError> {
    certificates(&text(path)?).ok_or_else(|| PolicyError::Roots(path.to_owned()))
}

/// One or more certificates in PEM, with anything between them.
fn certificates(text: &str) -> Option<AttestationCaList> {
    let mut list = AttestationCaList::default();
    for piece in text.split_inclusive(PEM_END).filter(|piece| piece.ends_with(PEM_END)) {
        let begin = piece.find("-----BEGIN CERTIFICATE-----")?;
        list.union(&AttestationCaList::try_from(piece.get(begin..)?.as_bytes()).ok()?);
    }
    (!list.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "[everyone]\npasskeys = \"any\"\nattestation = \"not-required\"\n\
                        user-verification = \"preferred\"\npassword = true\n";

    fn written(text: &str) -> Result<BTreeMap<String, Policy>, PolicyError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::write(folder.path().join("empty.pem"), "no certificate").unwrap();
        read(&path)
    }

    #[test]
    fn a_file_has_a_table_for_each_group() {
        let staff = TEXT.replace("everyone", "staff").replace("any", "device-bound");
        let groups = written(&format!("{TEXT}{staff}")).unwrap();
        assert_eq!(groups["everyone"].kinds, Kinds::Any);
        assert_eq!(groups["staff"].kinds, Kinds::DeviceBound);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let with_roots = format!("{TEXT}attestation-roots = \"empty.pem\"\n");
        let required = with_roots.replace("not-required", "required");
        for (text, words) in [
            (String::new(), "add a table [everyone]"),
            (TEXT.replace("any", "some"), "passkeys"),
            (TEXT.replace("password = true\n", ""), "password"),
            (format!("{TEXT}extra = 1\n"), "extra"),
            (format!("{TEXT}{}", TEXT.replace("everyone", "\"the board\"")), "\"the board\""),
            (with_roots, "does not require"),
            (required, "no certificates"),
            ("x".repeat(70_000), "64 KiB"),
        ] {
            let error = written(&text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let many: String = (0..16).map(|n| TEXT.replace("everyone", &format!("g{n}"))).collect();
        assert!(matches!(written(&format!("{TEXT}{many}")), Err(PolicyError::Group(_))));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parsers(
            text in any::<String>(),
            line in prop_oneof!["passkeys = .{0,20}", "\\[.{0,20}\\]", "password = (true|1)"],
        ) {
            let _ = parse(&text);
            let _ = parse(&format!("{TEXT}{line}"));
            let _ = certificates(&format!("-----BEGIN CERTIFICATE-----\n{text}\n{PEM_END}"));
            prop_assert!(certificates(&text.replace(PEM_END, "")).is_none());
        }
    }
}
