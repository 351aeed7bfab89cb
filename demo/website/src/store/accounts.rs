//! Accounts and their passkeys.

use rusqlite::{Connection, OptionalExtension, Row, params};
use webauthn_rs::prelude::{Credential, CredentialID, Uuid};

use super::{StoreError, assigned};
use crate::{
    error::SiteError,
    passkey::{Stored, now},
    password::Hash,
    policy::{Policy, WayIn},
};

/// The most accounts, and the most passkeys of one: nobody pays for this disk.
const MAX_ACCOUNTS: i64 = 10_000;
pub(crate) const MAX_PASSKEYS: usize = 20;

/// Somebody with passkeys, a password, or both.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) password: Option<Hash>,
    /// The oldest first.
    pub(crate) passkeys: Vec<Stored>,
}

impl Account {
    /// One that is not kept yet.
    pub(crate) fn new(id: Uuid, name: String, group: String, password: Option<Hash>) -> Self {
        Self { id, name, group, password, passkeys: Vec::new() }
    }

    pub(crate) fn credential_ids(&self) -> Vec<CredentialID> {
        self.passkeys.iter().map(|passkey| passkey.credential.cred_id.clone()).collect()
    }

    pub(crate) fn passkey(&self, id: &[u8]) -> Option<&Stored> {
        self.passkeys.iter().find(|passkey| passkey.credential.cred_id.as_slice() == id)
    }

    /// The best way to sign in under a policy, without one of the passkeys.
    pub(crate) fn way_in(&self, policy: &Policy, without: &[u8]) -> WayIn {
        if self.has_password(policy) {
            return WayIn::Open;
        }
        let others = self.passkeys.iter().filter(|passkey| passkey.credential.cred_id.as_slice() != without);
        others.map(|passkey| policy.way_in(passkey)).max().unwrap_or(WayIn::Closed)
    }

    pub(crate) const fn has_password(&self, policy: &Policy) -> bool {
        policy.password && self.password.is_some()
    }

    pub(crate) fn by_id(db: &Connection, id: Uuid) -> Result<Option<Self>, SiteError> {
        Self::load(db, "SELECT id, name, belongs, password FROM accounts WHERE id = ?1", id.as_bytes())
    }

    pub(crate) fn named(db: &Connection, name: &str) -> Result<Option<Self>, SiteError> {
        Self::load(db, "SELECT id, name, belongs, password FROM accounts WHERE name = ?1", name)
    }

    fn load(db: &Connection, query: &str, key: impl rusqlite::ToSql) -> Result<Option<Self>, SiteError> {
        let row = |row: &Row<'_>| {
            let password: Option<String> = row.get(3)?;
            let id = Uuid::from_bytes(row.get(0)?);
            Ok(Self::new(id, row.get(1)?, row.get(2)?, password.map(Hash::stored)))
        };
        let Some(mut account) = db.query_row(query, [key], row).optional()? else { return Ok(None) };
        let query = "SELECT name, credential, aaguid, transports, created, last_used, root, verified FROM passkeys \
                     WHERE account = ?1 ORDER BY created, rowid";
        let mut statement = db.prepare(query)?;
        let mut rows = statement.query([account.id.as_bytes()])?;
        while let Some(row) = rows.next()? {
            account.passkeys.push(stored(row)?);
        }
        Ok(Some(account))
    }

    /// Keeps a new account, without its passkeys. It has to be asked for again if the operator has put the name into
    /// another group since.
    pub(crate) fn insert(&self, db: &Connection) -> Result<(), SiteError> {
        let count: i64 = db.query_row("SELECT count(*) FROM accounts", (), |row| row.get(0))?;
        if count >= MAX_ACCOUNTS {
            return Err(SiteError::Full);
        }
        if assigned(db, &self.name)?.is_some_and(|group| group != self.group) {
            return Err(SiteError::NothingPending);
        }
        let password = self.password.as_ref().map(Hash::as_str);
        let row = params![self.id.as_bytes(), self.name, self.group, password, now()];
        let query = "INSERT INTO accounts (id, name, belongs, password, created) VALUES (?1, ?2, ?3, ?4, ?5)";
        // Somebody may have been quicker since the question was asked.
        db.execute(query, row)
            .map_err(|error| if is_taken(&error) { SiteError::NameTaken } else { error.into() })?;
        Ok(())
    }

    /// Gives the account one more passkey.
    pub(crate) fn add(&self, db: &Connection, passkey: &Stored) -> Result<(), SiteError> {
        if self.passkeys.len() >= MAX_PASSKEYS {
            return Err(SiteError::Full);
        }
        let id = passkey.credential.cred_id.as_slice();
        let credential = written(&passkey.credential)?;
        let query = "INSERT INTO passkeys (id, account, name, credential, aaguid, transports, created, root, verified) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let row = params![
            id,
            self.id.as_bytes(),
            passkey.name,
            credential,
            passkey.aaguid.as_bytes(),
            passkey.transports,
            passkey.created,
            passkey.root,
            passkey.verified
        ];
        let taken = |error| if is_taken(&error) { SiteError::AlreadyRegistered } else { error.into() };
        db.execute(query, row).map_err(taken)?;
        Ok(())
    }

    /// Notes that a passkey was used, and what was learnt of it.
    pub(crate) fn used(&self, db: &Connection, passkey: &Stored) -> Result<(), SiteError> {
        let query = "UPDATE passkeys SET credential = ?1, last_used = ?2, root = ?3, verified = ?4 \
                     WHERE id = ?5 AND account = ?6";
        let (id, credential) = (passkey.credential.cred_id.as_slice(), written(&passkey.credential)?);
        let row = params![credential, now(), passkey.root, passkey.verified, id, self.id.as_bytes()];
        found(db.execute(query, row)?)
    }

    pub(crate) fn rename(&self, db: &Connection, id: &[u8], name: &str) -> Result<(), SiteError> {
        let query = "UPDATE passkeys SET name = ?1 WHERE id = ?2 AND account = ?3";
        found(db.execute(query, params![name, id, self.id.as_bytes()])?)
    }

    pub(crate) fn delete(&self, db: &Connection, id: &[u8]) -> Result<(), SiteError> {
        let query = "DELETE FROM passkeys WHERE id = ?1 AND account = ?2";
        found(db.execute(query, params![id, self.id.as_bytes()])?)
    }

    pub(crate) fn set_password(&self, db: &Connection, password: &Hash) -> Result<(), SiteError> {
        let query = "UPDATE accounts SET password = ?1 WHERE id = ?2";
        found(db.execute(query, params![password.as_str(), self.id.as_bytes()])?)
    }
}

fn stored(row: &Row<'_>) -> Result<Stored, SiteError> {
    let credential: String = row.get(1)?;
    // Only a damaged file has anything else there.
    let credential: Credential =
        serde_json::from_str(&credential).map_err(|_| StoreError::Damaged("".into()))?;
    let verified: bool = row.get(7)?;
    Ok(Stored {
        // In databases of the first version, the credential alone says it.
        verified: verified || credential.user_verified,
        root: row.get(6)?,
        name: row.get(0)?,
        credential,
        aaguid: Uuid::from_bytes(row.get(2)?),
        transports: row.get(3)?,
        created: row.get(4)?,
        last_used: row.get(5)?,
    })
}

fn written(credential: &Credential) -> Result<String, SiteError> {
    serde_json::to_string(credential).map_err(|_| SiteError::Broken)
}

/// Whether a change has found its passkey. It may have been deleted meanwhile.
const fn found(rows: usize) -> Result<(), SiteError> {
    if rows == 0 { Err(SiteError::UnknownPasskey) } else { Ok(()) }
}

fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}
