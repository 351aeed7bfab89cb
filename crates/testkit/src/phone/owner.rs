//! The person who holds the phone, as far as the script describes them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use passkey_authenticator::{UiHint, UserCheck, UserValidationMethod};
use passkey_types::{Passkey, ctap2::Ctap2Error};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::{sync::oneshot, time::sleep};

use super::{PhoneState, Question, Shared};

/// What the owner says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Answer {
    /// Unlocks the phone and agrees.
    #[default]
    Approve,
    /// Taps "cancel".
    Refuse,
    /// Nothing, until the test says what.
    Wait,
}

/// The phone asks nothing at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the phone asks nothing at the moment: wait until its state is asking")]
pub struct NoQuestion;

/// What the owner does.
#[derive(Default)]
pub(super) struct Script {
    pub(super) answer: Answer,
    pub(super) delay: Duration,
    pub(super) account: Option<String>,
    /// The question that is open.
    open: Option<oneshot::Sender<bool>>,
}

impl Script {
    pub(super) fn decide(&mut self, approve: bool) -> Result<(), NoQuestion> {
        self.open.take().ok_or(NoQuestion)?.send(approve).map_err(|_| NoQuestion)
    }
}

/// Answers as the script says, or as somebody says while the question is open.
pub(super) struct Owner {
    pub(super) shared: Arc<Shared>,
    pub(super) session: u64,
}

impl Owner {
    async fn ask(&self, question: Question) -> bool {
        let (answer, delay, told) = {
            let mut script = self.shared.script();
            let (open, told) = oneshot::channel();
            script.open = Some(open);
            (script.answer, script.delay, told)
        };
        // Whoever sees the question can answer it.
        self.shared.tell(self.session, PhoneState::Asking(question));
        let by_itself = async {
            sleep(delay).await;
            match answer {
                Answer::Approve => true,
                Answer::Refuse => false,
                Answer::Wait => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Ok(told) = told => told,
            answer = by_itself => answer,
        }
    }
}

#[async_trait]
impl UserValidationMethod for Owner {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        hint: UiHint<'a, Passkey>,
        _presence: bool,
        _verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        let question = match hint {
            UiHint::RequestNewCredential(user, rp) => {
                Some(Question::Create { rp_id: rp.id.clone(), user: user.name.clone() })
            }
            UiHint::RequestExistingCredential(passkey) => {
                Some(Question::Get { rp_id: passkey.rp_id.clone(), user: passkey.username.clone() })
            }
            // News, which the owner takes note of.
            UiHint::InformExcludedCredentialFound(_) | UiHint::InformNoCredentialsFound => None,
        };
        let agreed = match question {
            Some(question) => self.ask(question).await,
            None => true,
        };
        // A phone is unlocked for every use, whether the computer asks for verification or not.
        let check = UserCheck { presence: true, verification: true };
        if agreed { Ok(check) } else { Err(Ctap2Error::OperationDenied) }
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}
