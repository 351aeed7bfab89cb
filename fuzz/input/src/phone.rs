//! Seeds for what phones read: requests of computers and tests, state files, pictures, answers of tunnel services.

use std::{error::Error, io};

use data_encoding::BASE64URL_NOPAD;
use hybridge_picture::Picture;

use crate::corpus::Corpus;

/// What private keys look like before their 32 bytes (RFC 8410 section 7, RFC 5915 in RFC 5208).
const ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const P256: &[u8] = b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
    \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";

pub(crate) fn write(corpus: &mut Corpus) -> Result<(), Box<dyn Error>> {
    requests(corpus)?;
    states(corpus)?;
    control(corpus)?;
    answers(corpus)?;
    for text in ["FIDO:/123", "HTTPS://SITE.EXAMPLE", "fido:/071231"] {
        corpus.add("picture", [&[0], Picture::draw(text)?.to_png()?.as_slice()].concat())?;
    }
    corpus.add("picture", [&[1, 21][..], &[0; 21 * 21]].concat())?;
    Ok(())
}

fn requests(corpus: &mut Corpus) -> io::Result<()> {
    let creation = [
        &b"\x01\xa5\x01\x58\x20"[..],
        &[7; 32],
        b"\x02\xa2\x62id\x6csite.example\x64name\x64Site",
        b"\x03\xa3\x62id\x43\x01\x02\x03\x64name\x63ada\x6bdisplayName\x63Ada",
        b"\x04\x81\xa2\x63alg\x26\x64type\x6apublic-key",
        b"\x07\xa2\x62rk\xf5\x62uv\xf5",
    ];
    let assertion = [
        &b"\x02\xa4\x01\x6csite.example\x02\x58\x20"[..],
        &[7; 32],
        b"\x03\x81\xa2\x62id\x42\x01\x02\x64type\x6apublic-key",
        b"\x05\xa1\x62uv\xf5",
    ];
    for request in [creation.concat(), assertion.concat(), vec![0x04], vec![0x08]] {
        corpus.add("ctap_request", request)?;
    }
    Ok(())
}

fn states(corpus: &mut Corpus) -> io::Result<()> {
    let passkey = |number: u8, key: &[u8]| {
        let id = BASE64URL_NOPAD.encode(&[number; 16]);
        let key = BASE64URL_NOPAD.encode(&[key, &[number; 32]].concat());
        format!(
            r#"{{"rpId": "site.example", "credentialId": "{id}", "userHandle": "AQ", "username": "ada",
            "userDisplayName": "Ada", "key": "{key}", "discoverable": true, "created": 1767225600}}"#
        )
    };
    let passphrase = r#""passphrase": "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$rnvkkVvzAK/jA4tFnfTBXq4uKkt3CoIyvPfB1jWTsLE","#;
    for (passphrase, passkeys) in [
        ("", String::new()),
        (passphrase, passkey(1, P256)),
        ("", format!("{}, {}", passkey(2, ED25519), passkey(3, P256))),
    ] {
        let head = r#""format": "hybridge-phone-state", "version": 1"#;
        corpus.add("phone_state", format!("{{{head}, {passphrase} \"passkeys\": [{passkeys}]}}"))?;
    }
    corpus.add("phone_state", r#"{"format": "hybridge-phone-state", "version": 7, "new": {}}"#)
}

fn control(corpus: &mut Corpus) -> io::Result<()> {
    for text in [
        r#"{"code": "FIDO:/"}"#,
        r#"{"answer": "wait", "delay_ms": 5, "account": "ada", "radio": false}"#,
        r#"{"account": null, "answer": "approve"}"#,
        "wait=asking%2Cfailed&session=2&timeout_ms=10",
    ] {
        corpus.add("control", text)?;
    }
    Ok(())
}

fn answers(corpus: &mut Corpus) -> io::Result<()> {
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: fido.cable\r\n";
    for answer in [
        format!("{upgrade}\r\n"),
        format!("{upgrade}X-caBLE-Routing-ID: 0102fe\r\nX-caBLE-Signal: true\r\n\r\n"),
        "HTTP/1.1 302 Found\r\nLocation: wss://other.example/cable/new\r\n\r\n".to_owned(),
        "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 22\r\n\r\ncome back in 5 seconds".to_owned(),
    ] {
        corpus.add("http_response", answer)?;
    }
    Ok(())
}
