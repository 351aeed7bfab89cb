//! Who belongs to which group by the operator's word.

use rusqlite::{OptionalExtension, params};

use super::{Connection, Store};
use crate::{error::SiteError, names::user_name};

impl Store {
    /// Puts a user into a group, whether there is an account of this name yet or not. It counts from the next sign-in.
    ///
    /// # Errors
    /// [`SiteError`] for a name that no account can have, and those of the database.
    pub fn set_group(&self, name: &str, group: &str) -> Result<(), SiteError> {
        let name = user_name(name)?;
        self.write(|db| {
            db.execute("INSERT OR REPLACE INTO memberships (name, belongs) VALUES (?1, ?2)", [name, group])?;
            db.execute("UPDATE accounts SET belongs = ?2 WHERE name = ?1", params![name, group])?;
            Ok(())
        })
    }

    /// Users and their groups, by name.
    ///
    /// # Errors
    /// [`SiteError`] of the database.
    pub fn groups(&self) -> Result<Vec<(String, String)>, SiteError> {
        self.write(|db| {
            let query =
                "SELECT name, belongs FROM accounts UNION SELECT name, belongs FROM memberships ORDER BY 1";
            let mut statement = db.prepare(query)?;
            let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// The group that the operator has put a user into.
pub(crate) fn assigned(db: &Connection, name: &str) -> Result<Option<String>, SiteError> {
    let query = "SELECT belongs FROM memberships WHERE name = ?1";
    Ok(db.query_row(query, [name], |row| row.get(0)).optional()?)
}
