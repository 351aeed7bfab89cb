//! Options in, requests out; replies in, responses out.

use ciborium::{Value, cbor};
use serde_json::{Value as Json, json};

use super::*;

mod options;
mod properties;
mod replies;
mod requests;

fn origin() -> Origin {
    Origin::parse("https://demo.example").unwrap()
}

/// The least that makes a passkey, with members put in or replaced.
fn creation_options(more: &Json) -> Vec<u8> {
    let mut options = json!({
        "rp": {"id": "demo.example", "name": "Demo"},
        "user": {"id": "AQID", "name": "ada", "displayName": "Ada L."},
        "challenge": "Y2hhbGxlbmdl",
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    });
    merge(&mut options, more);
    serde_json::to_vec(&options).unwrap()
}

/// The least that signs in, with members put in or replaced.
fn request_options(more: &Json) -> Vec<u8> {
    let mut options = json!({"challenge": "Y2hhbGxlbmdl", "rpId": "demo.example"});
    merge(&mut options, more);
    serde_json::to_vec(&options).unwrap()
}

fn merge(options: &mut Json, more: &Json) {
    let members = more.as_object().unwrap().clone();
    options.as_object_mut().unwrap().extend(members);
}

fn creation(more: &Json) -> Creation {
    let options = CreationOptions::from_json(&creation_options(more)).unwrap();
    Creation::new(&origin(), options).unwrap()
}

fn assertion(more: &Json) -> Assertion {
    let options = RequestOptions::from_json(&request_options(more)).unwrap();
    Assertion::new(&origin(), &options).unwrap()
}

/// A phone with these options and transports.
fn phone(options: &[(&str, bool)], transports: &[&str]) -> Vec<u8> {
    let options = options.iter().map(|(name, can)| (Value::from(*name), Value::from(*can))).collect();
    let transports = transports.iter().map(|name| Value::from(*name)).collect();
    encoded(&Value::Map(vec![
        (1.into(), Value::Array(vec!["FIDO_2_0".into()])),
        (3.into(), Value::Bytes(vec![0; 16])),
        (4.into(), Value::Map(options)),
        (9.into(), Value::Array(transports)),
    ]))
}

fn able_phone() -> Vec<u8> {
    phone(&[("rk", true), ("uv", true)], &["internal", "cable"])
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// Authenticator data about a host, with flags and what stands behind the counter.
fn authenticator_data(rp_id: &str, flags: u8, rest: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    [&Sha256::digest(rp_id)[..], &[flags, 0, 0, 0, 7], rest].concat()
}
