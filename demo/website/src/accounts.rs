//! Accounts and their passkeys, in memory.

use std::collections::HashMap;

use webauthn_rs::prelude::{CredentialID, Passkey, Uuid};

use crate::error::SiteError;

/// The most accounts, and the most passkeys of one: nobody pays for this memory.
const MAX_ACCOUNTS: usize = 10_000;
const MAX_PASSKEYS: usize = 20;
/// The longest user name in characters.
const MAX_NAME: usize = 64;

/// Somebody with passkeys.
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) passkeys: Vec<Passkey>,
}

impl Account {
    pub(crate) fn credential_ids(&self) -> Vec<CredentialID> {
        self.passkeys.iter().map(|passkey| passkey.cred_id().clone()).collect()
    }

    pub(crate) fn passkey_mut(&mut self, id: &[u8]) -> Option<&mut Passkey> {
        self.passkeys.iter_mut().find(|passkey| passkey.cred_id().as_slice() == id)
    }
}

/// Everybody.
#[derive(Default)]
pub(crate) struct Accounts {
    by_id: HashMap<Uuid, Account>,
}

impl Accounts {
    pub(crate) fn get(&self, user: Uuid) -> Option<&Account> {
        self.by_id.get(&user)
    }

    pub(crate) fn get_mut(&mut self, user: Uuid) -> Option<&mut Account> {
        self.by_id.get_mut(&user)
    }

    pub(crate) fn named(&self, name: &str) -> Option<(Uuid, &Account)> {
        self.by_id.iter().find(|(_, account)| account.name == name).map(|(user, account)| (*user, account))
    }

    /// Gives a user a passkey. An account comes to be with its first one.
    pub(crate) fn add(&mut self, user: Uuid, name: String, passkey: Passkey) -> Result<(), SiteError> {
        if self.by_id.values().any(|account| account.passkeys.contains(&passkey)) {
            return Err(SiteError::AlreadyRegistered);
        }
        // Somebody may have been quicker since the question was asked.
        if self.named(&name).is_some_and(|(other, _)| other != user) {
            return Err(SiteError::NameTaken);
        }
        if !self.by_id.contains_key(&user) && self.by_id.len() >= MAX_ACCOUNTS {
            return Err(SiteError::Full);
        }
        let account = self.by_id.entry(user).or_insert(Account { name, passkeys: Vec::new() });
        if account.passkeys.len() >= MAX_PASSKEYS {
            return Err(SiteError::Full);
        }
        account.passkeys.push(passkey);
        Ok(())
    }
}

/// A user name as it is kept: without spaces around it.
pub(crate) fn checked_name(name: &str) -> Result<&str, SiteError> {
    let name = name.trim();
    let length = name.chars().count();
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    if length == 0 || length > MAX_NAME || name.chars().any(unseen) { Err(SiteError::Name) } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_visible() {
        assert_eq!(checked_name(" ada ").unwrap(), "ada");
        assert_eq!(checked_name(&"é".repeat(64)).unwrap().chars().count(), 64);
        for name in ["", "  ", "a\nb", "a\u{202e}b", &"é".repeat(65)] {
            assert!(matches!(checked_name(name), Err(SiteError::Name)), "{name:?}");
        }
    }
}
