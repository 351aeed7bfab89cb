//! Who may open tunnels: a file of tokens or keys as a chunk, and the token of a request. A token lets in only with its file,
//! and what is made with a key is valid.
#![no_main]

use std::time::{Duration, SystemTime};

use hybridge_fuzz_input::Reader;
use hybridge_relay::access::{Access, Denied, HmacKeys, Tokens, mint};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Reader::new(bytes);
    let Ok(file) = str::from_utf8(input.chunk()) else { return };
    let token = input.rest();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    if let Ok(tokens) = Tokens::parse(file) {
        assert!(tokens.len() > 0);
        let listed = file.as_bytes().windows(token.len().max(1)).any(|part| part == token);
        let access = Access::Bearer(tokens);
        assert_eq!(access.check(None, now), Err(Denied::Missing));
        assert!(listed || access.check(Some(token), now).is_err(), "only what is in the file");
    }
    if let Ok(keys) = HmacKeys::parse(file) {
        let key = keys.first().expect("a key");
        let made = mint(key, now + Duration::from_secs(60));
        let id = key.id().to_owned();
        let access = Access::Hmac(keys);
        assert_eq!(access.check(Some(made.as_bytes()), now), Ok(Some(id.as_str())));
        let _ = access.check(Some(token), now);
    }
});
