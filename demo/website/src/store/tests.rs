use std::{path::Path, thread};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn it_is_for_its_owners_eyes_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/accounts.sqlite");
    let store = Store::open(&path).unwrap();
    store.set_group("ada", "staff").unwrap();
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!((mode(&path), mode(&path.with_extension("sqlite-wal"))), (0o600, 0o600));
    drop(store);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(store.groups().unwrap(), [("ada".to_owned(), "staff".to_owned())]);
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.sqlite");
    fs::write(&path, "these are no accounts, but somebody needs them ".repeat(40)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let before = fs::read(&path).unwrap();
    let refused = Store::open(&path).unwrap_err();
    assert!(matches!(&refused, StoreError::Damaged(at) if *at == path), "{refused:?}");
    assert!(refused.to_string().contains("move it"), "{refused}");
    assert_eq!((fs::read(&path).unwrap(), mode(&path)), (before, 0o644));
    for path in [folder.path().to_owned(), path.join("below")] {
        let refused = Store::open(&path).unwrap_err();
        assert!(matches!(refused, StoreError::Unusable(..)), "{refused:?}");
    }
}

#[test]
fn a_damaged_database_is_noticed_before_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.sqlite");
    let store = Store::open(&path).unwrap();
    for number in 0..500 {
        store.set_group(&format!("somebody with a long name {number}"), "staff").unwrap();
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    let refused = Store::open(&path).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn what_a_crash_left_beside_a_damaged_database_stays_there() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("accounts.sqlite"), folder.path().join("copy.sqlite"));
    drop(Store::open(&path).unwrap());
    let store = Store::open(&path).unwrap();
    for number in 0..500 {
        store.set_group(&format!("somebody with a long name {number}"), "staff").unwrap();
    }
    store.connection.lock().unwrap().pragma_query(None, "wal_checkpoint", |_| Ok(())).unwrap();
    store.set_group("the last one", "staff").unwrap();
    // As a program that is killed now leaves them.
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0x5a);
    fs::write(&copy, &bytes).unwrap();
    let journal = fs::read(path.with_extension("sqlite-wal")).unwrap();
    fs::write(copy.with_extension("sqlite-wal"), &journal).unwrap();
    let refused = Store::open(&copy).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused:?}");
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    assert_eq!(fs::read(copy.with_extension("sqlite-wal")).unwrap(), journal);
}

#[test]
fn a_newer_database_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.sqlite");
    drop(Store::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = Store::open(&path).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 99, known: 2, .. }), "{refused:?}");
    assert!(refused.to_string().contains("use the newer program"), "{refused}");
}

#[test]
fn two_programs_may_have_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.sqlite");
    let writer = |name: char| {
        let path = path.clone();
        move || {
            let store = Store::open(&path).unwrap();
            for number in 0..50 {
                store.set_group(&format!("{name}{number}"), "staff").unwrap();
            }
        }
    };
    let threads = ['a', 'b'].map(|name| thread::spawn(writer(name)));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(Store::open(&path).unwrap().groups().unwrap().len(), 100);
}

#[test]
fn work_that_fails_leaves_nothing_behind() {
    let store = Store::in_memory().unwrap();
    let refused = store.write(|db| {
        db.execute("INSERT INTO memberships VALUES ('ada', 'staff')", ())?;
        Err::<(), _>(SiteError::Full)
    });
    assert!(matches!(refused, Err(SiteError::Full)));
    assert_eq!(store.groups().unwrap(), []);
    assert!(matches!(store.set_group(" ", "staff"), Err(SiteError::Name)));
}
