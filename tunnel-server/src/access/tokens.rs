//! Fixed tokens.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    Denied, FileError,
    file::{entries, is_name},
};

/// The shortest and the longest token in characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=512;

/// Tokens, of which only the hashes are kept. `Debug` shows their number.
#[derive(Clone)]
pub struct Tokens(Vec<Token>);

#[derive(Clone)]
struct Token {
    name: Option<String>,
    hash: [u8; 32],
}

impl Tokens {
    /// Reads a file of tokens: one per line, either `token` or `name:token`, with `#` before comments.
    ///
    /// A token has 16 to 512 characters of those that RFC 6750 allows: letters, digits and `-._~+/=`.
    ///
    /// # Errors
    /// [`FileError`] with the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let mut tokens: Vec<Token> = Vec::new();
        for (line, entry) in entries(text) {
            let (name, token) = match entry.split_once(':') {
                Some((name, token)) => (Some(name.trim_end()), token.trim_start()),
                None => (None, entry),
            };
            if name.is_some_and(|name| !is_name(name)) {
                return Err(FileError::Name { line });
            }
            if !is_token(token) {
                return Err(FileError::Token { line });
            }
            let (name, hash) = (name.map(str::to_owned), hash(token.as_bytes()));
            if tokens.iter().any(|other| other.hash == hash || (name.is_some() && other.name == name)) {
                return Err(FileError::Twice { line });
            }
            tokens.push(Token { name, hash });
        }
        if tokens.is_empty() { Err(FileError::Empty) } else { Ok(Self(tokens)) }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: a file without tokens is not read as one.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares with every token, so that the time says nothing about which one was nearly met.
    pub(super) fn check(&self, token: &[u8]) -> Result<Option<&str>, Denied> {
        let given = hash(token);
        let mut found = None;
        for known in &self.0 {
            if bool::from(known.hash.ct_eq(&given)) {
                found = Some(known.name.as_deref());
            }
        }
        found.ok_or(Denied::Invalid)
    }
}

fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Whether a token can be sent (RFC 6750 section 2.1) and is hard to guess.
fn is_token(token: &str) -> bool {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    LENGTHS.contains(&token.len()) && token.bytes().all(right)
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}
