//! The phone's owner, or the setting that answers in the owner's place.

use std::{fmt, sync::Arc};

use hybridge_authenticator::Operation;
use tokio::task::spawn_blocking;

use crate::{
    passphrase::Verifier,
    shown::{Shown, ShownHost},
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

/// What a request comes to. Every question about it says so: the terminal may show nothing else, since standard output
/// may go to a file or a program.
#[derive(Clone, Copy)]
pub(crate) struct Matter<'a> {
    pub(crate) operation: Operation,
    pub(crate) rp_id: &'a str,
    /// What the person knows the account by, if anything.
    pub(crate) account: &'a str,
}

impl fmt::Display for Matter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.operation {
            Operation::MakeCredential => "making a passkey for",
            _ => "signing in to",
        };
        write!(f, "{what} {}", ShownHost(self.rp_id))?;
        if self.account.is_empty() { Ok(()) } else { write!(f, " as {}", Shown(self.account)) }
    }
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) approved: bool,
    pub(crate) verified: bool,
    /// Whether it was granted by the setting for tests, and nobody was asked.
    pub(crate) test_mode: bool,
}

impl Decision {
    pub(crate) const REFUSED: Self = Self { approved: false, verified: false, test_mode: false };
    const SEEN: Self = Self { approved: true, verified: false, test_mode: false };
    const VERIFIED: Self = Self { approved: true, verified: true, test_mode: false };
    const TEST_MODE: Self = Self { approved: true, verified: true, test_mode: true };
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

    /// Whether to grant a request. The owner is verified if that is wanted.
    pub(crate) async fn decide(&self, matter: &Matter<'_>, verification: bool) -> Decision {
        match self {
            Self::Always => Decision::TEST_MODE,
            Self::Never => Decision::REFUSED,
            Self::Ask { console, passphrase: Some(passphrase) } if verification => {
                verify(&**console, passphrase, matter).await
            }
            Self::Ask { console, .. } => confirm(&**console, &format!("Approve {matter}? [y/N] ")).await,
        }
    }

    /// Whether the computer may know that there is no passkey for this relying party.
    pub(crate) async fn admit_none(&self, rp_id: &str) -> Decision {
        match self {
            Self::Always => Decision::TEST_MODE,
            Self::Never => Decision::REFUSED,
            Self::Ask { console, .. } => {
                let host = ShownHost(rp_id);
                let question = format!("This phone has no passkey for {host}. Tell the computer? [y/N] ");
                confirm(&**console, &question).await
            }
        }
    }

    /// Lets the person know that there is a passkey of this account already. The computer is told in any case, but not
    /// before somebody is there.
    pub(crate) async fn show_excluded(&self, rp_id: &str, account: &str) {
        let Self::Ask { console, .. } = self else { return };
        let matter = Matter { operation: Operation::MakeCredential, rp_id, account };
        let question = format!("Not {matter}: this phone has one already. Press return to go on. ");
        // Whatever the answer is, there is nothing to decide.
        let _ = console.ask(&question, Echo::On).await;
    }

    /// Which of several accounts of a relying party to use, as an index; none to refuse.
    pub(crate) async fn choose(&self, rp_id: &str, accounts: &[&str]) -> Option<usize> {
        let console = match self {
            Self::Always => return Some(0),
            Self::Never => return None,
            Self::Ask { console, .. } => console,
        };
        let mut question = format!("Signing in to {} as\n", ShownHost(rp_id));
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

async fn verify(console: &dyn Console, passphrase: &Verifier, matter: &Matter<'_>) -> Decision {
    let mut question = format!("Passphrase to approve {matter} (nothing to refuse): ");
    for _ in 0..ATTEMPTS {
        let answer = console.ask(&question, Echo::Off).await.ok().flatten();
        let Some(answer) = answer.filter(|answer| !answer.is_empty()) else { break };
        let passphrase = passphrase.clone();
        // A good part of a second of work, which must not hold up the connection.
        if spawn_blocking(move || passphrase.matches(&answer)).await.unwrap_or(false) {
            return Decision::VERIFIED;
        }
        question = format!("That is not the passphrase. Again, to approve {matter} (nothing to refuse): ");
    }
    Decision::REFUSED
}
