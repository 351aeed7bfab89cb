//! Tokens that expire, and the keys that they are made with.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    Denied, FileError,
    file::{entries, is_name},
};

/// The first part of every token.
const VERSION: &str = "v1";
/// The shortest and the longest key in bytes.
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 32..=128;
/// The longest life of a token, unless said otherwise.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// How far the clock of who makes tokens may be ahead.
const LEEWAY: Duration = Duration::from_secs(60);

/// A key for tokens, with the ID by which tokens name it. `Debug` shows the ID only.
#[derive(Clone)]
pub struct HmacKey {
    id: String,
    /// Ready for the text to be authenticated. Wiped when dropped.
    mac: Hmac<Sha256>,
}

/// One or more keys, so that a new one can come into use before the old one is given up.
#[derive(Debug, Clone)]
pub struct HmacKeys {
    keys: Vec<HmacKey>,
    max_lifetime: Duration,
}

impl HmacKey {
    /// The ID by which tokens name the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn parse(line: usize, entry: &str) -> Result<Self, FileError> {
        let (id, digits) = entry.split_once(':').ok_or(FileError::NoId { line })?;
        let id = id.trim_end();
        if !is_name(id) {
            return Err(FileError::Name { line });
        }
        let key = HEXLOWER_PERMISSIVE.decode(digits.trim_start().as_bytes()).map(Zeroizing::new);
        let key = key.ok().filter(|key| KEY_LENGTHS.contains(&key.len())).ok_or(FileError::Key { line })?;
        let mac = Hmac::new_from_slice(&key).map_err(|_| FileError::Key { line })?;
        Ok(Self { id: id.to_owned(), mac })
    }

    fn mac(&self, claim: &str) -> Hmac<Sha256> {
        self.mac.clone().chain_update(claim.as_bytes())
    }
}

impl HmacKeys {
    /// Reads a file of keys: one per line, as `ID:key` with 64 to 256 hexadecimal digits, with `#` before comments.
    ///
    /// All of them are valid. By convention the first is the one to make tokens with. Tokens may live for a day.
    ///
    /// # Errors
    /// [`FileError`] with the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let mut keys: Vec<HmacKey> = Vec::new();
        for (line, entry) in entries(text) {
            let key = HmacKey::parse(line, entry)?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(FileError::Twice { line });
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(FileError::Empty) } else { Ok(Self { keys, max_lifetime: MAX_LIFETIME }) }
    }

    /// The same keys for tokens that expire in at most `max_lifetime`, and a minute more for clocks that differ.
    #[must_use]
    pub const fn with_max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.max_lifetime = max_lifetime;
        self
    }

    /// The longest time until a token may expire.
    pub const fn max_lifetime(&self) -> Duration {
        self.max_lifetime
    }

    /// The first key of the file.
    pub fn first(&self) -> Option<&HmacKey> {
        self.keys.first()
    }

    /// The key with this ID.
    pub fn get(&self, id: &str) -> Option<&HmacKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// Checks a token; gives the ID of its key.
    ///
    /// The clock only matters to who asks now: when it jumps, tokens are refused too early or too late, and
    /// nothing that is already open is touched.
    pub(super) fn check(&self, token: &[u8], now: SystemTime) -> Result<&str, Denied> {
        let token = std::str::from_utf8(token).map_err(|_| Denied::Invalid)?;
        let (claim, mac) = token.rsplit_once('.').ok_or(Denied::Invalid)?;
        let [VERSION, id, expiry] = *claim.split('.').collect::<Vec<_>>().as_slice() else {
            return Err(Denied::Invalid);
        };
        let key = self.get(id).ok_or(Denied::Invalid)?;
        let mac = HEXLOWER_PERMISSIVE.decode(mac.as_bytes()).map_err(|_| Denied::Invalid)?;
        key.mac(claim).verify_slice(&mac).map_err(|_| Denied::Invalid)?;
        // What follows is told to holders of the key only.
        let expiry = expiry.parse().map_err(|_| Denied::Invalid)?;
        match Duration::from_secs(expiry).checked_sub(since_1970(now)) {
            None | Some(Duration::ZERO) => Err(Denied::Expired),
            Some(left) if left > self.max_lifetime.saturating_add(LEEWAY) => Err(Denied::TooLong),
            Some(_) => Ok(&key.id),
        }
    }
}

/// Makes a token that is valid until `expires`, rounded down to a second.
pub fn mint(key: &HmacKey, expires: SystemTime) -> String {
    let claim = format!("{VERSION}.{id}.{expiry}", id = key.id, expiry = since_1970(expires).as_secs());
    let mac = HEXLOWER.encode(&key.mac(&claim).finalize().into_bytes());
    format!("{claim}.{mac}")
}

/// Nothing before 1970, where no token is valid.
fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacKey").field("id", &self.id).finish_non_exhaustive()
    }
}
