//! The web site that the passkey is for, on top of `webauthn-rs`: a verifier that knows nothing of this project.

use std::collections::BTreeMap;

use thiserror::Error;
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, Uuid, Webauthn,
    WebauthnBuilder, WebauthnError,
};
use webauthn_rs_proto::{
    CreationChallengeResponse, PublicKeyCredential, RegisterPublicKeyCredential, RequestChallengeResponse,
    ResidentKeyRequirement,
};

/// Why the relying party refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RelyingPartyError {
    /// ID and origin do not belong together, or a user has no name.
    #[error(
        "the relying party is set up wrongly; its ID must be the host of its origin or a domain above it"
    )]
    Setup(#[source] WebauthnError),
    /// The response to a registration did not verify.
    #[error("the relying party refused the new passkey; start the registration again")]
    Registration(#[source] WebauthnError),
    /// The passkey belongs to an account already.
    #[error("this passkey is registered already; sign in with it")]
    AlreadyRegistered,
    /// No account has the credential that signed.
    #[error("the relying party does not know this passkey; register it first")]
    UnknownCredential,
    /// The response to a sign-in did not verify.
    #[error("the relying party refused the sign-in; start it again")]
    SignIn(#[source] WebauthnError),
}

/// A web site with accounts in memory. Users need no password and type no name: the passkey tells who they are.
pub struct RelyingParty {
    webauthn: Webauthn,
    accounts: BTreeMap<Uuid, Account>,
}

struct Account {
    name: String,
    passkeys: Vec<Passkey>,
}

/// A registration waits for its response. It serves once.
pub struct PendingRegistration {
    user: Uuid,
    name: String,
    state: PasskeyRegistration,
}

/// A sign-in waits for its response. It serves once.
pub struct PendingSignIn {
    state: DiscoverableAuthentication,
}

/// Somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The name given at registration.
    pub user: String,
    /// Whether the phone checked that it was in the hands of its owner.
    pub user_verified: bool,
}

impl RelyingParty {
    /// A site without accounts. `rp_id` is a host name such as `demo.example`, `origin` where its pages are from.
    ///
    /// # Errors
    /// [`RelyingPartyError::Setup`] when the two do not belong together.
    pub fn new(rp_id: &str, origin: &Url) -> Result<Self, RelyingPartyError> {
        let builder = WebauthnBuilder::new(rp_id, origin).map_err(RelyingPartyError::Setup)?;
        let webauthn = builder.rp_name(rp_id).build().map_err(RelyingPartyError::Setup)?;
        Ok(Self { webauthn, accounts: BTreeMap::new() })
    }

    /// Options for making a passkey for the account of this name, which need not exist yet. Passkeys that the
    /// account has are excluded.
    ///
    /// # Errors
    /// [`RelyingPartyError::Setup`] when the name is empty.
    pub fn begin_registration(
        &self,
        name: &str,
    ) -> Result<(CreationChallengeResponse, PendingRegistration), RelyingPartyError> {
        let existing = self.accounts.iter().find(|(_, account)| account.name == name);
        let user = existing.map_or_else(Uuid::new_v4, |(user, _)| *user);
        let excluded = existing
            .map(|(_, account)| account.passkeys.iter().map(|passkey| passkey.cred_id().clone()).collect());
        let (mut options, state) = self
            .webauthn
            .start_passkey_registration(user, name, name, excluded)
            .map_err(RelyingPartyError::Setup)?;
        // `webauthn-rs` discourages discoverable passkeys to spare the memory of security keys; a phone has enough,
        // and signing in without a name needs them.
        let selection = options.public_key.authenticator_selection.get_or_insert_default();
        selection.resident_key = Some(ResidentKeyRequirement::Required);
        selection.require_resident_key = true;
        Ok((options, PendingRegistration { user, name: name.to_owned(), state }))
    }

    /// Verifies the response to [`Self::begin_registration`] and adds the passkey to the account.
    ///
    /// # Errors
    /// [`RelyingPartyError::Registration`] or [`RelyingPartyError::AlreadyRegistered`].
    pub fn finish_registration(
        &mut self,
        pending: PendingRegistration,
        response: &RegisterPublicKeyCredential,
    ) -> Result<(), RelyingPartyError> {
        let passkey = self
            .webauthn
            .finish_passkey_registration(response, &pending.state)
            .map_err(RelyingPartyError::Registration)?;
        let taken = |account: &Account| account.passkeys.contains(&passkey);
        if self.accounts.values().any(taken) {
            return Err(RelyingPartyError::AlreadyRegistered);
        }
        let account = Account { name: pending.name, passkeys: Vec::new() };
        self.accounts.entry(pending.user).or_insert(account).passkeys.push(passkey);
        Ok(())
    }

    /// Options for signing in with any passkey of this site.
    ///
    /// # Errors
    /// [`RelyingPartyError::SignIn`] when `webauthn-rs` makes no challenge.
    pub fn begin_sign_in(&self) -> Result<(RequestChallengeResponse, PendingSignIn), RelyingPartyError> {
        let (mut options, state) =
            self.webauthn.start_discoverable_authentication().map_err(RelyingPartyError::SignIn)?;
        // It is meant for a browser's autofill; here the user asked for the phone.
        options.mediation = None;
        Ok((options, PendingSignIn { state }))
    }

    /// Verifies the response to [`Self::begin_sign_in`].
    ///
    /// # Errors
    /// [`RelyingPartyError::UnknownCredential`] or [`RelyingPartyError::SignIn`].
    pub fn finish_sign_in(
        &mut self,
        pending: PendingSignIn,
        response: &PublicKeyCredential,
    ) -> Result<SignedIn, RelyingPartyError> {
        let (user, credential) = self
            .webauthn
            .identify_discoverable_authentication(response)
            .map_err(|_| RelyingPartyError::UnknownCredential)?;
        let account = self.accounts.get_mut(&user).ok_or(RelyingPartyError::UnknownCredential)?;
        let passkey = account.passkeys.iter_mut().find(|passkey| passkey.cred_id().as_slice() == credential);
        let passkey = passkey.ok_or(RelyingPartyError::UnknownCredential)?;
        let result = self
            .webauthn
            .finish_discoverable_authentication_v2(response, pending.state, DiscoverableKey::from(&*passkey))
            .map_err(RelyingPartyError::SignIn)?;
        passkey.update_credential(&result);
        Ok(SignedIn { user: account.name.clone(), user_verified: result.user_verified() })
    }
}

#[cfg(test)]
mod tests;
