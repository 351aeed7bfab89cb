//! Files of tokens and keys: one entry per line.

use thiserror::Error;

/// The longest name of a token and ID of a key in characters.
const MAX_NAME: usize = 32;

/// Why a file of tokens or keys cannot be used. Lines are numbered from 1; their text is never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileError {
    /// It has no entry.
    #[error("the file has no entry; write one per line")]
    Empty,
    /// A name or key ID is empty, long, or has other characters than letters, digits, `-` and `_`.
    #[error("line {line}: the name before the colon must be 1 to 32 letters, digits, - or _")]
    Name {
        /// The line.
        line: usize,
    },
    /// A key has no ID.
    #[error("line {line}: a key is written as its ID, a colon, and its hexadecimal digits")]
    NoId {
        /// The line.
        line: usize,
    },
    /// A token is too short, too long, or cannot be sent in a header.
    #[error(
        "line {line}: a token must be 16 to 512 letters, digits or -._~+/=, such as openssl rand -hex 32 gives"
    )]
    Token {
        /// The line.
        line: usize,
    },
    /// A key is not hexadecimal, or too short or too long.
    #[error("line {line}: a key must be 64 to 256 hexadecimal digits, such as openssl rand -hex 32 gives")]
    Key {
        /// The line.
        line: usize,
    },
    /// A token, name or key ID stands twice.
    #[error("line {line}: the same name or token stands in an earlier line; remove one of them")]
    Twice {
        /// The line.
        line: usize,
    },
}

/// The entries of a file with their line numbers: without comments, which begin with `#`, and empty lines.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1_usize..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, entry)| !entry.is_empty() && !entry.starts_with('#'))
}

pub(super) fn is_name(name: &str) -> bool {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(right)
}
