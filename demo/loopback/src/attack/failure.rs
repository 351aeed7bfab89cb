//! What it means when an attack is not refused.

use std::error::Error;

use thiserror::Error;

use super::report::Refusal;

/// Something of the scenery failed, not a defender.
pub(super) type Setup = Box<dyn Error + Send + Sync>;

/// Why an attack does not count as refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// There is no attack of this name.
    #[error("there is no attack named {0:?}; --attack list names them all")]
    Unknown(String),
    /// The attacker got what no attacker may get.
    #[error("the attack succeeded: {0}")]
    Succeeded(String),
    /// Something else, or somebody else, stopped the attack than is meant to.
    #[error("the attack was stopped by chance: {found} where {expected} belongs")]
    Otherwise {
        /// The refusal that should have come.
        expected: String,
        /// What came.
        found: String,
    },
    /// Without the manipulation the same ceremony does not work either, so that a refusal would mean nothing.
    #[error("the attack was not tried, because the ceremony fails without it too: {0}")]
    Control(#[source] Box<Failure>),
    /// The attack could not be set up, or its attacker was stopped too early.
    #[error("the attack could not be carried out: {0}")]
    Setup(Box<dyn Error + Send + Sync>),
    /// Nobody refused anything in time.
    #[error("neither success nor refusal within ten seconds")]
    Hung,
}

impl From<Setup> for Failure {
    fn from(error: Setup) -> Self {
        Self::Setup(error)
    }
}

impl Failure {
    /// A refusal that is not the one that belongs there.
    pub(super) fn otherwise(expected: &str, found: &Refusal) -> Self {
        let found = format!("{}: {}", found.party(), found.kind());
        Self::Otherwise { expected: expected.to_owned(), found }
    }
}

/// Takes a refusal if it is the one that belongs there. Names in the pattern stand for references.
macro_rules! only {
    ($refusal:expr, $pattern:pat $(if $guard:expr)?) => {{
        let found = $refusal;
        if matches!(&found, $pattern $(if $guard)?) {
            Ok(found)
        } else {
            Err($crate::attack::failure::Failure::otherwise(stringify!($pattern), &found))
        }
    }};
}

pub(super) use only;
