//! Proof that the runner notices a wrong, a missing and an unknown value, in every section of every file.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{known_files, run_file, run_folder};

/// A copy of the vectors that may be damaged, gone when dropped.
struct Copy(PathBuf);

impl Copy {
    fn new(name: &str) -> io::Result<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let copy = Self(folder);
        known_files().try_for_each(|file| copy.write(file, &original(file)))?;
        Ok(copy)
    }

    fn write(&self, file: &str, root: &Value) -> io::Result<()> {
        fs::write(self.0.join(file), root.to_string())
    }

    /// Whether the runner refuses this content of a file.
    fn is_noticed(&self, file: &str, root: &Value) -> bool {
        self.write(file, root).expect("the copy can be written");
        run_file(&self.0, file).is_err()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn original(file: &str) -> Value {
    let text = fs::read_to_string(crate::own_folder().join(file)).expect("a vector file");
    serde_json::from_str(&text).expect("JSON")
}

/// Values whose change may go unnoticed, with `*` for any name or index: texts for the reader, what is left out on
/// purpose, and inputs that are to be refused, which are as bad with another wrong digit.
const INDIFFERENT: [&str; 32] = [
    "*.json/description",
    "*.json/*/note",
    "*.json/*/peer",
    "*.json/*/*/note",
    "transport.json/legacy_v2_0/*/*/*",
    "qr.json/*/*/name",
    "eid.json/reject/*/name",
    "transport.json/*/*/name",
    "messages.json/*/*/name",
    "messages.json/json_messages/*/*/name",
    "linking.json/reject/*/*/name",
    "noise_knpsk0.json/reject/*/*/name",
    "noise_nkpsk0.json/reject/*/*/name",
    "session.json/sessions/*/frames/*/label",
    "qr.json/invalid/*/uri",
    "qr.json/non_canonical/*/uri",
    "eid.json/reject/*/advert",
    "eid.json/reject/*/eid_key",
    "noise_knpsk0.json/reject/*/*/message",
    "noise_nkpsk0.json/reject/*/*/message",
    "noise_knpsk0.json/reject/*",
    "noise_nkpsk0.json/reject/*",
    "transport.json/reject/*/ciphertext",
    "transport.json/reject/*/counter",
    "transport.json/reject/*/key",
    "transport.json/unpad/*/padded",
    "messages.json/bad_typed_messages/*/message",
    "messages.json/post_handshake/*/plaintext",
    "messages.json/json_messages/responses/*/json",
    "linking.json/reject/for_link",
    "linking.json/reject/*/*/linking_info_cbor",
    // The content of a getInfo reply is the phone's own affair.
    "interop.json/post_handshake_*",
];

fn is_indifferent(path: &str) -> bool {
    INDIFFERENT.iter().any(|pattern| matches(pattern, path))
}

fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut names) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) => {
                let fits = match pattern.split_once('*') {
                    Some((head, tail)) => name.starts_with(head) && name.ends_with(tail),
                    None => pattern == name,
                };
                if !fits {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// Pointers to all values below, of every array only the first and the last element.
fn leaves(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| leaves(member, format!("{path}/{key}"), found));
        }
        Value::Array(elements) => {
            for index in BTreeSet::from([0, elements.len().saturating_sub(1)]) {
                let element = elements.get(index).into_iter();
                element.for_each(|element| leaves(element, format!("{path}/{index}"), found));
            }
        }
        _ => found.push(path),
    }
}

/// Another value of the same kind: one digit or character less or more.
fn change(value: &mut Value) {
    *value = match value.take() {
        Value::Null => json!("00"),
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) => json!(number.as_u64().expect("a natural number") ^ 1),
        Value::String(mut text) => {
            let last = text.pop();
            text.push(if last == Some('1') { '0' } else { '1' });
            json!(text)
        }
        other => other,
    };
}

/// The parts of a file that hold vectors: its members, and the members of those that only group others.
fn sections(root: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (key, member) in root.as_object().expect("a map of sections") {
        match member {
            Value::String(_) if key == "description" => {}
            Value::Object(inner) if matches!(key.as_str(), "reject" | "json_messages") => {
                // `for_handshake` and `for_link` only say what the others are about.
                let names = inner.keys().filter(|name| !name.starts_with("for_"));
                found.extend(names.map(|name| format!("/{key}/{name}")));
            }
            _ if key == "legacy_v2_0" => {}
            _ => found.push(format!("/{key}")),
        }
    }
    found
}

#[test]
fn a_changed_value_is_noticed() -> io::Result<()> {
    let copy = Copy::new("changed")?;
    let mut noticed = 0;
    let mut needless = BTreeSet::from(INDIFFERENT);
    for file in known_files() {
        let root = original(file);
        let mut found = Vec::new();
        leaves(&root, String::new(), &mut found);
        for pointer in found {
            let mut damaged = root.clone();
            change(damaged.pointer_mut(&pointer).expect("a pointer to a leaf"));
            if copy.is_noticed(file, &damaged) {
                noticed += 1;
                continue;
            }
            let path = format!("{file}{pointer}");
            assert!(is_indifferent(&path), "a change of {path} is not noticed");
            needless.retain(|pattern| !matches(pattern, &path));
        }
        copy.write(file, &root)?;
    }
    assert!(noticed > 500, "only {noticed} changes are noticed");
    assert_eq!(needless, BTreeSet::new(), "these need no exception");
    Ok(())
}

/// Values (left) that turn a case around when another of the file (right) takes their place: what is to be refused
/// becomes right, and the samples of which nothing is expected but to be readable become unreadable.
const TURNED: [(&str, &[(&str, &str)]); 16] = [
    ("digits.json", &[("/decode_errors/0/digits", "/encode/1/digits")]),
    ("qr.json", &[("/invalid/0/uri", "/valid/0/uri")]),
    ("qr.json", &[("/non_canonical/0/uri", "/valid/0/uri")]),
    ("eid.json", &[("/reject/0/advert", "/seal/0/advert"), ("/reject/0/eid_key", "/seal/0/eid_key")]),
    ("tunnel_domains.json", &[("/domains/2/id", "/domains/0/id")]),
    ("noise_knpsk0.json", &[("/reject/cases/0/message", "/handshakes/0/message_1")]),
    ("noise_knpsk0.json", &[("/reject/wrong_psk", "/handshakes/0/psk")]),
    ("noise_knpsk0.json", &[("/reject/wrong_static_private", "/handshakes/0/initiator_static_private")]),
    ("noise_nkpsk0.json", &[("/reject/cases/0/message", "/handshakes/0/message_1")]),
    ("noise_nkpsk0.json", &[("/reject/wrong_psk", "/handshakes/0/psk")]),
    ("noise_nkpsk0.json", &[("/reject/wrong_static_private", "/handshakes/0/responder_static_private")]),
    (
        "transport.json",
        &[
            ("/reject/0/key", "/frames/0/key"),
            ("/reject/0/counter", "/frames/0/counter"),
            ("/reject/0/ciphertext", "/frames/0/ciphertext"),
        ],
    ),
    ("messages.json", &[("/bad_typed_messages/0/message", "/typed_messages/0/message")]),
    ("linking.json", &[("/reject/cases/0/linking_info_cbor", "/links/0/linking_info_cbor")]),
    ("interop.json", &[("/post_handshake_android_chrome", "/chromium_frame/padded")]),
    ("interop.json", &[("/post_handshake_ios16", "/chromium_frame/padded")]),
];

#[test]
fn a_case_turned_around_is_noticed() -> io::Result<()> {
    let copy = Copy::new("turned")?;
    for (file, values) in TURNED {
        let root = original(file);
        let mut damaged = root.clone();
        for (target, source) in values {
            let right = root.pointer(source).expect("a source").clone();
            *damaged.pointer_mut(target).expect("a target") = right;
        }
        assert!(copy.is_noticed(file, &damaged), "{file}: {values:?} is not noticed");
    }
    Ok(())
}

/// The two tests above reach every section.
#[test]
fn every_section_has_a_value_that_matters() {
    for file in known_files() {
        let root = original(file);
        let mut found = Vec::new();
        leaves(&root, String::new(), &mut found);
        found.retain(|pointer| !is_indifferent(&format!("{file}{pointer}")));
        let turned = TURNED.iter().filter(|(name, _)| *name == file);
        found.extend(turned.flat_map(|(_, values)| values.iter().map(|(target, _)| (*target).to_owned())));
        for section in sections(&root) {
            let inner = format!("{section}/");
            let reached = found.iter().any(|pointer| *pointer == section || pointer.starts_with(&inner));
            assert!(reached, "no test changes anything in {file}{section}");
        }
    }
}

#[test]
fn a_missing_or_emptied_section_is_noticed() -> io::Result<()> {
    let copy = Copy::new("missing")?;
    for file in known_files() {
        let root = original(file);
        for section in sections(&root) {
            let (parent, key) = section.rsplit_once('/').expect("a pointer");
            let mut damaged = root.clone();
            damaged.pointer_mut(parent).and_then(Value::as_object_mut).expect("a map").remove(key);
            assert!(copy.is_noticed(file, &damaged), "{file} without {section} is accepted");

            let mut damaged = root.clone();
            let value = damaged.pointer_mut(&section).expect("a section");
            *value = match value {
                Value::Array(_) => json!([]),
                Value::Object(_) => json!({}),
                _ => json!(""),
            };
            assert!(copy.is_noticed(file, &damaged), "{file} with an empty {section} is accepted");
        }
        copy.write(file, &root)?;
    }
    Ok(())
}

#[test]
fn an_unknown_section_or_value_is_noticed() -> io::Result<()> {
    let copy = Copy::new("unknown")?;
    for file in known_files() {
        let root = original(file);
        for extra in [json!("00"), json!([]), json!({}), json!([{ "name": "a case" }]), json!(0), json!(null)]
        {
            let mut damaged = root.clone();
            damaged["unknown"] = extra.clone();
            assert!(copy.is_noticed(file, &damaged), "{file} with a section {extra} is accepted");
        }
        for section in sections(&root) {
            let mut damaged = root.clone();
            let value = damaged.pointer_mut(&section).expect("a section");
            let value = if value.is_array() { &mut value[0] } else { value };
            let Some(members) = value.as_object_mut() else { continue };
            members.insert("unknown".to_owned(), json!("00"));
            assert!(copy.is_noticed(file, &damaged), "{file}{section} with an unknown value is accepted");
        }
        copy.write(file, &root)?;
    }
    Ok(())
}

#[test]
fn an_unknown_or_missing_file_is_noticed() -> io::Result<()> {
    let copy = Copy::new("files")?;
    let failures = || run_folder(&copy.0).failures.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(failures(), [""; 0]);
    fs::write(copy.0.join("README.md"), "prose")?;
    assert_eq!(failures(), [""; 0]);
    fs::write(copy.0.join("new.json"), "{}")?;
    assert_eq!(failures(), ["new.json: nothing here runs this file"]);
    fs::remove_file(copy.0.join("new.json"))?;

    known_files().try_for_each(|file| fs::remove_file(copy.0.join(file)))?;
    let missing: Vec<_> =
        failures().iter().filter_map(|failure| Some(failure.split_once(':')?.0.to_owned())).collect();
    let right: Vec<_> = known_files().filter(|file| *file != "interop.json").collect();
    assert_eq!(missing, right);
    Ok(())
}
