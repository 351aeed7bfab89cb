//! New passkeys.

use std::time::Instant;

use webauthn_rs::prelude::{
    Credential, CredentialID, PasskeyRegistration, SecurityKeyRegistration, Uuid, Webauthn, WebauthnError,
};
use webauthn_rs_proto::{
    AttestationConveyancePreference, CreationChallengeResponse, RegisterPublicKeyCredential,
    ResidentKeyRequirement,
};

use super::{Answer, Person, Question, Site};
use crate::{
    error::SiteError,
    names::user_name,
    passkey::Stored,
    policy::{Attestation, EVERYONE, Policy, Verification},
    store::{Account, assigned},
    visits::{Pending, Token},
};

const ADVICE: &str = "Use a passkey that keeps the rules of the group.";

/// What the verifier keeps of a question for a new passkey. Its two kinds differ in whether the device has to check its
/// owner.
pub(crate) enum Registration {
    Verified(PasskeyRegistration),
    Preferred(SecurityKeyRegistration),
}

impl Registration {
    fn begin(
        webauthn: &Webauthn,
        policy: &Policy,
        (user, name): (Uuid, &str),
        excluded: Vec<CredentialID>,
    ) -> Result<(CreationChallengeResponse, Self), WebauthnError> {
        let excluded = Some(excluded);
        let (mut options, state) = match policy.verification {
            Verification::Required => {
                let (options, state) = webauthn.start_passkey_registration(user, name, name, excluded)?;
                (options, Self::Verified(state))
            }
            Verification::Preferred => {
                let (mut options, state) =
                    webauthn.start_securitykey_registration(user, name, name, excluded, None, None)?;
                // It would have security keys hide the passkey from whoever is not verified.
                if let Some(extensions) = &mut options.public_key.extensions {
                    extensions.cred_protect = None;
                }
                (options, Self::Preferred(state))
            }
        };
        adjust(&mut options, policy);
        Ok((options, state))
    }

    fn finish(
        &self,
        webauthn: &Webauthn,
        answer: &RegisterPublicKeyCredential,
    ) -> Result<Credential, WebauthnError> {
        match self {
            Self::Verified(state) => Ok(webauthn.finish_passkey_registration(answer, state)?.into()),
            Self::Preferred(state) => Ok(webauthn.finish_securitykey_registration(answer, state)?.into()),
        }
    }
}

/// Asks for what this site wants where the library wants something else.
fn adjust(options: &mut CreationChallengeResponse, policy: &Policy) {
    let options = &mut options.public_key;
    // The library would have browsers offer security keys first.
    options.hints = None;
    if policy.attestation == Attestation::Required {
        options.attestation = Some(AttestationConveyancePreference::Direct);
    }
    // The library discourages discoverable passkeys, to spare the memory of security keys. Signing in without a user
    // name needs them, and phones have room.
    let selection = options.authenticator_selection.get_or_insert_default();
    selection.resident_key = Some(ResidentKeyRequirement::Required);
    selection.require_resident_key = true;
}

impl Site {
    /// Asks for a new passkey: for a new account, or one more for whoever is signed in under this name. `group` is the
    /// wish for a new account.
    pub(crate) async fn begin_registration(
        &self,
        token: Option<&Token>,
        name: &str,
        group: Option<String>,
    ) -> Answer<Question<CreationChallengeResponse>> {
        let name = user_name(name)?.to_owned();
        let signed_in = self.visits().user(token, Instant::now());
        let account = self.account_to_be(name.clone(), group, None).await?;
        if account.is_kept && signed_in != Some(account.id()) {
            return Err(SiteError::NameTaken);
        }
        let account = account.account;
        let policy = self.policies.of(&account.group)?;
        let asked =
            Registration::begin(&self.webauthn, policy, (account.id, &name), account.credential_ids());
        let (options, state) = asked.map_err(|_| SiteError::Broken)?;
        let question = self.question(options, &account.group)?;
        let pending = Pending::Registration { user: account.id, name, group: account.group, state };
        Ok((question, self.visits().ask(token, pending, Instant::now())?))
    }

    /// Takes the new passkey if the group's policy allows it, and signs its owner in.
    pub(crate) async fn finish_registration(
        &self,
        token: Option<&Token>,
        answer: &RegisterPublicKeyCredential,
    ) -> Answer<Person> {
        let pending = self.visits().take_question(token, Instant::now());
        let Some(Pending::Registration { user, name, group, state }) = pending else {
            return Err(SiteError::NothingPending);
        };
        let made = state.finish(&self.webauthn, answer);
        let credential = made.map_err(|error| not_verified(error, &group, ADVICE))?;
        let (policy, mut passkey) = (self.policies.of(&group)?, Stored::new(credential, answer));
        let checked = policy.check(&passkey, passkey.verified);
        checked.map_err(|breach| SiteError::Refused { group: group.clone(), breach, advice: ADVICE })?;
        policy.note_root(&mut passkey);
        let kept = self.store.run(move |db| {
            let account = match Account::by_id(db, user)? {
                // The operator may have moved it since the question was asked.
                Some(account) if account.group != group => return Err(SiteError::NothingPending),
                Some(account) => account,
                None => {
                    let account = Account::new(user, name, group, None);
                    account.insert(db)?;
                    account
                }
            };
            account.add(db, &passkey)?;
            Ok(Person { passkeys: account.passkeys.len() + 1, user: account.name })
        });
        Ok((kept.await?, Some(self.welcome(token, user)?)))
    }

    /// The account of a name, or what it will be: in the group that the operator has given it, or the wished one.
    pub(super) async fn account_to_be(
        &self,
        name: String,
        wish: Option<String>,
        password: Option<crate::password::Hash>,
    ) -> Result<ToBe, SiteError> {
        let wish = wish.filter(|wish| !wish.is_empty()).unwrap_or_else(|| EVERYONE.to_owned());
        self.policies.of(&wish)?;
        self.store
            .run(move |db| {
                if let Some(account) = Account::named(db, &name)? {
                    return Ok(ToBe { account, is_kept: true });
                }
                let group = assigned(db, &name)?.unwrap_or(wish);
                Ok(ToBe { account: Account::new(Uuid::new_v4(), name, group, password), is_kept: false })
            })
            .await
    }
}

/// An account that there is, or that there may be.
pub(super) struct ToBe {
    pub(super) account: Account,
    pub(super) is_kept: bool,
}

impl ToBe {
    const fn id(&self) -> Uuid {
        self.account.id
    }
}

/// What the verifier does not take. That the owner was not verified is for the person to know.
pub(super) fn not_verified(error: WebauthnError, group: &str, advice: &'static str) -> SiteError {
    match error {
        WebauthnError::UserNotVerified => {
            SiteError::Refused { group: group.to_owned(), breach: crate::Breach::NotVerified, advice }
        }
        error => SiteError::NotVerified(error),
    }
}
