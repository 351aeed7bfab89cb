//! Answers requests: shows them, lets the person decide, and leaves the rest to the authenticator.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use hybridge_authenticator::{
    CtapService, Operation,
    passkey::{Attestation, ExclusionGuard, PasskeyService},
};
use passkey_authenticator::{Authenticator, CredentialStore, UiHint, UserCheck, UserValidationMethod};
use passkey_crypto::{AvailableBackend, iana::Algorithm};
use passkey_types::ctap2::{Aaguid, Ctap2Error};

use crate::{
    events::{Event, Reporter},
    person::{Approval, Decision, Matter},
    shown::{Shown, ShownHost},
    state::{Passkeys, StateError},
    subject::Subject,
};

/// What new keys sign with, in the order of nothing: the website decides. Both have PKCS#8 forms that others read.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::ES256, Algorithm::EdDSA];

/// The passkeys of this phone and whoever decides about them.
pub(crate) struct PhoneService {
    inner: PasskeyService<Passkeys, Owner>,
    approval: Arc<Approval>,
    reporter: Arc<Reporter>,
    /// The relying party of the request that is being answered, for the hint that does not name it.
    asking: Arc<Mutex<String>>,
}

impl PhoneService {
    pub(crate) fn new(passkeys: Passkeys, approval: Approval, reporter: Arc<Reporter>) -> Self {
        let approval = Arc::new(approval);
        let asking = Arc::<Mutex<String>>::default();
        let owner = Owner {
            approval: Arc::clone(&approval),
            reporter: Arc::clone(&reporter),
            asking: Arc::clone(&asking),
        };
        let guarded = ExclusionGuard::new(owner);
        let mut authenticator = Authenticator::new(Aaguid::new_empty(), passkeys, guarded, AvailableBackend);
        // Every backend has these two; without them it would offer what it has.
        let _ = authenticator.set_algorithms(&ALGORITHMS);
        Self { inner: PasskeyService::new(authenticator), approval, reporter, asking }
    }

    pub(crate) fn set_attestation(&mut self, attestation: Attestation) {
        self.inner.set_attestation(attestation);
    }

    pub(crate) fn passkeys(&self) -> &Passkeys {
        self.inner.authenticator().store()
    }

    /// Why the last request could not be kept, once.
    pub(crate) fn take_failure(&mut self) -> Option<StateError> {
        self.passkeys_mut().take_failure()
    }

    fn passkeys_mut(&mut self) -> &mut Passkeys {
        self.inner.authenticator_mut().store_mut()
    }

    /// Shows what the computer asks for, and which account it is about.
    ///
    /// # Errors
    /// The refusal that needs no authenticator.
    async fn consider(&mut self, subject: &Subject) -> Result<(), Ctap2Error> {
        let found: Vec<_> = match subject.operation {
            Operation::GetAssertion => self.passkeys().matching(&subject.rp_id, &subject.allowed),
            _ => Vec::new(),
        };
        let accounts: Vec<_> = match subject.user {
            Some(_) => vec![subject.account()],
            None => found.iter().map(|passkey| passkey.account()).collect(),
        };
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&subject.rp_id);
        self.reporter.tell(&Event::Request {
            operation: Event::operation(subject.operation),
            rp_id: ShownHost(&subject.rp_id).to_string(),
            accounts: accounts.iter().map(|account| Shown(account).to_string()).collect(),
        });
        if matches!(*self.approval, Approval::Never) {
            self.reporter.tell(&Event::of(Decision::REFUSED));
            return Err(Ctap2Error::OperationDenied);
        }
        // The authenticator refuses what cannot be granted, so that no choice is worth the person's time.
        let grantable = subject.presence && (!subject.verification || self.approval.can_verify());
        let chosen = if found.len() > 1 && grantable {
            let Some(index) = self.approval.choose(&subject.rp_id, &accounts).await else {
                self.reporter.tell(&Event::of(Decision::REFUSED));
                return Err(Ctap2Error::OperationDenied);
            };
            found.get(index).map(|passkey| passkey.id().to_vec())
        } else {
            None
        };
        self.passkeys_mut().choose(chosen);
        Ok(())
    }
}

impl CtapService for PhoneService {
    fn get_info(&mut self) -> impl Future<Output = Vec<u8>> + Send {
        self.inner.get_info()
    }

    async fn call(&mut self, request: &[u8]) -> Vec<u8> {
        self.passkeys_mut().choose(None);
        if let Some(subject) = Subject::of(request)
            && let Err(refusal) = self.consider(&subject).await
        {
            return vec![refusal.into()];
        }
        self.inner.call(request).await
    }
}

/// The phone's owner, as `passkey-authenticator` asks.
struct Owner {
    approval: Arc<Approval>,
    reporter: Arc<Reporter>,
    asking: Arc<Mutex<String>>,
}

#[async_trait]
impl UserValidationMethod for Owner {
    type PasskeyItem = <Passkeys as CredentialStore>::PasskeyItem;

    async fn check_user<'a>(
        &self,
        hint: UiHint<'a, Self::PasskeyItem>,
        _presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        match hint {
            UiHint::RequestNewCredential(user, rp) => {
                let names = [&user.name, &user.display_name].into_iter().flatten();
                let account = names.map(String::as_str).find(|name| !name.is_empty()).unwrap_or_default();
                let matter = Matter { operation: Operation::MakeCredential, rp_id: &rp.id, account };
                self.decide(&matter, verification).await
            }
            UiHint::RequestExistingCredential(passkey) => {
                let (rp_id, account) = (passkey.rp_id(), passkey.account());
                let matter = Matter { operation: Operation::GetAssertion, rp_id, account };
                self.decide(&matter, verification).await
            }
            UiHint::InformExcludedCredentialFound(passkey) => {
                self.approval.show_excluded(passkey.rp_id(), passkey.account()).await;
                // What the guard around this one makes of any answer.
                Err(Ctap2Error::CredentialExcluded)
            }
            UiHint::InformNoCredentialsFound => self.admit_none().await,
        }
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(self.approval.can_verify())
    }
}

impl Owner {
    async fn decide(&self, matter: &Matter<'_>, verification: bool) -> Result<UserCheck, Ctap2Error> {
        let decision = self.approval.decide(matter, verification).await;
        self.reporter.tell(&Event::of(decision));
        match decision {
            Decision { approved: true, verified, .. } => {
                Ok(UserCheck { presence: true, verification: verified })
            }
            _ => Err(Ctap2Error::OperationDenied),
        }
    }

    /// Nothing is signed after this, so that whoever is there need not be the owner; what the authenticator takes for
    /// verification only decides between this answer and "denied".
    async fn admit_none(&self) -> Result<UserCheck, Ctap2Error> {
        let rp_id = self.asking.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Decision { approved, .. } = self.approval.admit_none(&rp_id).await;
        Ok(UserCheck { presence: approved, verification: approved })
    }
}
