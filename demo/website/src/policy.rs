//! Which passkeys the people of a group may use.

mod file;

use std::{collections::BTreeMap, fmt, path::Path};

use serde::Deserialize;
use webauthn_rs::prelude::{AttestationCaList, Credential, ParsedAttestationData};

pub use self::file::PolicyError;
use crate::{error::SiteError, passkey::Stored};

/// The group of whoever chooses none.
pub(crate) const EVERYONE: &str = "everyone";

/// Where the private key of a passkey may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kinds {
    Any,
    Synced,
    DeviceBound,
}

/// Whether a device has to prove by a certificate who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Attestation {
    NotRequired,
    Required,
}

/// Whether a device has to check who holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verification {
    Preferred,
    Required,
}

/// What a group may use.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    kinds: Kinds,
    pub(crate) attestation: Attestation,
    /// Whose certificates count; without a list, anybody's.
    roots: Option<AttestationCaList>,
    pub(crate) verification: Verification,
    /// Whether its people may sign in with a password.
    pub(crate) password: bool,
}

/// What is wrong with a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// It may be copied to other devices.
    Synced,
    /// It may not be copied to other devices.
    DeviceBound,
    /// No certificate says who made its device.
    NoAttestation,
    /// The certificate is of somebody who is not trusted.
    UntrustedMaker,
    /// The device did not check who holds it.
    NotVerified,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Synced => "it is synced, so that copies of it may be on other devices",
            Self::DeviceBound => "it is bound to one device, and lost with it",
            Self::NoAttestation => "its device does not prove who made it",
            Self::UntrustedMaker => "its device is of a maker that this site does not trust",
            Self::NotVerified => "its device did not check that it is you, by fingerprint, face or PIN",
        })
    }
}

/// Whether somebody gets in. What is better comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WayIn {
    Closed,
    /// If the device checks its owner, which it has never done so far.
    IfVerified,
    Open,
}

impl Policy {
    /// Whether a passkey may be used. `verified` says whether the device has checked its owner this time.
    pub(crate) fn check(&self, passkey: &Stored, verified: bool) -> Result<(), Breach> {
        match self.kinds {
            Kinds::DeviceBound if passkey.credential.backup_eligible => return Err(Breach::Synced),
            Kinds::Synced if !passkey.credential.backup_eligible => return Err(Breach::DeviceBound),
            _ => {}
        }
        if self.attestation == Attestation::Required {
            if !is_certified(&passkey.credential) {
                return Err(Breach::NoAttestation);
            }
            if self.roots.is_some() && self.root(passkey).is_none() {
                return Err(Breach::UntrustedMaker);
            }
        }
        if self.verification == Verification::Required && !verified {
            return Err(Breach::NotVerified);
        }
        Ok(())
    }

    /// Whether a passkey gets somebody in, as far as is known before the device is asked.
    pub(crate) fn way_in(&self, passkey: &Stored) -> WayIn {
        match self.check(passkey, true) {
            Err(_) => WayIn::Closed,
            Ok(()) if self.check(passkey, passkey.verified).is_err() => WayIn::IfVerified,
            Ok(()) => WayIn::Open,
        }
    }

    /// Notes who vouches for a passkey. The certificate of a device expires before the passkey does: what it has shown
    /// once counts for as long as the root is on the list.
    pub(crate) fn note_root(&self, passkey: &mut Stored) {
        if let Some(root) = self.root(passkey) {
            passkey.root = Some(root);
        }
    }

    /// Which root vouches for a passkey: the one that is noted, or if that is not on the list, one that does so today.
    fn root(&self, passkey: &Stored) -> Option<Vec<u8>> {
        let roots = self.roots.as_ref()?;
        let listed = |root: &&Vec<u8>| roots.cas().keys().any(|listed| listed.as_slice() == root.as_slice());
        if let Some(noted) = passkey.root.as_ref().filter(listed) {
            return Some(noted.clone());
        }
        let root = passkey.credential.verify_attestation(roots).ok()??;
        root.get_kid().ok().map(|root| root.as_slice().to_vec())
    }

    /// The policy in words, a sentence each.
    pub(crate) fn words(&self) -> [&'static str; 4] {
        [
            match self.kinds {
                Kinds::Any => "Any passkey will do: synced, or bound to one device.",
                Kinds::Synced => "Only synced passkeys, which outlive the loss of a device.",
                Kinds::DeviceBound => "Only passkeys that are bound to one device.",
            },
            match (self.attestation, &self.roots) {
                (Attestation::NotRequired, _) => "The device need not prove who made it.",
                (Attestation::Required, None) => "The device must present a certificate of its maker.",
                (Attestation::Required, Some(_)) => {
                    "The device must present a certificate of a maker that this site trusts."
                }
            },
            match self.verification {
                Verification::Preferred => "The device checks that it is you, if it can.",
                Verification::Required => {
                    "The device must check that it is you, by fingerprint, face or PIN."
                }
            },
            if self.password { "A password will do as well." } else { "A password will not do." },
        ]
    }
}

/// Whether somebody else than the passkey itself vouches for it.
const fn is_certified(passkey: &Credential) -> bool {
    matches!(
        passkey.attestation.data,
        ParsedAttestationData::Basic(_) | ParsedAttestationData::AttCa(_) | ParsedAttestationData::AnonCa(_)
    )
}

/// The groups and their policies. There is always `everyone`.
#[derive(Debug, Clone)]
pub struct Policies {
    by_group: BTreeMap<String, Policy>,
}

impl Policies {
    /// Two groups: `everyone`, who may use what they like, and `staff`, whose passkeys are bound to a device, come with
    /// a certificate of any maker, and check their owner.
    pub fn built_in() -> Self {
        let everyone = Policy {
            kinds: Kinds::Any,
            attestation: Attestation::NotRequired,
            roots: None,
            verification: Verification::Preferred,
            password: true,
        };
        let staff = Policy {
            kinds: Kinds::DeviceBound,
            attestation: Attestation::Required,
            roots: None,
            verification: Verification::Required,
            password: false,
        };
        Self { by_group: [(EVERYONE.to_owned(), everyone), ("staff".to_owned(), staff)].into() }
    }

    /// Reads them from a TOML file of at most 64 KiB, with a table for each group.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        Ok(Self { by_group: file::read(path)? })
    }

    /// The names of the groups: `everyone` first, then by name.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        let others = self.by_group.keys().map(String::as_str).filter(|name| *name != EVERYONE);
        std::iter::once(EVERYONE).chain(others)
    }

    /// The policy of a group. A group that is gone from the file has none, and nobody of it gets in.
    pub(crate) fn of(&self, group: &str) -> Result<&Policy, SiteError> {
        self.by_group.get(group).ok_or(SiteError::Group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_words() {
        let policies = Policies::built_in();
        assert_eq!(policies.groups().collect::<Vec<_>>(), ["everyone", "staff"]);
        let everyone = policies.of(EVERYONE).unwrap().words();
        let staff = policies.of("staff").unwrap().words();
        assert!(everyone.iter().zip(&staff).all(|(one, other)| one != other));
        assert!(matches!(policies.of("nobody"), Err(SiteError::Group)));
    }
}
