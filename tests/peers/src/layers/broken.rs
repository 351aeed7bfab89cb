//! Codes that are not as they should be: whatever we take, webauthn-authenticator-rs takes too, and means the same
//! by it.

use hybridge_proto::{
    digits,
    keys::{PrivateKey, QrSecret},
    qr::{Hint, QrCode},
};
use rand_chacha::ChaCha20Rng;
use serde_cbor_2::Value;
use tokio::{io::AsyncReadExt, net::TcpListener};

use super::{
    below, rng,
    stub::{Phone, Reply},
};

const TEXTS: usize = 6_000;

/// Compares what becomes of damaged codes.
pub(crate) async fn codes() -> String {
    let mut rng = rng(4);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut both, mut neither, mut theirs_only, mut ours_only) = (0, 0, 0, 0);
    for _ in 0..TEXTS {
        let text = damaged(&mut rng);
        let ours = QrCode::parse(&text).ok().map(|code| code.secret.tunnel_id().to_hex());
        let theirs = tunnel_of_theirs(&listener, &text).await;
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => {
                assert_eq!(ours, theirs, "two meanings of one code");
                both += 1;
            }
            (None, None) => neither += 1,
            // We demand the canonical form and the right types, as Chromium does.
            (None, Some(_)) => theirs_only += 1,
            // An unknown key is ignored by us whatever it is; they want it to fit into 32 bits without a sign.
            (Some(_), None) => {
                assert!(has_odd_key(&text), "only we accept {text}");
                ours_only += 1;
            }
        }
    }
    assert!(both > 100 && neither > 100 && theirs_only > 0, "{both} {neither} {theirs_only}");
    format!(
        "{TEXTS} texts: {both} taken by both, {neither} by neither, {theirs_only} by them, {ours_only} by us"
    )
}

/// Whether a code has a key that is not an unsigned number of 32 bits.
fn has_odd_key(text: &str) -> bool {
    let cbor = digits::decode(&text["FIDO:/".len()..]).unwrap();
    let Value::Map(map) = serde_cbor_2::from_slice(&cbor).unwrap() else { return false };
    map.keys().any(|key| !matches!(key, Value::Integer(number) if u32::try_from(*number).is_ok()))
}

/// The text of a code with something done to it.
fn damaged(rng: &mut ChaCha20Rng) -> String {
    let mut code = QrCode::new(*PrivateKey::generate(rng).public_key(), QrSecret::generate(rng));
    code.timestamp = Some(1_700_000_000);
    code.hint = Some(Hint::MakeCredential);
    let mut text = code.to_uri().expose_text().to_owned();
    let mut cbor = code.to_cbor().to_vec();
    let at = below(rng, cbor.len());
    match below(rng, 8) {
        0 => return text.to_lowercase(),
        1 => text.truncate(below(rng, text.len())),
        2 => text.push('0'),
        3 => text.insert(below(rng, text.len()), '7'),
        // A key that nobody knows, at the end, where it belongs.
        4 => {
            cbor[0] += 1;
            cbor.extend([0x19, 0xff, 0xff, 0x00]);
        }
        5 => cbor[at] ^= 1 << below(rng, 8),
        6 => cbor.truncate(at),
        _ => {}
    }
    if cbor != code.to_cbor().as_slice() { format!("FIDO:/{}", digits::encode(&cbor)) } else { text }
}

/// The tunnel that their phone asks for when it is shown this text; none if it does not take it for a code.
async fn tunnel_of_theirs(listener: &TcpListener, text: &str) -> Option<String> {
    let mut phone = Phone::new(Reply::Refusal(0x27));
    let path = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; "GET /cable/new/".len() + 32];
        stream.read_exact(&mut head).await.unwrap();
        String::from_utf8_lossy(&head[15..]).into_owned()
    };
    tokio::select! {
        biased;
        path = path => Some(path),
        answered = phone.answer(text, 266, listener.local_addr().unwrap()) => {
            assert!(answered.is_err());
            None
        }
    }
}
