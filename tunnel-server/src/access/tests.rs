use std::time::Duration;

use proptest::prelude::*;

use super::*;

const KEYS: &str = "\
# keys of the app
main:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f

 old : 202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F
";

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn keys() -> HmacKeys {
    HmacKeys::parse(KEYS).unwrap()
}

fn check(token: &str, now: u64) -> Result<Option<String>, Denied> {
    let access = Access::Hmac(keys());
    access.check(Some(token.as_bytes()), at(now)).map(|name| name.map(str::to_owned))
}

#[test]
fn open_access_takes_any_token_and_none() {
    assert_eq!(Access::Open.check(None, at(0)), Ok(None));
    assert_eq!(Access::Open.check(Some(b"whatever"), at(0)), Ok(None));
}

#[test]
fn a_listed_token_is_let_in_under_its_name() {
    let text = "# apps\n\nphone:0123456789abcdefA\r\n  0123456789abcdefB  \n\tother : 0123456789-._~+/=C\n";
    let access = Access::Bearer(Tokens::parse(text).unwrap());
    assert_eq!(access.check(Some(b"0123456789abcdefA"), at(0)), Ok(Some("phone")));
    assert_eq!(access.check(Some(b"0123456789abcdefB"), at(0)), Ok(None));
    assert_eq!(access.check(Some(b"0123456789-._~+/=C"), at(0)), Ok(Some("other")));
    for wrong in ["", "phone", "0123456789abcdef", "phone:0123456789abcdefA", "0123456789abcdefAA"] {
        assert_eq!(access.check(Some(wrong.as_bytes()), at(0)), Err(Denied::Invalid), "{wrong}");
    }
    assert_eq!(access.check(None, at(0)), Err(Denied::Missing));
}

#[test]
fn a_file_of_tokens_is_refused_with_the_line() {
    let good = "0123456789abcdef";
    for (text, error) in [
        ("# nothing\n".to_owned(), FileError::Empty),
        ("\n0123456789abcde".to_owned(), FileError::Token { line: 2 }),
        (format!("{good}\u{e9}"), FileError::Token { line: 1 }),
        (format!("{good} {good}"), FileError::Token { line: 1 }),
        (good.repeat(33), FileError::Token { line: 1 }),
        (format!(":{good}"), FileError::Name { line: 1 }),
        (format!("a b:{good}"), FileError::Name { line: 1 }),
        (format!("a:{good}\nb:{good}"), FileError::Twice { line: 2 }),
        (format!("a:{good}\na:{good}2"), FileError::Twice { line: 2 }),
    ] {
        assert_eq!(Tokens::parse(&text).unwrap_err(), error, "{text}");
        assert!(!error.to_string().contains(good));
    }
}

/// Made with `openssl dgst -sha256 -mac HMAC -macopt hexkey:…`, as the documentation of the module says.
const FROM_A_SHELL: &str =
    "v1.main.1900000000.97b0d8ef2dbd686a2ec02666cb02754a6fdf11598355daef136b51ca06c9c551";

#[test]
fn a_token_from_a_shell_is_the_one_that_is_minted() {
    assert_eq!(mint(keys().first().unwrap(), at(1_900_000_000)), FROM_A_SHELL);
    assert_eq!(check(FROM_A_SHELL, 1_899_999_999), Ok(Some("main".to_owned())));
}

#[test]
fn every_key_of_the_file_is_valid_and_no_other() {
    let token = mint(keys().get("old").unwrap(), at(1000));
    assert_eq!(check(&token, 500), Ok(Some("old".to_owned())));
    assert_eq!(check(&token.replacen("old", "main", 1), 500), Err(Denied::Invalid));
    assert_eq!(check(&token.replacen("old", "none", 1), 500), Err(Denied::Invalid));
}

#[test]
fn a_token_expires_and_must_not_live_for_long() {
    let day = 24 * 60 * 60;
    let token = mint(keys().first().unwrap(), at(10 * day));
    assert_eq!(check(&token, 10 * day - 1), Ok(Some("main".to_owned())));
    assert_eq!(check(&token, 10 * day), Err(Denied::Expired));
    assert_eq!(check(&token, 9 * day - 60), Ok(Some("main".to_owned())));
    assert_eq!(check(&token, 9 * day - 61), Err(Denied::TooLong));
    let short = Access::Hmac(keys().with_max_lifetime(Duration::from_secs(600)));
    assert_eq!(short.check(Some(token.as_bytes()), at(10 * day - 661)), Err(Denied::TooLong));
    assert_eq!(short.check(Some(token.as_bytes()), at(10 * day - 660)), Ok(Some("main")));
}

#[test]
fn a_clock_that_jumps_does_no_harm() {
    let token = mint(keys().first().unwrap(), at(1_900_000_000));
    let before_1970 = SystemTime::UNIX_EPOCH - Duration::from_secs(1_000_000);
    let access = Access::Hmac(keys().with_max_lifetime(Duration::MAX));
    assert_eq!(access.check(Some(token.as_bytes()), before_1970), Ok(Some("main")));
    assert_eq!(check(&token, 0), Err(Denied::TooLong));
    assert_eq!(check(&token, 4_000_000_000), Err(Denied::Expired));
    assert_eq!(check(&mint(keys().first().unwrap(), before_1970), 0), Err(Denied::Expired));
}

#[test]
fn a_file_of_keys_is_refused_with_the_line() {
    let key = "00".repeat(32);
    for (text, error) in [
        (String::new(), FileError::Empty),
        (key.clone(), FileError::NoId { line: 1 }),
        (format!("a.b:{key}"), FileError::Name { line: 1 }),
        (format!("a:{}", "00".repeat(31)), FileError::Key { line: 1 }),
        (format!("a:{}", "00".repeat(129)), FileError::Key { line: 1 }),
        (format!("a:{key}0"), FileError::Key { line: 1 }),
        (format!("a:{key}zz"), FileError::Key { line: 1 }),
        (format!("a:{key}\n#\na:{}", "11".repeat(32)), FileError::Twice { line: 3 }),
    ] {
        assert_eq!(HmacKeys::parse(&text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", Access::Hmac(keys()));
    assert!(shown.contains("main") && !shown.contains("0001") && !shown.contains("[0, 1"), "{shown}");
    let tokens = Tokens::parse("phone:0123456789abcdef").unwrap();
    assert_eq!(format!("{:?}", Access::Bearer(tokens)), "Bearer(Tokens(1))");
}

proptest! {
    #[test]
    fn a_changed_token_is_invalid(place in 0..100_usize, with in any::<u8>()) {
        let token = mint(keys().first().unwrap(), at(1_900_000_000));
        let mut bytes = token.clone().into_bytes();
        let place = place % bytes.len();
        prop_assume!(!bytes[place].eq_ignore_ascii_case(&with));
        bytes[place] = with;
        let access = Access::Hmac(keys());
        prop_assert_eq!(access.check(Some(&bytes), at(1_899_999_999)), Err(Denied::Invalid));
    }

    #[test]
    fn any_bytes_are_answered(bytes in any::<Vec<u8>>(), now in any::<u32>()) {
        let tokens = Tokens::parse("0123456789abcdef").unwrap();
        for access in [Access::Hmac(keys()), Access::Bearer(tokens)] {
            prop_assert_eq!(access.check(Some(&bytes), at(now.into())), Err(Denied::Invalid));
        }
    }

    #[test]
    fn any_text_is_a_file_or_an_error(text in "(?s).{0,200}") {
        let _ = (Tokens::parse(&text), HmacKeys::parse(&text));
    }
}
