//! Seeds for what websites ask and phones answer.

use std::io;

use crate::corpus::Corpus;

/// The SHA-256 of `site.example`, the relying party of the target.
const RP_ID_HASH: [u8; 32] = [
    0x39, 0x27, 0xb6, 0xc3, 0x2d, 0x96, 0x85, 0x28, 0x93, 0x05, 0x49, 0xbb, 0xa0, 0x4d, 0xb0, 0x7c, 0x26,
    0x45, 0x0c, 0xfe, 0x28, 0x18, 0x4b, 0xc3, 0x6a, 0xc3, 0x4a, 0x57, 0xf4, 0x28, 0x6a, 0xf5,
];

pub(crate) fn write(corpus: &mut Corpus) -> io::Result<()> {
    for options in OPTIONS {
        corpus.add("webauthn_options", options)?;
        corpus.add("webauthn_options", format!("{{\"publicKey\": {options}}}"))?;
    }
    for (choice, cbor) in [(0, registration()), (1, signature()), (2, description()), (3, description())] {
        corpus.add("webauthn_reply", [&[choice], cbor.as_slice()].concat())?;
    }
    Ok(())
}

const OPTIONS: [&str; 4] = [
    r#"{"challenge": "bm9uY2U"}"#,
    r#"{"challenge": "bm9uY2U", "rpId": "site.example", "timeout": 60000, "userVerification": "required",
        "allowCredentials": [{"type": "public-key", "id": "AQI", "transports": ["hybrid"]}]}"#,
    r#"{"rp": {"name": "Site"}, "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
        "challenge": "bm9uY2U", "pubKeyCredParams": []}"#,
    r#"{"rp": {"id": "site.example", "name": "Site"}, "user": {"id": "AQID", "name": "ada", "displayName": "Ada"},
        "challenge": "bm9uY2U", "pubKeyCredParams": [{"type": "public-key", "alg": -7}], "timeout": null,
        "excludeCredentials": [{"type": "public-key", "id": "AQI"}], "attestation": "direct", "hints": ["hybrid"],
        "authenticatorSelection": {"residentKey": "preferred", "requireResidentKey": false,
        "userVerification": "discouraged", "authenticatorAttachment": "cross-platform"},
        "extensions": {"credProps": true}}"#,
];

fn authenticator_data(flags: u8) -> Vec<u8> {
    [&RP_ID_HASH[..], &[flags, 0, 0, 0, 0]].concat()
}

/// `{1: "none", 2: data with a key of P-256, 3: {}}`.
fn registration() -> Vec<u8> {
    let x_and_y = [&b"\x21\x58\x20"[..], &[4; 32], b"\x22\x58\x20", &[5; 32]].concat();
    let key = [&b"\xa5\x01\x02\x03\x26\x20\x01"[..], &x_and_y].concat();
    let data = [&authenticator_data(0x45)[..], &[0; 16], &[0, 2, 1, 2], &key].concat();
    [&b"\xa3\x01\x64none\x02\x58"[..], &length(&data), &data, b"\x03\xa0"].concat()
}

/// `{1: credential, 2: data, 3: signature, 4: user}`.
fn signature() -> Vec<u8> {
    let data = authenticator_data(0x05);
    let credential = b"\xa4\x01\xa2\x62id\x42\x01\x02\x64type\x6apublic-key\x02\x58";
    [&credential[..], &length(&data), &data, b"\x03\x44\x30\x02\x01\x01\x04\xa1\x62id\x43\x01\x02\x03"]
        .concat()
}

/// `{1: versions, 3: model, 4: options, 9: transports}`.
fn description() -> Vec<u8> {
    let options = b"\x04\xa2\x62rk\xf5\x62uv\xf5\x09\x82\x68internal\x66hybrid";
    [&b"\xa4\x01\x81\x68FIDO_2_0\x03\x50"[..], &[0; 16], options].concat()
}

/// The length byte of a byte string of less than 256 bytes.
fn length(bytes: &[u8]) -> [u8; 1] {
    [u8::try_from(bytes.len()).unwrap_or_default()]
}
