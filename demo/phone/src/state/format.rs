//! The format of the state file: bytes in, passkeys out, and back.
//!
//! A JSON object (RFC 8259), version 1:
//!
//! ```json
//! {
//!   "format": "hybridge-phone-state",
//!   "version": 1,
//!   "passphrase": "$argon2id$v=19$m=…,t=…,p=…$salt$hash",
//!   "passkeys": [
//!     {
//!       "rpId": "example.com",
//!       "credentialId": "base64url",
//!       "userHandle": "base64url",
//!       "username": "ada",
//!       "userDisplayName": "Ada Lovelace",
//!       "key": "base64url of a PKCS#8 private key",
//!       "discoverable": true,
//!       "created": 1767225600
//!     }
//!   ]
//! }
//! ```
//!
//! `passphrase` is absent until one was chosen; it is a password hash in PHC string format, and nothing is encrypted
//! with it. `passkeys` has the oldest first; `created` is in Unix seconds. Base64url is without padding (RFC 4648
//! section 5). Member names and the key's encoding are those of the FIDO Credential Exchange Format where that has
//! the member.
//!
//! A reader takes version 1 exactly: a member it does not know makes the file unreadable, since writing it back
//! would lose that member.

use std::{borrow::Cow, fmt};

use data_encoding::BASE64URL_NOPAD;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};
use thiserror::Error;
use zeroize::Zeroizing;

use super::passkey::{PrivateKey, StoredPasskey};
use crate::passphrase::Verifier;

const FORMAT: &str = "hybridge-phone-state";
const VERSION: u64 = 1;

/// The most passkeys that one state holds.
pub(crate) const MAX_PASSKEYS: usize = 4096;
/// The largest state file in bytes.
pub(crate) const MAX_FILE: usize = 32 * 1024 * 1024;

/// Why bytes are not a state file of this version. No variant holds any of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes are not JSON as described, or not the state of a phone.
    #[error("line {line}, column {column} is not as it should be")]
    Json {
        /// Counted from 1; 0 if the fault has no place.
        line: usize,
        /// Counted from 1; 0 if the fault has no place.
        column: usize,
    },
    /// The file says that it is of another kind.
    #[error("it is another program's file")]
    OtherFormat,
    /// A version that only another program knows.
    #[error("it has version {0} of the format")]
    Version(u64),
    /// The password hash is not one that this program makes.
    #[error("its passphrase entry is unusable")]
    Passphrase,
    /// A passkey has a member that cannot be.
    #[error("passkey {0} in it is unusable")]
    Passkey(usize),
    /// More than this program keeps.
    #[error("it is larger than any that this program writes")]
    TooLarge,
}

/// What a phone keeps.
#[derive(Debug, Default)]
pub struct State {
    pub(crate) passphrase: Option<Verifier>,
    /// The oldest first.
    pub(crate) passkeys: Vec<StoredPasskey>,
}

impl State {
    /// Reads a state file. What [`State::encode`] has written is read as it was.
    ///
    /// # Errors
    /// [`FormatError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() > MAX_FILE {
            return Err(FormatError::TooLarge);
        }
        let head: Head = serde_json::from_slice(bytes).map_err(place)?;
        if head.format != FORMAT {
            return Err(FormatError::OtherFormat);
        }
        if head.version != VERSION {
            return Err(FormatError::Version(head.version));
        }
        let file: File = serde_json::from_slice(bytes).map_err(place)?;
        if file.passkeys.len() > MAX_PASSKEYS {
            return Err(FormatError::TooLarge);
        }
        let read = |text: Cow<'_, str>| Verifier::from_phc(&text).ok_or(FormatError::Passphrase);
        let passphrase = file.passphrase.map(read).transpose()?;
        let mut state = Self { passphrase, passkeys: Vec::with_capacity(file.passkeys.len()) };
        let mut ids = std::collections::HashSet::new();
        for (index, entry) in file.passkeys.into_iter().enumerate() {
            let passkey = entry.check().ok_or(FormatError::Passkey(index))?;
            if !ids.insert(passkey.credential_id.clone()) {
                return Err(FormatError::Passkey(index));
            }
            state.passkeys.push(passkey);
        }
        Ok(state)
    }

    /// The bytes of a state file. They hold every private key, and are wiped when dropped.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let file = File {
            format: FORMAT.into(),
            version: VERSION,
            passphrase: self.passphrase.as_ref().map(|verifier| verifier.as_phc().into()),
            passkeys: self.passkeys.iter().map(Entry::of).collect(),
        };
        // Room for all of it at once, since a vector that grows leaves its old bytes behind.
        let mut size = Counter(0);
        let counted = serde_json::to_writer_pretty(&mut size, &file);
        let mut bytes = Zeroizing::new(Vec::with_capacity(size.0.saturating_add(1)));
        let written = serde_json::to_writer_pretty(&mut *bytes, &file);
        debug_assert!(counted.is_ok() && written.is_ok(), "strings and numbers are always JSON");
        bytes.push(b'\n');
        bytes
    }

    /// How many passkeys there are.
    pub const fn len(&self) -> usize {
        self.passkeys.len()
    }

    /// Whether there is no passkey.
    pub const fn is_empty(&self) -> bool {
        self.passkeys.is_empty()
    }
}

/// The parser's words may quote the file, so that only the place is kept.
fn place(error: serde_json::Error) -> FormatError {
    FormatError::Json { line: error.line(), column: error.column() }
}

/// Counts the bytes written to it.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What every version has.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    format: Cow<'a, str>,
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(borrow)]
    format: Cow<'a, str>,
    version: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    passphrase: Option<Cow<'a, str>>,
    #[serde(borrow)]
    passkeys: Vec<Entry<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    rp_id: Cow<'a, str>,
    credential_id: Bytes,
    user_handle: Bytes,
    #[serde(borrow)]
    username: Cow<'a, str>,
    #[serde(borrow)]
    user_display_name: Cow<'a, str>,
    key: Bytes,
    discoverable: bool,
    created: u64,
}

impl<'a> Entry<'a> {
    fn of(passkey: &'a StoredPasskey) -> Self {
        Self {
            rp_id: (&passkey.rp_id).into(),
            credential_id: Bytes::of(&passkey.credential_id),
            user_handle: Bytes::of(&passkey.user_handle),
            username: (&passkey.user_name).into(),
            user_display_name: (&passkey.user_display_name).into(),
            key: Bytes::of(passkey.key.as_pkcs8()),
            discoverable: passkey.discoverable,
            created: passkey.created,
        }
    }

    fn check(self) -> Option<StoredPasskey> {
        StoredPasskey {
            credential_id: self.credential_id.0.to_vec(),
            rp_id: self.rp_id.into_owned(),
            user_handle: self.user_handle.0.to_vec(),
            user_name: self.username.into_owned(),
            user_display_name: self.user_display_name.into_owned(),
            key: PrivateKey::from_pkcs8(self.key.0)?,
            discoverable: self.discoverable,
            created: self.created,
        }
        .checked()
    }
}

/// Base64url in the file.
struct Bytes(Zeroizing<Vec<u8>>);

impl Bytes {
    fn of(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64URL_NOPAD.encode(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(BytesVisitor)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64url")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| E::custom("not base64url"))?;
        Ok(Bytes(Zeroizing::new(bytes)))
    }
}

#[cfg(test)]
mod tests;
