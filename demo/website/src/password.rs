//! Passwords: for whoever has no passkey yet.

use std::{fmt, sync::Arc};

use argon2::{
    Algorithm, Argon2, Params, PasswordVerifier, Version,
    password_hash::{PasswordHash, PasswordHasher, SaltString},
};
use serde::{Deserialize, Deserializer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::error::SiteError;

/// The fewest characters of a new password, and the most bytes of any.
pub(crate) const MIN_CHARS: usize = 12;
pub(crate) const MAX_BYTES: usize = 256;
/// Memory in KiB, passes and lanes. Enough to make guessing dear, and little enough for a server that is asked often.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// How many are hashed at a time, and how many more may wait for it.
const WORKERS: usize = 2;
const WAITING: usize = 32;

/// A password, as somebody typed it.
pub(crate) struct Password(Zeroizing<String>);

impl Password {
    /// Whether it may be chosen.
    pub(crate) fn check(&self) -> Result<(), SiteError> {
        let fits = self.0.chars().count() >= MIN_CHARS && self.0.len() <= MAX_BYTES;
        if fits { Ok(()) } else { Err(SiteError::WeakPassword) }
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// What is kept of a password: Argon2id (RFC 9106) in PHC string format.
#[derive(Clone)]
pub(crate) struct Hash(Zeroizing<String>);

impl Hash {
    pub(crate) fn stored(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn of(password: &Password) -> Option<Self> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).ok()?;
        let salt = SaltString::encode_b64(&salt).ok()?;
        let (memory, passes, lanes) = COST;
        let params = Params::new(memory, passes, lanes, None).ok()?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Some(Self::stored(argon.hash_password(password.0.as_bytes(), &salt).ok()?.to_string()))
    }

    /// Takes as long for a wrong password as for the right one.
    fn matches(&self, password: &Password) -> bool {
        let Ok(hash) = PasswordHash::new(&self.0) else { return false };
        Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash")
    }
}

/// A place in the queue of a hasher.
pub(crate) struct Place(
    #[expect(dead_code, reason = "it is held, and given back on drop")] OwnedSemaphorePermit,
);

/// Hashes on threads of their own, a few at a time: each takes 19 MiB and some hundredths of a second.
#[derive(Clone)]
pub(crate) struct Hasher {
    workers: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Of a password that nobody has, for users that there are not.
    nobody: Hash,
}

impl Hasher {
    pub(crate) fn new() -> Result<Self, SiteError> {
        let nobody = Hash::of(&Password::from("nobody has this password".to_owned()));
        Ok(Self {
            workers: Arc::new(Semaphore::new(WORKERS)),
            queue: Arc::new(Semaphore::new(WORKERS + WAITING)),
            nobody: nobody.ok_or(SiteError::Broken)?,
        })
    }

    /// A place in the queue, if there is one.
    pub(crate) fn place(&self) -> Result<Place, SiteError> {
        Arc::clone(&self.queue).try_acquire_owned().map(Place).map_err(|_| SiteError::Busy)
    }

    pub(crate) async fn hash(&self, password: Password) -> Result<Hash, SiteError> {
        self.work(self.place()?, move || Hash::of(&password)).await?.ok_or(SiteError::Broken)
    }

    /// Whether it is the password. Without a hash it never is, which takes as long to find out.
    pub(crate) async fn verify(
        &self,
        place: Place,
        hash: Option<Hash>,
        password: Password,
    ) -> Result<bool, SiteError> {
        let (known, hash) = (hash.is_some(), hash.unwrap_or_else(|| self.nobody.clone()));
        self.work(place, move || hash.matches(&password) && known).await
    }

    async fn work<T: Send + 'static>(
        &self,
        _place: Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SiteError> {
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| SiteError::Broken)?;
        // The permit goes along: the work goes on when nobody waits for it any more.
        let hashed = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(worker);
            done
        });
        hashed.await.map_err(|_| SiteError::Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::from(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let hasher = Hasher::new().unwrap();
        let hash = hasher.hash(password("correct horse")).await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let stored = Some(Hash::stored(hash.as_str().to_owned()));
        let verify =
            async |hash, text| hasher.verify(hasher.place().unwrap(), hash, password(text)).await.unwrap();
        assert!(verify(stored.clone(), "correct horse").await);
        assert!(!verify(stored, "correct horsf").await);
        assert!(!verify(None, "nobody has this password").await);
        let damaged = Some(Hash::stored("$argon2id$".to_owned()));
        assert!(!verify(damaged, "correct horse").await);
    }

    #[test]
    fn new_ones_have_limits_and_none_is_shown() {
        for (text, fits) in [
            ("short".to_owned(), false),
            ("é".repeat(12), true),
            ("x".repeat(256), true),
            ("x".repeat(257), false),
        ] {
            assert_eq!(password(&text).check().is_ok(), fits, "{text}");
        }
        assert_eq!(format!("{:?}", password("correct horse")), "Password");
        assert_eq!(format!("{:?}", Hash::stored("$argon2id$".to_owned())), "Hash");
    }
}
