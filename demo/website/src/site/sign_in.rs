//! Signing in with a passkey.

use std::time::Instant;

use webauthn_rs::prelude::{
    AuthenticationResult, Credential, DiscoverableAuthentication, DiscoverableKey, Passkey,
    PasskeyAuthentication, SecurityKey, SecurityKeyAuthentication, Uuid, Webauthn, WebauthnError,
};
use webauthn_rs_proto::{PublicKeyCredential, RequestChallengeResponse};

use super::{Answer, Person, Question, Site, registration::not_verified};
use crate::{
    error::SiteError,
    names::user_name,
    passkey::Stored,
    policy::{EVERYONE, Policy, Verification, WayIn},
    store::Account,
    visits::{Pending, Token},
};

/// What the verifier keeps of a question for a passkey of a user.
pub(crate) enum SignIn {
    Verified(PasskeyAuthentication),
    Preferred(SecurityKeyAuthentication),
}

impl SignIn {
    fn begin(
        webauthn: &Webauthn,
        policy: &Policy,
        account: &Account,
    ) -> Result<(RequestChallengeResponse, Self), WebauthnError> {
        let credentials = account.passkeys.iter().map(|passkey| passkey.credential.clone());
        let (mut options, state) = match policy.verification {
            Verification::Required => {
                let passkeys: Vec<_> = credentials.map(Passkey::from).collect();
                let (options, state) = webauthn.start_passkey_authentication(&passkeys)?;
                (options, Self::Verified(state))
            }
            Verification::Preferred => {
                let keys: Vec<_> = credentials.map(SecurityKey::from).collect();
                let (options, state) = webauthn.start_securitykey_authentication(&keys)?;
                (options, Self::Preferred(state))
            }
        };
        options.public_key.hints = None;
        Ok((options, state))
    }

    fn finish(
        &self,
        webauthn: &Webauthn,
        answer: &PublicKeyCredential,
    ) -> Result<AuthenticationResult, WebauthnError> {
        match self {
            Self::Verified(state) => webauthn.finish_passkey_authentication(answer, state),
            Self::Preferred(state) => webauthn.finish_securitykey_authentication(answer, state),
        }
    }
}

impl Site {
    /// Asks for a passkey: of this user, or without a name any that the authenticator has for this site. Without a name
    /// the passkey is all there is to know somebody by, so its device has to check its owner whatever the group.
    pub(crate) async fn begin_sign_in(
        &self,
        token: Option<&Token>,
        name: Option<&str>,
    ) -> Answer<Question<RequestChallengeResponse>> {
        let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else {
            let asked = self.webauthn.start_discoverable_authentication();
            let (mut options, state) = asked.map_err(|_| SiteError::Broken)?;
            // It is meant for a browser's autofill; here the person has pressed a button.
            options.mediation = None;
            let token = self.visits().ask(token, Pending::Discovery { state }, Instant::now())?;
            return Ok((self.question(options, EVERYONE)?.without_rules(), token));
        };
        let name = user_name(name)?.to_owned();
        let found = self.store.run(move |db| Account::named(db, &name)).await?;
        let account = found.ok_or(SiteError::NoAccount)?;
        if account.passkeys.is_empty() {
            return Err(SiteError::NoPasskey);
        }
        let asked = SignIn::begin(&self.webauthn, self.policies.of(&account.group)?, &account);
        let (options, state) = asked.map_err(|_| SiteError::Broken)?;
        let question = self.question(options, &account.group)?;
        let pending = Pending::SignIn { user: account.id, state };
        Ok((question, self.visits().ask(token, pending, Instant::now())?))
    }

    /// Takes the passkey's signature, and signs its owner in if the policy of the group still allows the passkey.
    pub(crate) async fn finish_sign_in(
        &self,
        token: Option<&Token>,
        answer: &PublicKeyCredential,
    ) -> Answer<Person> {
        let pending = self.visits().take_question(token, Instant::now());
        let (user, state) = match pending.ok_or(SiteError::NothingPending)? {
            Pending::Registration { .. } => return Err(SiteError::NothingPending),
            Pending::SignIn { user, state } => (user, Asked::User(state)),
            Pending::Discovery { state } => {
                let found = self.webauthn.identify_discoverable_authentication(answer);
                (found.map_err(|_| SiteError::UnknownPasskey)?.0, Asked::Anybody(state))
            }
        };
        // What was registered when the question was asked may have been deleted since.
        let account = self.store.run(move |db| Account::by_id(db, user)).await?;
        let account = account.ok_or(SiteError::UnknownPasskey)?;
        let passkey = account.passkey(answer.get_credential_id()).ok_or(SiteError::UnknownPasskey)?;
        let policy = self.policies.of(&account.group)?;
        let advice = advice(&account, policy, answer.get_credential_id());
        let unchecked = state.unchecked(policy);
        let result = state.finish(&self.webauthn, answer, &passkey.credential);
        let result = result.map_err(|error| match (error, unchecked) {
            (WebauthnError::UserNotVerified, Some(why)) => SiteError::Unchecked(why),
            (error, _) => not_verified(error, &account.group, advice),
        })?;
        let mut used = passkey.after(&result);
        let checked = policy.check(&used, result.user_verified());
        checked.map_err(|breach| SiteError::Refused { group: account.group.clone(), breach, advice })?;
        policy.note_root(&mut used);
        self.keep_use(account, used, token, user).await
    }

    async fn keep_use(
        &self,
        account: Account,
        used: Stored,
        token: Option<&Token>,
        user: Uuid,
    ) -> Answer<Person> {
        let person = Person::from(&account);
        self.store.run(move |db| account.used(db, &used)).await?;
        Ok((person, Some(self.welcome(token, user)?)))
    }
}

/// What was asked, of whom.
enum Asked {
    User(SignIn),
    Anybody(DiscoverableAuthentication),
}

impl Asked {
    /// Why the device has to check its owner where the group does not ask for it.
    const fn unchecked(&self, policy: &Policy) -> Option<&'static str> {
        match (policy.verification, self) {
            (Verification::Required, _) => None,
            (Verification::Preferred, Self::User(_)) => {
                Some("It did when the passkey was made, and has to each time since.")
            }
            (Verification::Preferred, Self::Anybody(_)) => {
                Some("It has to when you sign in without your user name.")
            }
        }
    }

    fn finish(
        self,
        webauthn: &Webauthn,
        answer: &PublicKeyCredential,
        credential: &Credential,
    ) -> Result<AuthenticationResult, WebauthnError> {
        match self {
            Self::User(state) => state.finish(webauthn, answer),
            Self::Anybody(state) => {
                let key = DiscoverableKey::from(Passkey::from(credential.clone()));
                webauthn.finish_discoverable_authentication_v2(answer, state, key)
            }
        }
    }
}

impl<T> Question<T> {
    /// Nobody knows yet whose rules there will be.
    fn without_rules(mut self) -> Self {
        self.rules.clear();
        self
    }
}

/// What somebody may do whose passkey is refused.
fn advice(account: &Account, policy: &Policy, refused: &[u8]) -> &'static str {
    if account.has_password(policy) {
        "Sign in with your password, and add a passkey that keeps the rules of the group."
    } else if account.way_in(policy, refused) != WayIn::Closed {
        "Sign in with another passkey of yours."
    } else {
        "Ask whoever runs this site to move you to another group; then add a passkey that keeps the rules."
    }
}
