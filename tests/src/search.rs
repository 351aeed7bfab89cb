//! Looking for secrets in a text, in every form in which a program may have written them.

use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};

/// How many bytes in a row count as a find: enough that no chance makes them.
const WINDOW: usize = 8;

/// A secret under a name that may be printed.
pub struct Secret {
    name: String,
    bytes: Vec<u8>,
}

impl Secret {
    /// A secret of at least one byte. Of a long one, any 8 bytes in a row count.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        assert!(!bytes.is_empty(), "{name} is empty");
        Self { name, bytes }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How it stands in the text, as `name in form`; nothing if it does not.
    pub fn find(&self, text: &[u8]) -> Option<String> {
        let pieces = self.bytes.windows(WINDOW.min(self.bytes.len()));
        let found = pieces.into_iter().find_map(|piece| {
            let (form, _) = forms(piece).into_iter().find(|(_, written)| contains(text, written))?;
            Some(form)
        });
        found.map(|form| format!("{} in {form}", self.name))
    }
}

/// Which of the secrets stand in the text, and how.
pub fn find_all(text: &[u8], secrets: &[Secret]) -> Vec<String> {
    secrets.iter().filter_map(|secret| secret.find(text)).collect()
}

/// All ways to write some bytes that are looked for.
pub fn forms(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let decimal: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let hexadecimal: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let prefixed: Vec<_> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
    let mut forms = vec![
        ("raw bytes", bytes.to_vec()),
        ("upper-case hex", HEXUPPER.encode(bytes).into_bytes()),
        ("lower-case hex", HEXLOWER.encode(bytes).into_bytes()),
        ("a decimal list", decimal.join(", ").into_bytes()),
        ("a dense decimal list", decimal.join(",").into_bytes()),
        ("a list of hex bytes", hexadecimal.join(", ").into_bytes()),
        ("hex bytes with spaces", hexadecimal.join(" ").into_bytes()),
        ("hex bytes with colons", hexadecimal.join(":").into_bytes()),
        ("a list of prefixed hex bytes", prefixed.join(", ").into_bytes()),
        ("an escaped byte string", bytes.escape_ascii().to_string().into_bytes()),
    ];
    for (form, encoding, bits) in
        [("base64", &BASE64_NOPAD, 6), ("base64url", &BASE64URL_NOPAD, 6), ("base32", &BASE32_NOPAD, 5)]
    {
        // What stands before the bytes decides how they share letters with it.
        forms.extend((0..bits).map(|before| (form, encoded(encoding, bits, before, bytes))));
    }
    forms.retain(|(_, written)| !written.is_empty());
    forms
}

/// The letters that the bytes alone determine, behind `before` other bytes. Each letter holds `bits` bits.
fn encoded(encoding: &Encoding, bits: usize, before: usize, bytes: &[u8]) -> Vec<u8> {
    let text = encoding.encode(&[vec![0; before], bytes.to_vec()].concat());
    let (first, last) = ((before * 8).div_ceil(bits), (before + bytes.len()) * 8 / bits);
    text.as_bytes().get(first..last).unwrap_or_default().to_vec()
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("the secret", (0..32).map(|number| 200_u8.wrapping_add(number * 7)).collect::<Vec<_>>())
    }

    #[test]
    fn every_form_is_found_wherever_it_stands() {
        let secret = secret();
        for (form, written) in forms(secret.bytes()) {
            let text = [b"before ", written.as_slice(), b" behind"].concat();
            assert!(secret.find(&text).is_some(), "{form}");
        }
        let debug = format!("{:?} {:02X?} {:x?}", secret.bytes(), secret.bytes(), &secret.bytes()[4..20]);
        assert!(secret.find(debug.as_bytes()).is_some());
        assert!(secret.find(b"before and behind").is_none());
    }

    #[test]
    fn a_part_is_found_too_and_a_smaller_one_is_not() {
        let secret = secret();
        for at in 0..=24 {
            let text = format!("{:?}", &secret.bytes()[at..at + 8]);
            assert_eq!(secret.find(text.as_bytes()).unwrap(), "the secret in a decimal list");
            assert!(secret.find(HEXLOWER.encode(&secret.bytes()[at..at + 7]).as_bytes()).is_none());
        }
    }

    #[test]
    fn encodings_are_found_at_every_offset() {
        let secret = secret();
        for before in 0..6 {
            let bytes = [vec![0xEE; before], secret.bytes().to_vec(), vec![0x11; 3]].concat();
            for encoding in [&BASE64_NOPAD, &BASE64URL_NOPAD, &BASE32_NOPAD] {
                assert!(secret.find(encoding.encode(&bytes).as_bytes()).is_some(), "{before}");
            }
        }
    }

    #[test]
    fn short_secrets_are_found_as_a_whole() {
        let routing = Secret::new("routing ID", [0xAB, 0x01, 0xCD]);
        assert!(routing.find(b"at AB01CD now").is_some());
        assert!(routing.find(b"RoutingId(ab..)").is_none());
    }
}
