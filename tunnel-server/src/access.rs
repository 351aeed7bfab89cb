//! Who may open tunnels. Joining one never takes a token: a stock browser cannot send one.
//!
//! A token comes in the request for `/cable/new`, as `Authorization: Bearer <token>`. There are two kinds:
//!
//! * [`Tokens`]: a list of fixed tokens, for few and known apps.
//! * [`HmacKeys`]: tokens that expire, which an app's backend makes without asking the service. Both know a key.
//!
//! A token that expires is `v1.<key ID>.<expiry>.<MAC>`: the expiry in decimal seconds since 1970, and the
//! HMAC-SHA256 in hex of everything before the last dot. A shell can make one:
//!
//! ```sh
//! claim="v1.main.$(($(date +%s) + 600))"
//! mac=$(printf %s "$claim" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -r)
//! echo "$claim.${mac%% *}"
//! ```

mod file;
mod hmac_keys;
mod tokens;

use std::time::SystemTime;

use thiserror::Error;

pub use self::{
    file::FileError,
    hmac_keys::{HmacKey, HmacKeys, mint},
    tokens::Tokens,
};

/// Who may open tunnels.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// Who knows one of these tokens.
    Bearer(Tokens),
    /// Who has a token that was made with one of these keys and has not expired.
    Hmac(HmacKeys),
}

/// Why a request may not open a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Denied {
    /// It has no token.
    #[error("the request has no token; send one as Authorization: Bearer")]
    Missing,
    /// Its token is not one of the service's.
    #[error("the token is not valid here; ask for another one")]
    Invalid,
    /// Its token was valid once.
    #[error("the token has expired; ask for a fresh one")]
    Expired,
    /// Its token would be valid for longer than the service wants.
    #[error("the token expires too far in the future; make one with a shorter life")]
    TooLong,
}

impl Access {
    /// Checks the token of a request that comes at `now`. Gives the name of the token, or the ID of the key it was
    /// made with, where it has one.
    ///
    /// # Errors
    /// [`Denied`], which tells an expired token from an invalid one only to who has the right key.
    pub fn check(&self, token: Option<&[u8]>, now: SystemTime) -> Result<Option<&str>, Denied> {
        match self {
            Self::Open => Ok(None),
            Self::Bearer(tokens) => tokens.check(token.ok_or(Denied::Missing)?),
            Self::Hmac(keys) => keys.check(token.ok_or(Denied::Missing)?, now).map(Some),
        }
    }
}

#[cfg(test)]
mod tests;
