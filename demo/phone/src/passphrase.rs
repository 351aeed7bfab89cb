//! The passphrase by which the phone's owner is verified.

use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, PasswordVerifier, Version,
    password_hash::{PasswordHash, PasswordHasher, SaltString},
};
use zeroize::Zeroizing;

/// The fewest characters of a passphrase, as for a security key's PIN (CTAP 2.1 section 6.5.1).
pub(crate) const MIN_CHARS: usize = 4;
/// Memory in KiB, passes and lanes of a new hash: the second choice of RFC 9106 section 4.
const COST: (u32, u32, u32) = (64 * 1024, 3, 4);
/// The most memory in KiB, passes and lanes that a stored hash may ask for.
const MAX_COST: (u32, u32, u32) = (1024 * 1024, 16, 16);
/// The longest password hash in bytes.
const MAX_PHC: usize = 512;

/// The hash of a passphrase: tells whether another is the same. Argon2id (RFC 9106) in PHC string format.
#[derive(Clone)]
pub struct Verifier(Zeroizing<String>);

impl Verifier {
    /// Hashes a passphrase, which takes a good part of a second. `None` without randomness or memory.
    pub fn new(passphrase: &str) -> Option<Self> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).ok()?;
        let salt = SaltString::encode_b64(&salt).ok()?;
        let (memory, passes, lanes) = COST;
        let params = Params::new(memory, passes, lanes, None).ok()?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = argon.hash_password(passphrase.as_bytes(), &salt).ok()?;
        Some(Self(Zeroizing::new(hash.to_string())))
    }

    /// Whether this is the passphrase. Takes as long as [`Self::new`], and as long for a wrong one.
    pub fn matches(&self, passphrase: &str) -> bool {
        let Ok(hash) = PasswordHash::new(&self.0) else { return false };
        Argon2::default().verify_password(passphrase.as_bytes(), &hash).is_ok()
    }

    /// Takes a hash that this program could have made, and no other.
    pub(crate) fn from_phc(text: &str) -> Option<Self> {
        if text.len() > MAX_PHC {
            return None;
        }
        let hash = PasswordHash::new(text).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let (memory, passes, lanes) = MAX_COST;
        let known = hash.algorithm == Algorithm::Argon2id.ident()
            && hash.version == Some(Version::V0x13.into())
            && hash.salt.is_some()
            && hash.hash.is_some()
            && params.m_cost() <= memory
            && params.t_cost() <= passes
            && params.p_cost() <= lanes;
        known.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    pub(crate) fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passphrase_is_known_again_and_no_other() {
        let verifier = Verifier::new("correct horse").unwrap();
        let stored = Verifier::from_phc(verifier.as_phc()).unwrap();
        assert!(stored.matches("correct horse"));
        assert!(!stored.matches("correct hors") && !stored.matches("correct horse ") && !stored.matches(""));
        assert_ne!(Verifier::new("correct horse").unwrap().as_phc(), verifier.as_phc(), "a salt of its own");
        assert_eq!(format!("{verifier:?}"), "Verifier");
    }

    #[test]
    fn hashes_of_another_kind_are_refused() {
        const SALT_AND_HASH: &str = "c29tZXNhbHRzb21lc2FsdA$rnvkkVvzAK/jA4tFnfTBXq4uKkt3CoIyvPfB1jWTsLE";
        let phc = |head: &str| format!("{head}${SALT_AND_HASH}");
        assert!(Verifier::from_phc(&phc("$argon2id$v=19$m=65536,t=3,p=4")).is_some());
        for text in [
            String::new(),
            "passphrase".to_owned(),
            phc("$argon2i$v=19$m=65536,t=3,p=4"),
            phc("$argon2id$v=16$m=65536,t=3,p=4"),
            phc("$argon2id$m=65536,t=3,p=4"),
            phc("$argon2id$v=19$m=4194304,t=3,p=4"),
            phc("$argon2id$v=19$m=65536,t=3000000,p=4"),
            phc("$argon2id$v=19$m=65536,t=3,p=400"),
            "$argon2id$v=19$m=65536,t=3,p=4".to_owned(),
            "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA".to_owned(),
            phc("$argon2id$v=19$m=65536,t=3,p=4") + &"A".repeat(600),
        ] {
            assert!(Verifier::from_phc(&text).is_none(), "{text}");
        }
    }
}
