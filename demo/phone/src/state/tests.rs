use passkey_types::ctap2::make_credential::PublicKeyCredentialUserEntity;

use super::*;

const SOON: Duration = Duration::ZERO;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A folder, and the path of a state in it that is not there yet.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/state");
    (folder, path)
}

/// A state with a passphrase in it, which is quickly made.
fn some_state() -> State {
    const FILE: &str = r#"{
        "format": "hybridge-phone-state", "version": 1, "passkeys": [],
        "passphrase": "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$rnvkkVvzAK/jA4tFnfTBXq4uKkt3CoIyvPfB1jWTsLE"
    }"#;
    State::parse(FILE.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_new_state_is_for_its_owner_alone() {
    let (_folder, path) = folder();
    let (directory, state) = StateDirectory::open(&path, SOON).await.unwrap();
    assert!(state.is_empty() && state.passphrase.is_none());
    assert!(!path.join(STATE_FILE).exists(), "nothing to keep yet");
    directory.write(&some_state()).unwrap();
    assert_eq!(
        (mode(&path), mode(&path.join(STATE_FILE)), mode(&path.join(LOCK_FILE))),
        (0o700, 0o600, 0o600)
    );
    assert!(!directory.is_open_to_others());
    fs::set_permissions(path.join(STATE_FILE), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(directory.is_open_to_others());
    directory.write(&some_state()).unwrap();
    assert!(!directory.is_open_to_others(), "a new file took its place");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(directory.is_open_to_others());
}

#[tokio::test]
async fn what_is_kept_is_there_the_next_time() {
    let (_folder, path) = folder();
    let (directory, _) = StateDirectory::open(&path, SOON).await.unwrap();
    directory.write(&some_state()).unwrap();
    // A crash in the middle of the next write, of a file that others may read.
    fs::write(path.join(NEW_FILE), b"half of a fi").unwrap();
    fs::set_permissions(path.join(NEW_FILE), fs::Permissions::from_mode(0o644)).unwrap();
    drop(directory);
    let (directory, state) = StateDirectory::open(&path, SOON).await.unwrap();
    assert!(state.passphrase.is_some());
    directory.write(&State::default()).unwrap();
    assert!(!path.join(NEW_FILE).exists());
    assert_eq!(mode(&path.join(STATE_FILE)), 0o600);
    drop(directory);
    assert!(StateDirectory::open(&path, SOON).await.unwrap().1.passphrase.is_none());
}

#[tokio::test]
async fn links_lead_nowhere() {
    use std::os::unix::fs::symlink;

    let (folder, path) = folder();
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, b"mine").unwrap();
    let (directory, _) = StateDirectory::open(&path, SOON).await.unwrap();
    symlink(&elsewhere, path.join(NEW_FILE)).unwrap();
    directory.write(&some_state()).unwrap();
    assert_eq!(fs::read(&elsewhere).unwrap(), b"mine");
    assert!(fs::symlink_metadata(path.join(STATE_FILE)).unwrap().is_file());
    drop(directory);

    fs::rename(path.join(STATE_FILE), path.join("moved")).unwrap();
    symlink("moved", path.join(STATE_FILE)).unwrap();
    assert!(matches!(StateDirectory::open(&path, SOON).await, Err(StateError::Read(..))));
    fs::remove_file(path.join(LOCK_FILE)).unwrap();
    symlink(folder.path().join("made"), path.join(LOCK_FILE)).unwrap();
    assert!(matches!(StateDirectory::open(&path, SOON).await, Err(StateError::Directory(..))));
    assert!(!folder.path().join("made").exists());
}

#[tokio::test]
async fn what_is_in_place_is_kept_even_if_the_directory_cannot_be_flushed() {
    let (_folder, path) = folder();
    let (directory, _) = StateDirectory::open(&path, SOON).await.unwrap();
    directory.write_and_settle(&some_state(), |_| Err(io::ErrorKind::InvalidInput.into())).unwrap();
    drop(directory);
    assert!(StateDirectory::open(&path, SOON).await.unwrap().1.passphrase.is_some());
}

#[tokio::test]
async fn a_directory_that_others_rule_is_refused() {
    let (_folder, path) = folder();
    fs::create_dir_all(&path).unwrap();
    for (mode, refused) in [(0o770, true), (0o702, true), (0o777, true), (0o1777, true), (0o755, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let opened = StateDirectory::open(&path, SOON).await;
        assert_eq!(matches!(opened, Err(StateError::OpenToWriters(_))), refused, "{mode:o}");
        assert_eq!(opened.is_ok(), !refused);
        assert_eq!(path.join(LOCK_FILE).exists(), !refused, "nothing is left in it");
    }
    let metadata = fs::metadata(&path).unwrap();
    let me = metadata.uid();
    assert!(safe(&path, &metadata, me).is_ok());
    assert!(matches!(safe(&path, &metadata, me + 1), Err(StateError::NotYours(_))));
}

#[tokio::test(start_paused = true)]
async fn a_second_phone_waits_for_the_first() {
    let (_folder, path) = folder();
    let (first, _) = StateDirectory::open(&path, LOCK_PATIENCE).await.unwrap();
    let started = Instant::now();
    let error = StateDirectory::open(&path, LOCK_PATIENCE).await.unwrap_err();
    assert!(matches!(error, StateError::Locked(_)), "{error}");
    assert_eq!(started.elapsed().as_secs(), LOCK_PATIENCE.as_secs());

    let leaves = async {
        sleep(Duration::from_secs(3)).await;
        drop(first);
    };
    let (second, ()) = tokio::join!(StateDirectory::open(&path, LOCK_PATIENCE), leaves);
    second.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_left_alone() {
    let (_folder, path) = folder();
    fs::create_dir_all(&path).unwrap();
    let file = path.join(STATE_FILE);
    for (bytes, newer) in [
        (&b"{\"format\":\"hybridge-phone-state\",\"version\":2,\"passkeys\":[]}"[..], true),
        (b"{\"format\":\"hybridge-phone-state\",\"vers", false),
        (b"", false),
    ] {
        fs::write(&file, bytes).unwrap();
        let error = StateDirectory::open(&path, SOON).await.unwrap_err();
        assert_eq!(matches!(error, StateError::OtherVersion(..)), newer, "{error}");
        assert_eq!(matches!(error, StateError::Damaged(..)), !newer, "{error}");
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(matches!(StateDirectory::open(&path, SOON).await, Err(StateError::Read(..))));
    let not_a_directory = path.join(LOCK_FILE);
    assert!(matches!(StateDirectory::open(&not_a_directory, SOON).await, Err(StateError::Directory(..))));
}

#[tokio::test]
async fn what_could_not_be_read_again_is_not_kept() {
    use passkey_authenticator::CredentialStore;
    use passkey_crypto::{AvailableBackend, CryptoBackend, SecretKeyT, iana::Algorithm};
    use passkey_types::{
        Passkey,
        ctap2::make_credential::{Options, PublicKeyCredentialRpEntity},
    };

    let mut passkeys = Passkeys::in_memory();
    let key = AvailableBackend.generate_key(Algorithm::ES256).unwrap().to_cose_key();
    for (rp_id, handle, kept) in [
        ("a".repeat(253), vec![7; 64], true),
        ("a".repeat(254), vec![7; 64], false),
        (String::new(), vec![7; 64], false),
        ("login.example".to_owned(), vec![7; 65], false),
    ] {
        let made = Passkey {
            key: key.clone(),
            credential_id: vec![1; 16].into(),
            rp_id: rp_id.clone(),
            user_handle: Some(handle.clone().into()),
            username: None,
            user_display_name: None,
            counter: None,
            extensions: passkey_types::CredentialExtensions::default(),
        };
        let user = PublicKeyCredentialUserEntity {
            id: handle.into(),
            name: Some("é".repeat(200)),
            display_name: None,
            icon_url: None,
        };
        let rp = PublicKeyCredentialRpEntity { id: rp_id, name: None };
        let saved = passkeys.save_credential(made, user, rp, Options::default()).await;
        assert_eq!(saved.is_ok(), kept);
    }
    let [passkey] = &passkeys.matching(&"a".repeat(253), &[vec![1; 16]])[..] else { panic!("one is kept") };
    assert_eq!(passkey.account(), "é".repeat(128), "long names are cut");
}
