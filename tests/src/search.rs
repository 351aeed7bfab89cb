//! Looking for secrets in a log, in every form in which a program may have written them.

use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};

/// How many bytes in a row count as a find: enough that no chance makes them.
const PIECE: usize = 8;
/// How many characters of a text in a row count as a find.
const TEXT_PIECE: usize = 17;
/// Encodings of fewer characters than these would be found by chance.
const SHORTEST_ENCODED: usize = 8;

/// A secret under a name that may be printed.
pub struct Secret {
    name: String,
    contents: Contents,
}

enum Contents {
    Bytes(Vec<u8>),
    Text(String),
}

impl Secret {
    /// A byte string of at least one byte. Of a long one, any 15 bytes in a row are found.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        assert!(!bytes.is_empty(), "{name} is empty");
        Self { name, contents: Contents::Bytes(bytes) }
    }

    /// An ASCII text, of which any 33 characters in a row are found.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        let (name, text) = (name.into(), text.into());
        assert!(!text.is_empty() && text.is_ascii(), "{name}");
        Self { name, contents: Contents::Text(text) }
    }

    /// How it stands in the log, as `name in form`; nothing if it does not.
    pub fn find(&self, log: &str) -> Option<String> {
        let form = match &self.contents {
            Contents::Bytes(bytes) => pieces(bytes, PIECE).find_map(|piece| {
                let stands = |written: &str| match piece.len() {
                    PIECE => contains(log, written),
                    _ => contains_word(log, written),
                };
                forms(piece).into_iter().find(|(_, written)| stands(written)).map(|(form, _)| form)
            }),
            Contents::Text(text) => pieces(text.as_bytes(), TEXT_PIECE).find_map(|piece| {
                let piece = std::str::from_utf8(piece).unwrap();
                contains(log, piece).then_some("plain text")
            }),
        };
        form.map(|form| format!("{} in {form}", self.name))
    }

    /// The secret as a careless program writes it: once in every form.
    pub fn written(&self) -> Vec<String> {
        match &self.contents {
            Contents::Bytes(bytes) => forms(bytes).into_iter().map(|(_, written)| written).collect(),
            Contents::Text(text) => vec![text.clone()],
        }
    }
}

/// Which of the secrets stand in the log, and how.
pub fn find_all(log: &str, secrets: &[Secret]) -> Vec<String> {
    secrets.iter().filter_map(|secret| secret.find(log)).collect()
}

/// `str::contains`, by a library that is optimised in test builds too: there is a lot to look for.
fn contains(log: &str, wanted: &str) -> bool {
    memchr::memmem::find(log.as_bytes(), wanted.as_bytes()).is_some()
}

/// Whether a text too short to be unmistakable stands by itself, as in `/0A1B2C/`, and not in the middle of other
/// letters and digits.
fn contains_word(log: &str, word: &str) -> bool {
    let is_part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    log.match_indices(word).any(|(at, _)| {
        let (before, behind) = (log.get(..at), log.get(at.saturating_add(word.len())..));
        !is_part(before.and_then(|text| text.chars().next_back()))
            && !is_part(behind.and_then(|text| text.chars().next()))
    })
}

/// Pieces of this length, side by side, the last one at the very end.
fn pieces(bytes: &[u8], length: usize) -> impl Iterator<Item = &[u8]> {
    let last = bytes.len().saturating_sub(length);
    bytes.chunks_exact(length).chain(bytes.get(last..))
}

/// All ways to write some bytes that are looked for.
fn forms(bytes: &[u8]) -> Vec<(&'static str, String)> {
    let each = |write: fn(&u8) -> String| bytes.iter().map(write).collect::<Vec<_>>();
    let (decimal, hex) = (each(u8::to_string), each(|byte| format!("{byte:02x}")));
    let (upper, prefixed) = (each(|byte| format!("{byte:02X}")), each(|byte| format!("0x{byte:02x}")));
    let mut forms = vec![
        ("raw bytes", String::from_utf8_lossy(bytes).into_owned()),
        ("Latin-1", bytes.iter().copied().map(char::from).collect()),
        ("an escaped byte string", bytes.escape_ascii().to_string()),
        ("upper-case hex", HEXUPPER.encode(bytes)),
        ("lower-case hex", HEXLOWER.encode(bytes)),
        ("a decimal list", decimal.join(", ")),
        ("a dense decimal list", decimal.join(",")),
        ("a list of lines", decimal.join(",\n    ")),
        ("a list of hex bytes", hex.join(", ")),
        ("a list of upper-case hex bytes", upper.join(", ")),
        ("a list of prefixed hex bytes", prefixed.join(", ")),
        ("hex bytes with spaces", hex.join(" ")),
        ("hex bytes with colons", hex.join(":")),
    ];
    for (form, encoding, bits) in
        [("base64", &BASE64_NOPAD, 6), ("base64url", &BASE64URL_NOPAD, 6), ("base32", &BASE32_NOPAD, 5)]
    {
        // What stands before the bytes decides how they share characters with it.
        let encoded = (0..bits).map(|before| encoded(encoding, bits, before, bytes));
        forms.extend(encoded.filter(|text| text.len() >= SHORTEST_ENCODED).map(|text| (form, text)));
    }
    forms
}

/// The characters that the bytes alone determine, behind `before` other bytes. Each character holds `bits` bits.
fn encoded(encoding: &Encoding, bits: usize, before: usize, bytes: &[u8]) -> String {
    let text = encoding.encode(&[vec![0; before], bytes.to_vec()].concat());
    let (first, last) = ((before * 8).div_ceil(bits), (before + bytes.len()) * 8 / bits);
    text.get(first..last).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> Vec<u8> {
        (0..32_u8).map(|number| 200_u8.wrapping_add(number.wrapping_mul(7))).collect()
    }

    fn secret() -> Secret {
        Secret::bytes("the secret", bytes())
    }

    #[test]
    fn every_form_is_found_wherever_it_stands() {
        for written in secret().written() {
            assert!(secret().find(&format!("before {written} behind")).is_some(), "{written}");
        }
        let bytes = bytes();
        for shown in [
            format!("{bytes:?}"),
            format!("{bytes:#?}"),
            format!("{bytes:02x?}"),
            format!("{bytes:02X?}"),
            format!("{:?}", bytes.as_slice().escape_ascii().to_string()).replace("\\\\", "\\"),
            String::from_utf8_lossy(&bytes).into_owned(),
        ] {
            assert!(secret().find(&shown).is_some(), "{shown}");
        }
        assert!(secret().find("before and behind").is_none());
    }

    #[test]
    fn a_part_is_found_too_and_a_few_bytes_are_not() {
        let bytes = bytes();
        for at in 0..=17 {
            let part = format!("{:?}", &bytes[at..at + 15]);
            assert_eq!(secret().find(&part).as_deref(), Some("the secret in a decimal list"), "{at}");
        }
        for at in 0..=25 {
            assert!(secret().find(&HEXLOWER.encode(&bytes[at..at + 7])).is_none(), "{at}");
        }
    }

    #[test]
    fn encodings_are_found_at_every_offset() {
        for before in 0..6 {
            let bytes = [vec![0xEE; before], bytes(), vec![0x11; 3]].concat();
            for encoding in [&BASE64_NOPAD, &BASE64URL_NOPAD, &BASE32_NOPAD] {
                assert!(secret().find(&encoding.encode(&bytes)).is_some(), "{before}");
            }
        }
    }

    #[test]
    fn short_secrets_are_found_as_a_whole() {
        let routing = Secret::bytes("routing ID", [0xAB, 0x01, 0xCD]);
        assert!(routing.find("at AB01CD now").is_some());
        assert!(routing.find("[171, 1, 205]").is_some());
        assert!(routing.find("/cable/connect/AB01CD/").is_some());
        assert!(routing.find("RoutingId(ab..)").is_none());
        assert!(routing.find("payload: 0x77ab01cd88").is_none());
    }

    #[test]
    fn texts_are_found_in_part() {
        let code = Secret::text("code", format!("FIDO:/{}", "31415926535897932384626".repeat(5)));
        assert!(code.find("QrUri(121 characters)").is_none());
        assert!(code.find("at 5926535897932384626314159265358979323 there").is_some());
    }
}
