//! What a phone says of itself and answers, as CBOR: one byte that chooses, and the CBOR. What is accepted becomes JSON.
#![no_main]

use hybridge_client::webauthn::{Assertion, Creation, CreationOptions, Origin, RequestOptions};
use libfuzzer_sys::fuzz_target;

const GET_INFO: &[u8] = b"\xa1\x04\xa2\x62rk\xf5\x62uv\xf5";
const CREATE: &[u8] = br#"{
    "rp": {"id": "site.example", "name": ""}, "user": {"id": "AA", "name": "", "displayName": ""},
    "challenge": "", "pubKeyCredParams": [], "attestation": "direct", "extensions": {"credProps": true}
}"#;
const GET: &[u8] = br#"{"challenge": "", "rpId": "site.example"}"#;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, cbor)) = bytes.split_first() else { return };
    let origin = Origin::parse("https://www.site.example").expect("an origin");
    let creation =
        Creation::new(&origin, CreationOptions::from_json(CREATE).expect("options")).expect("asked");
    let assertion =
        Assertion::new(&origin, &RequestOptions::from_json(GET).expect("options")).expect("asked");
    match choice % 4 {
        0 => {
            if let Ok(response) = creation.for_phone(GET_INFO).expect("able").finish(cbor) {
                assert!(!response.credential_id().is_empty());
                serde_json::to_string(&response).expect("JSON");
            }
        }
        1 => {
            if let Ok(response) = assertion.for_phone(GET_INFO).expect("able").finish(cbor) {
                serde_json::to_string(&response).expect("JSON");
            }
        }
        2 => drop(creation.for_phone(cbor)),
        _ => drop(assertion.for_phone(cbor)),
    }
});
