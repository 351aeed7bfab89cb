//! The tables, and how older ones become newer ones.

use std::path::PathBuf;

use rusqlite::{Connection, TransactionBehavior, config::DbConfig};

use super::StoreError;

/// What marks a file as this program's ("hybr").
const APPLICATION: i64 = 0x6879_6272;

/// What leads from each version to the next. A version that was published is never changed.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE accounts (
        id BLOB PRIMARY KEY NOT NULL,
        name TEXT UNIQUE NOT NULL,
        belongs TEXT NOT NULL,
        password TEXT,
        created INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE passkeys (
        id BLOB PRIMARY KEY NOT NULL,
        account BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        credential TEXT NOT NULL,
        aaguid BLOB NOT NULL,
        transports TEXT NOT NULL,
        created INTEGER NOT NULL,
        last_used INTEGER
    ) STRICT;
    CREATE INDEX passkeys_by_account ON passkeys (account);
    CREATE TABLE memberships (
        name TEXT PRIMARY KEY NOT NULL,
        belongs TEXT NOT NULL
    ) STRICT;
",
    "
    ALTER TABLE passkeys ADD COLUMN root BLOB;
    ALTER TABLE passkeys ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;
",
];

/// Brings a database up to date, and sets what SQLite forgets. Nothing is written before it is known to be whole and this
/// program's.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), StoreError> {
    // A crash leaves a journal beside the file, which SQLite would move into one that is refused too.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // In one transaction: another program may be making the tables.
    let transaction = connection.transaction()?;
    missing(&transaction, &STEPS)?;
    let found: String = transaction.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    drop(transaction);
    if found != "ok" {
        return Err(StoreError::Damaged(PathBuf::new()));
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    migrate(connection, &STEPS)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Readers of another program do not wait for writers. A database in memory has no such journal.
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    Ok(())
}

/// The steps that a database has not taken yet.
fn missing<'a>(connection: &Connection, steps: &'a [&'a str]) -> Result<&'a [&'a str], StoreError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, found) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if application != APPLICATION && (application != 0 || found != 0 || tables != 0) {
        return Err(StoreError::Foreign(PathBuf::new()));
    }
    let newer = || StoreError::Newer { path: PathBuf::new(), found, known: version(steps) };
    let done = usize::try_from(found).map_err(|_| newer())?;
    steps.get(done..).ok_or_else(newer)
}

fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), StoreError> {
    // Two programs that start at the same time take their turns.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let missing = missing(&transaction, steps)?;
    if missing.is_empty() {
        return Ok(());
    }
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", version(steps))?;
    Ok(transaction.commit()?)
}

fn version(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_of(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_older_database_keeps_what_it_has() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &STEPS).unwrap();
        connection.execute("INSERT INTO memberships VALUES ('ada', 'staff')", ()).unwrap();
        let next = "ALTER TABLE memberships ADD COLUMN since INTEGER NOT NULL DEFAULT 7";
        migrate(&mut connection, &[STEPS[0], STEPS[1], next]).unwrap();
        assert_eq!(version_of(&connection), 3);
        let row = connection.query_row("SELECT name, since FROM memberships", (), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        });
        assert_eq!(row.unwrap(), ("ada".to_owned(), 7));
        let refused = migrate(&mut connection, &STEPS);
        assert!(matches!(refused, Err(StoreError::Newer { found: 3, known: 2, .. })), "{refused:?}");
    }

    #[test]
    fn passkeys_of_the_first_version_have_no_root_and_no_check_noted() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &STEPS[..1]).unwrap();
        let rows = "INSERT INTO accounts VALUES (x'01', 'ada', 'staff', NULL, 1);
                    INSERT INTO passkeys VALUES (x'02', x'01', 'a key', '{}', x'03', 'usb', 4, NULL);";
        connection.execute_batch(rows).unwrap();
        migrate(&mut connection, &STEPS).unwrap();
        let row = connection.query_row("SELECT name, root, verified FROM passkeys", (), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<Vec<u8>>>(1)?, row.get::<_, bool>(2)?))
        });
        assert_eq!(row.unwrap(), ("a key".to_owned(), None, false));
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &STEPS).unwrap();
        let bad = "CREATE TABLE more (a INTEGER); CREATE TABLE memberships (a INTEGER);";
        assert!(matches!(migrate(&mut connection, &[STEPS[0], STEPS[1], bad]), Err(StoreError::Other(_))));
        assert_eq!(version_of(&connection), 2);
        assert!(connection.prepare("SELECT a FROM more").is_err());
    }

    #[test]
    fn other_programs_databases_are_left_alone() {
        for made in
            ["CREATE TABLE theirs (a INTEGER)", "PRAGMA application_id = 7", "PRAGMA user_version = 3"]
        {
            let mut connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(made).unwrap();
            assert!(matches!(migrate(&mut connection, &STEPS), Err(StoreError::Foreign(_))), "{made}");
            assert!(connection.prepare("SELECT * FROM accounts").is_err());
        }
    }
}
