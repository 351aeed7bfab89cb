//! The phone's owner, or the setting that answers in the owner's place.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::{
    passphrase::Verifier,
    shown::Shown,
    terminal::{Console, Echo},
};

/// How often a passphrase may be typed for one request.
const ATTEMPTS: usize = 3;

/// Who decides about requests.
pub enum Approval {
    /// The person at this console. With a passphrase, the person can be verified.
    Ask {
        /// Where the person is asked.
        console: Arc<dyn Console>,
        /// Tells the owner's passphrase.
        passphrase: Option<Verifier>,
    },
    /// Nobody: everything is granted, as if by the verified owner. For tests.
    Always,
    /// Nobody: everything is refused.
    Never,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) approved: bool,
    pub(crate) verified: bool,
}

impl Decision {
    pub(crate) const REFUSED: Self = Self { approved: false, verified: false };
    const SEEN: Self = Self { approved: true, verified: false };
    const VERIFIED: Self = Self { approved: true, verified: true };
}

impl Approval {
    /// Whether requests that want the owner verified can be granted.
    pub(crate) const fn can_verify(&self) -> bool {
        match self {
            Self::Ask { passphrase, .. } => passphrase.is_some(),
            // A phone that refuses everything still says that it could, so that it is asked.
            Self::Always | Self::Never => true,
        }
    }

    /// Whether to grant a request that the person has been shown. The owner is verified if that is wanted.
    pub(crate) async fn decide(&self, verification: bool) -> Decision {
        match self {
            Self::Always => Decision::VERIFIED,
            Self::Never => Decision::REFUSED,
            Self::Ask { console, passphrase: Some(passphrase) } if verification => {
                verify(&**console, passphrase).await
            }
            Self::Ask { console, .. } => confirm(&**console, "Approve? [y/N] ").await,
        }
    }

    /// Tells the person that a request comes to nothing, and whether the computer may know why.
    pub(crate) async fn inform(&self, what: &str) -> Decision {
        match self {
            Self::Always => Decision::VERIFIED,
            Self::Never => Decision::REFUSED,
            Self::Ask { console, .. } => {
                confirm(&**console, &format!("{what} Tell the computer? [y/N] ")).await
            }
        }
    }

    /// Which of several accounts to use, as an index; none to refuse.
    pub(crate) async fn choose(&self, accounts: &[&str]) -> Option<usize> {
        let console = match self {
            Self::Always => return Some(0),
            Self::Never => return None,
            Self::Ask { console, .. } => console,
        };
        let mut question = String::new();
        for (number, account) in (1_usize..).zip(accounts) {
            question.push_str(&format!("  {number}  {}\n", Shown(account)));
        }
        question.push_str("Which account? (a number, or nothing to refuse) ");
        for _ in 0..ATTEMPTS {
            let answer = console.ask(&question, Echo::On).await.ok().flatten()?;
            if answer.trim().is_empty() {
                return None;
            }
            let number: Option<usize> = answer.trim().parse().ok();
            if let Some(index) = number.and_then(|number| number.checked_sub(1))
                && index < accounts.len()
            {
                return Some(index);
            }
        }
        None
    }
}

async fn confirm(console: &dyn Console, question: &str) -> Decision {
    // A console that fails is nobody's consent.
    let answer = console.ask(question, Echo::On).await.ok().flatten();
    let yes = answer.is_some_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes" | "Yes" | "YES"));
    if yes { Decision::SEEN } else { Decision::REFUSED }
}

async fn verify(console: &dyn Console, passphrase: &Verifier) -> Decision {
    let mut question = "Passphrase to approve (nothing to refuse): ";
    for _ in 0..ATTEMPTS {
        let answer = console.ask(question, Echo::Off).await.ok().flatten();
        let Some(answer) = answer.filter(|answer| !answer.is_empty()) else { break };
        let passphrase = passphrase.clone();
        // A good part of a second of work, which must not hold up the connection.
        if spawn_blocking(move || passphrase.matches(&answer)).await.unwrap_or(false) {
            return Decision::VERIFIED;
        }
        question = "That is not the passphrase. Again (nothing to refuse): ";
    }
    Decision::REFUSED
}
