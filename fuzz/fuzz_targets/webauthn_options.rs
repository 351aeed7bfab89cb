//! A website's options in JSON, both kinds, for one origin. What is accepted asks a phone in canonical form, and for no
//! other site's passkeys.
#![no_main]

use hybridge_client::webauthn::{Assertion, Creation, CreationOptions, Origin, RequestOptions};
use hybridge_proto::cbor::check_canonical;
use libfuzzer_sys::fuzz_target;

/// A phone that can do everything: `{4: {"rk": true, "uv": true}}`.
const GET_INFO: &[u8] = b"\xa1\x04\xa2\x62rk\xf5\x62uv\xf5";

fuzz_target!(|bytes: &[u8]| {
    let origin = Origin::parse("https://www.site.example").expect("an origin");
    if let Ok(options) = CreationOptions::from_json(bytes)
        && let Ok(creation) = Creation::new(&origin, options)
    {
        check(creation.rp_id(), creation.clone().for_phone(GET_INFO).expect("an able phone").command());
    }
    if let Ok(options) = RequestOptions::from_json(bytes)
        && let Ok(assertion) = Assertion::new(&origin, &options)
    {
        check(assertion.rp_id(), assertion.clone().for_phone(GET_INFO).expect("an able phone").command());
    }
});

fn check(rp_id: &str, command: &[u8]) {
    assert!(["www.site.example", "site.example"].contains(&rp_id), "{rp_id}");
    check_canonical(&command[1..]).expect("canonical parameters");
}
