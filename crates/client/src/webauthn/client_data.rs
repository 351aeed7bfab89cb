//! The client data: what a passkey signs besides its own data (WebAuthn Level 3 section 5.8.1).

use sha2::{Digest, Sha256};

use super::{base64, origin::Origin};

/// The JSON text, and the hash of it that goes to the phone.
#[derive(Clone)]
pub(super) struct ClientData {
    pub(super) json: Vec<u8>,
    pub(super) hash: [u8; 32],
}

impl ClientData {
    /// For one ceremony; `ty` is `webauthn.create` or `webauthn.get`.
    ///
    /// The text is made by the rules of section 5.8.1.1, which fix the order of members and leave no blanks, so that a
    /// website without a JSON reader can compare it.
    pub(super) fn new(ty: &str, challenge: &[u8], origin: &Origin) -> Self {
        let (challenge, origin) = (base64::encode(challenge), origin.as_str());
        // An origin has nothing in it that JSON would escape: no quote, no backslash, no control character.
        let json =
            format!(r#"{{"type":"{ty}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#);
        let hash = Sha256::digest(&json).into();
        Self { json: json.into_bytes(), hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_specified_one() {
        let origin = Origin::parse("https://demo.example:8443").unwrap();
        let data = ClientData::new("webauthn.get", b"challenge", &origin);
        let expected = r#"{"type":"webauthn.get","challenge":"Y2hhbGxlbmdl","origin":"https://demo.example:8443","crossOrigin":false}"#;
        assert_eq!(data.json, expected.as_bytes());
        assert_eq!(data.hash[..], Sha256::digest(expected)[..]);
    }
}
