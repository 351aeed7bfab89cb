use passkey_crypto::{AvailableBackend, CryptoBackend, Pkcs8, iana::Algorithm};
use proptest::prelude::*;

use super::*;

fn key(algorithm: Algorithm) -> PrivateKey {
    let der = AvailableBackend.generate_key(algorithm).unwrap().to_pkcs8().unwrap();
    PrivateKey::from_pkcs8(Zeroizing::new(der)).unwrap()
}

fn passkey(number: u8) -> StoredPasskey {
    StoredPasskey {
        credential_id: vec![number; 16],
        rp_id: "login.example".to_owned(),
        user_handle: vec![number],
        user_name: "ada \u{202e}\"\\\n".to_owned(),
        user_display_name: "Ada Lovelace".to_owned(),
        key: key(Algorithm::ES256),
        discoverable: true,
        created: 1_767_225_600,
    }
}

const PHC: &str =
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$rnvkkVvzAK/jA4tFnfTBXq4uKkt3CoIyvPfB1jWTsLE";

fn full() -> State {
    State { passphrase: Verifier::from_phc(PHC), passkeys: vec![passkey(1), passkey(2)] }
}

fn assert_same(left: &State, right: &State) {
    let passphrase = |state: &State| state.passphrase.as_ref().map(|verifier| verifier.as_phc().to_owned());
    assert_eq!(passphrase(left), passphrase(right));
    assert_eq!(left.len(), right.len());
    for (left, right) in left.passkeys.iter().zip(&right.passkeys) {
        assert_eq!(left.credential_id, right.credential_id);
        assert_eq!(left.rp_id, right.rp_id);
        assert_eq!(left.user_handle, right.user_handle);
        assert_eq!(left.user_name, right.user_name);
        assert_eq!(left.user_display_name, right.user_display_name);
        assert_eq!(left.key.as_pkcs8(), right.key.as_pkcs8());
        assert_eq!((left.discoverable, left.created), (right.discoverable, right.created));
    }
}

/// A state file with a part of its text replaced.
fn altered(from: &str, to: &str) -> Result<State, FormatError> {
    let text = String::from_utf8(full().encode().to_vec()).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    State::parse(text.replacen(from, to, 1).as_bytes())
}

#[test]
fn what_is_written_is_read() {
    for state in [State::default(), full()] {
        assert_same(&State::parse(&state.encode()).unwrap(), &state);
    }
    let edwards = State {
        passkeys: vec![StoredPasskey { key: key(Algorithm::EdDSA), ..passkey(3) }],
        ..State::default()
    };
    assert_same(&State::parse(&edwards.encode()).unwrap(), &edwards);
}

#[test]
fn the_form_is_the_documented_one() {
    let value: serde_json::Value = serde_json::from_slice(&full().encode()).unwrap();
    assert_eq!((&value["format"], &value["version"]), (&"hybridge-phone-state".into(), &1.into()));
    assert_eq!(value["passphrase"], PHC);
    let members: Vec<_> = value["passkeys"][0].as_object().unwrap().keys().map(String::as_str).collect();
    let documented = [
        "created",
        "credentialId",
        "discoverable",
        "key",
        "rpId",
        "userDisplayName",
        "userHandle",
        "username",
    ];
    assert_eq!(members.iter().copied().collect::<std::collections::BTreeSet<_>>(), documented.into());
    assert_eq!(value["passkeys"][1]["credentialId"], BASE64URL_NOPAD.encode(&[2; 16]));
    assert!(full().encode().ends_with(b"}\n"));
}

#[test]
fn other_versions_and_formats_are_told_apart() {
    assert_eq!(altered("\"version\": 1", "\"version\": 2").unwrap_err(), FormatError::Version(2));
    // What a later version adds is none of this one's business.
    assert_eq!(
        State::parse(br#"{"format":"hybridge-phone-state","version":7,"new":{}}"#).unwrap_err(),
        FormatError::Version(7)
    );
    assert_eq!(altered("hybridge-phone-state", "another").unwrap_err(), FormatError::OtherFormat);
}

#[test]
fn damage_is_found() {
    let json = |result: Result<State, FormatError>| matches!(result, Err(FormatError::Json { .. }));
    for bytes in [&b""[..], b"{}", b"[]", b"null", b"{", b"\xFF", b"{\"format\":1,\"version\":1}"] {
        assert!(json(State::parse(bytes)), "{bytes:?}");
    }
    assert!(json(altered("\"passkeys\"", "\"passkeyz\"")), "a member that nobody knows");
    assert!(json(altered("\"created\"", "\"lastUsed\": 1, \"created\"")));
    assert!(json(altered("\"created\"", "\"rpId\": \"other.example\", \"created\"")), "a member twice");
    assert!(json(altered("\"AQ\"", "\"AR\"")), "bits behind the last byte");
    assert!(json(altered("\"AQ\"", "\"AQ==\"")));
    assert!(json(altered("\n}", "\n}}")));
    assert_eq!(altered("$argon2id", "$argon2d").unwrap_err(), FormatError::Passphrase);
    let [one, two] = [[1; 16], [2; 16]].map(|id| BASE64URL_NOPAD.encode(&id));
    assert_eq!(altered(&two, &one).unwrap_err(), FormatError::Passkey(1), "the same passkey twice");
    assert_eq!(altered(&one, &BASE64URL_NOPAD.encode(&[1; 15])).unwrap_err(), FormatError::Passkey(0));
    assert_eq!(altered("login.example", "").unwrap_err(), FormatError::Passkey(0));
    assert_eq!(altered("\"key\": \"MIG", "\"key\": \"MIH").unwrap_err(), FormatError::Passkey(0));
    assert_eq!(State::parse(&vec![b' '; MAX_FILE + 1]).unwrap_err(), FormatError::TooLarge);
}

#[test]
fn no_error_quotes_the_file() {
    for (from, to) in
        [("\"AQ\"", "\"hunter2\""), ("true", "\"hunter2\""), ("$argon2id", "hunter2"), ("rpId", "hunter2")]
    {
        let error = altered(from, to).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = State::parse(&bytes);
    }

    #[test]
    fn arbitrary_names_survive(
        name in "\\PC{0,20}",
        display in any::<String>().prop_map(|name| name.chars().take(60).collect::<String>()),
        handle in prop::collection::vec(any::<u8>(), 0..=64),
        discoverable: bool,
        created: u64,
    ) {
        let passkey = StoredPasskey {
            user_handle: handle,
            user_name: name,
            user_display_name: display,
            discoverable,
            created,
            ..passkey(1)
        };
        let state = State { passphrase: None, passkeys: vec![passkey] };
        assert_same(&State::parse(&state.encode()).unwrap(), &state);
    }

    #[test]
    fn a_damaged_file_is_refused_or_means_something(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = full().encode().to_vec();
        for (index, byte) in damage {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Ok(state) = State::parse(&bytes) {
            assert_same(&State::parse(&state.encode()).unwrap(), &state);
        }
    }
}
