//! From a COSE key (RFC 9053) to the form that most libraries read, SubjectPublicKeyInfo in DER (RFC 5280).

use super::cbor::{self, Key};

/// Object identifiers and headers in front of a point of P-256 without its leading byte.
const P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
/// The same in front of a key of Ed25519.
const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
/// The algorithm identifier of RSA keys.
const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// The key in DER, for the three algorithms that WebAuthn demands of clients: ES256, EdDSA with Ed25519, RS256.
pub(super) fn to_der(key: &[u8], algorithm: i64) -> Option<Vec<u8>> {
    let number = |label| cbor::number(key, Key::Number(label));
    let bytes = |label| cbor::bytes(key, Key::Number(label));
    match (algorithm, number(1)?) {
        (-7, 2) if number(-1) == Some(1) => {
            let (x, y): (&[u8; 32], &[u8; 32]) = (bytes(-2)?.try_into().ok()?, bytes(-3)?.try_into().ok()?);
            Some([P256, x, y].concat())
        }
        (-8, 1) if number(-1) == Some(6) => {
            let x: &[u8; 32] = bytes(-2)?.try_into().ok()?;
            Some([ED25519, x].concat())
        }
        (-257, 3) => rsa(bytes(-1)?, bytes(-2)?),
        _ => None,
    }
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    let numbers = element(SEQUENCE, &[integer(modulus)?, integer(exponent)?].concat())?;
    // No bit of the last byte is unused.
    let bits = element(BIT_STRING, &[&[0], numbers.as_slice()].concat())?;
    element(SEQUENCE, &[RSA, &bits].concat())
}

/// An unsigned integer: without zeros in front, but with one if it would look negative.
fn integer(bytes: &[u8]) -> Option<Vec<u8>> {
    let start = bytes.iter().position(|byte| *byte != 0)?;
    let digits = bytes.get(start..)?;
    let sign: &[u8] = if digits.first()? & 0x80 == 0 { &[] } else { &[0] };
    element(INTEGER, &[sign, digits].concat())
}

/// `None` beyond 65535 bytes, which no key has.
fn element(tag: u8, contents: &[u8]) -> Option<Vec<u8>> {
    let [high, low] = u16::try_from(contents.len()).ok()?.to_be_bytes();
    let head: &[u8] = match (high, low) {
        (0, 0..=0x7f) => &[tag, low],
        (0, _) => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    Some([head, contents].concat())
}
