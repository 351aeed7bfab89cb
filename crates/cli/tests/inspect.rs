//! `hybridge inspect` as its users run it.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod support;

use std::time::{SystemTime, UNIX_EPOCH};

use hybridge_proto::{
    digits,
    keys::{PrivateKey, QrSecret},
    qr::{Channels, Hint, QrCode},
};
use image::ImageEncoder;
use support::{hybridge, hybridge_with_input, png, scratch_file};

const SECRET: [u8; 16] = *b"\xd1\xc2\xb3\xa4\x95\x86\x77\x68\x59\x4a\x3b\x2c\x1d\x0e\xff\xe0";

fn code() -> QrCode {
    let mut code =
        QrCode::new(*PrivateKey::from_seed(b"inspect").public_key(), QrSecret::from_bytes(&SECRET));
    code.timestamp = Some(now());
    code.hint = Some(Hint::MakeCredential);
    code
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What must not be seen without `--show-secrets`, in lower case.
fn secrets() -> [String; 4] {
    let code = code();
    let uri = code.to_uri().expose_text().strip_prefix("FIDO:/").unwrap()[..20].to_owned();
    let tunnel_id = hex(code.secret.tunnel_id().as_bytes());
    [hex(&SECRET), hex(&code.public_key.to_compressed()), tunnel_id, uri]
}

fn assert_no_secret(text: &str) {
    for secret in secrets() {
        assert!(!text.to_lowercase().contains(&secret), "secret in {text}");
    }
}

#[test]
fn a_code_is_explained() {
    let run = hybridge(&["inspect", code().to_uri().expose_text()]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    for part in [
        "Asks for          a new passkey (mc)",
        "cable.ua5v.com, cable.auth.com, and all with a computed name",
        "Data channels     tunnel service (not stated)",
        "Remembers phones  no\n",
        "Secret            hidden (16 bytes)",
        "1. ask its owner whether to make a passkey",
    ] {
        assert!(run.stdout.contains(part), "{part:?} is missing in\n{}", run.stdout);
    }
    let made = run.stdout.lines().find(|line| line.starts_with("Made")).unwrap();
    assert!(made.contains(" second") && made.ends_with(" ago"), "{made}");
    let first = hex(&code().secret.tunnel_id().as_bytes()[..1]);
    assert!(run.stdout.contains(&format!("Tunnel ID         {first}..")));
    assert_no_secret(&run.stdout);
}

#[test]
fn secrets_are_shown_on_request_only() {
    let uri = code().to_uri();
    let [secret, public_key, tunnel_id, _] = secrets();
    for json in [&["--json"][..], &[]] {
        let hidden = hybridge(&[&["inspect", uri.expose_text()], json].concat());
        assert_eq!(hidden.code, 0);
        assert_no_secret(&hidden.stdout);
        assert_no_secret(&hidden.stderr);
        let shown = hybridge(&[&["inspect", "--show-secrets", uri.expose_text()], json].concat());
        for secret in [&secret, &public_key, &tunnel_id] {
            assert!(shown.stdout.contains(secret), "{}", shown.stdout);
        }
        assert_eq!(shown.stderr, "");
    }
}

#[test]
fn programs_get_json() {
    let mut code = code();
    code.timestamp = Some(now() - 100);
    code.channels = Some(Channels::websocket_and_l2cap());
    code.supports_linking = None;
    let run = hybridge(&["inspect", "--json", code.to_uri().expose_text()]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["hint"], "mc");
    assert_eq!(report["effective_hint"], "mc");
    assert_eq!(report["known_assigned_domains"], 2);
    assert_eq!(report["channels"], serde_json::json!([0, 1]));
    assert_eq!(report.get("supports_linking"), None);
    assert_eq!(report["tunnel_id_first_byte"], hex(&code.secret.tunnel_id().as_bytes()[..1]));
    assert!((100..160).contains(&report["age_seconds"].as_i64().unwrap()));
    for hidden in ["tunnel_id", "qr_secret", "public_key"] {
        assert_eq!(report.get(hidden), None);
    }
}

#[test]
fn codes_of_real_browsers_are_explained() {
    let captured: serde_json::Value =
        serde_json::from_str(include_str!("../../proto/tests/vectors/interop.json")).unwrap();
    for (uri, parts) in [
        (&captured["chrome_qr_2022"]["uri"], ["2022-10-24T05:24:11Z", "most likely given up", "yes:"]),
        (
            &captured["safari_qr_2022"]["uri"],
            ["2022-12-12T04:46:40Z", "most likely given up", "phones  no\n"],
        ),
        (&captured["ios_transcript"]["qr_uri"], ["(ga)", "sign in with a passkey", "hidden (16 bytes)"]),
    ] {
        let run = hybridge(&["inspect", uri.as_str().unwrap()]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        for part in parts {
            assert!(run.stdout.contains(part), "{part:?} is missing in\n{}", run.stdout);
        }
    }
}

#[test]
fn a_code_without_a_usable_channel_ends_there() {
    let mut code = code();
    code.channels = Some(Channels::from_numbers([9]));
    let run = hybridge(&["inspect", code.to_uri().expose_text()]);
    assert!(run.stdout.contains("9 (unknown)"));
    assert!(run.stdout.contains("1. tell its owner"));
    assert!(!run.stdout.contains("2. "));
}

#[test]
fn a_refused_code_is_an_error_that_says_why_and_no_more() {
    let good = code();
    let map = good.to_cbor();
    let uri = |cbor: &[u8]| format!("FIDO:/{}", digits::encode(cbor));
    // The key follows three bytes of map head, key number and length; all ones are no coordinate.
    let mut off_curve = map.to_vec();
    off_curve[5..37].fill(0xFF);
    let digit_at = |index: usize, digit: &str| {
        let mut text = good.to_uri().expose_text().to_owned();
        text.replace_range(index..=index, digit);
        text
    };
    for (what, text, says) in [
        ("prefix", "https://demo.example".to_owned(), "does not start with FIDO:/"),
        ("two slashes", format!("FIDO://{}", digits::encode(&map)), "not a digit"),
        ("empty", "FIDO:/".to_owned(), "empty"),
        ("letter", digit_at(40, "x"), "not a digit"),
        ("length", "FIDO:/1234".to_owned(), "do not stand for whole bytes"),
        ("range", "FIDO:/99999999999999999".to_owned(), "out of range"),
        ("CBOR cut off", uri(&map[..map.len() - 1]), "malformed"),
        ("not a map", uri(&[0x80]), "malformed"),
        ("empty map", uri(&[0xA0]), "field 0"),
        ("off the curve", uri(&off_curve), "public key"),
    ] {
        let run = hybridge(&["inspect", &text]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{what}");
        assert!(run.stderr.starts_with("hybridge: ") && run.stderr.contains(says), "{what}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{what}: {}", run.stderr);
        assert_no_secret(&run.stderr);
    }
}

#[test]
fn a_picture_is_read() {
    let uri = code().to_uri();
    let from_text = hybridge(&["inspect", uri.expose_text()]).stdout;
    let picture = png(uri.expose_text(), [0, 0, 0, 255], [255, 255, 255, 255]);
    let file = scratch_file("code.png", &picture);
    let run = hybridge(&["inspect", "--image", file.to_str().unwrap()]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let undated = |text: &str| text.lines().filter(|line| !line.starts_with("Made")).collect::<String>();
    assert_eq!(undated(&run.stdout), undated(&from_text));

    let piped = hybridge_with_input(&["inspect", "--image", "-"], &picture);
    assert_eq!(undated(&piped.stdout), undated(&from_text));
}

#[test]
fn a_picture_may_be_transparent_or_inverted() {
    let uri = code().to_uri();
    for (dark, light) in [
        ([0, 0, 0, 255], [0, 0, 0, 0]),
        ([255, 255, 255, 255], [20, 20, 30, 255]),
        ([60, 0, 90, 255], [250; 4]),
    ] {
        let run = hybridge_with_input(&["inspect", "--image", "-"], &png(uri.expose_text(), dark, light));
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{dark:?} on {light:?}");
    }
}

#[test]
fn a_picture_without_a_code_is_an_error() {
    let blank = png("FIDO:/", [255; 4], [255; 4]);
    let other = png("https://demo.example", [0, 0, 0, 255], [255; 4]);
    let mut dot = Vec::new();
    image::codecs::png::PngEncoder::new(&mut dot)
        .write_image(&[0], 1, 1, image::ExtendedColorType::L8)
        .unwrap();
    for (picture, status, says) in [
        (&dot[..], 1, "no QR code in the picture"),
        (&blank[..], 1, "no QR code in the picture"),
        (&other[..], 1, "does not start with FIDO:/"),
        (b"not a picture", 3, "not a usable PNG file"),
        (&blank[..20], 3, "not a usable PNG file"),
        (b"", 3, "not a usable PNG file"),
    ] {
        let run = hybridge_with_input(&["inspect", "--image", "-"], picture);
        assert_eq!((run.code, run.stdout.as_str()), (status, ""), "{}", run.stderr);
        assert!(run.stderr.contains(says), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1);
    }
    let run = hybridge(&["inspect", "--image", "/does/not/exist.png"]);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("could not be read"), "{}", run.stderr);
}

#[test]
fn a_picture_without_its_option_is_noticed() {
    let file = scratch_file("forgotten.png", &png("FIDO:/123", [0, 0, 0, 255], [255; 4]));
    let run = hybridge(&["inspect", file.to_str().unwrap()]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("did you mean --image"), "{}", run.stderr);
}

#[test]
fn standard_input_is_read() {
    let uri = code().to_uri();
    for input in [uri.expose_text().to_owned(), format!("  {}\r\n", uri.expose_text())] {
        let run = hybridge_with_input(&["inspect", "-"], input.as_bytes());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert!(run.stdout.contains("a new passkey (mc)"));
        assert_no_secret(&run.stdout);
    }
    let endless = vec![b'1'; 100_000];
    for (input, says) in [
        (&b""[..], "does not start with FIDO:/"),
        (b"\xff\xfe", "not UTF-8"),
        (&endless, "longer than any QR code"),
    ] {
        let run = hybridge_with_input(&["inspect", "-"], input);
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains(says), "{}", run.stderr);
    }
}

#[test]
fn a_code_in_the_wrong_place_is_not_repeated() {
    let uri = code().to_uri();
    let uri = uri.expose_text();
    for args in [
        &["inspect", "-", uri][..],
        &[uri],
        &["inspect", uri, "--image", "x.png"],
        &["inspect", &format!("--json={uri}")],
        &["domain", uri],
        &["domain", "--search", uri],
        &["inspect", "--image", uri],
    ] {
        let run = hybridge(args);
        assert_ne!(run.code, 0);
        assert_eq!(run.stdout, "");
        assert_no_secret(&run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    }
}
