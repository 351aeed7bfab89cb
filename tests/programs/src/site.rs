//! The relying party, by `webauthn-rs`: a verifier that knows nothing of this project.

use serde_json::Value;
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyAuthentication, PasskeyRegistration, Uuid,
    Webauthn, WebauthnBuilder, WebauthnError,
};
use webauthn_rs_proto::{PublicKeyCredential, RegisterPublicKeyCredential, ResidentKeyRequirement};

use crate::{failure::Failure, laptop::ORIGIN};

/// A site with one account.
pub(crate) struct Site {
    webauthn: Webauthn,
    user: Uuid,
    pub(crate) passkeys: Vec<Passkey>,
}

impl Site {
    pub(crate) const ID: &str = "demo.example";

    pub(crate) fn new() -> Result<Self, Failure> {
        let origin = Url::parse(ORIGIN).map_err(|error| Failure::otherwise("a URL", error))?;
        let webauthn = WebauthnBuilder::new(Self::ID, &origin)?.rp_name("Demo").build()?;
        Ok(Self { webauthn, user: Uuid::new_v4(), passkeys: Vec::new() })
    }

    /// Options for a passkey that is found without a name. Those that the account has are excluded.
    pub(crate) fn creation(&self) -> Result<(Value, PasskeyRegistration), Failure> {
        let known = self.passkeys.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let (mut options, state) =
            self.webauthn.start_passkey_registration(self.user, "ada", "Ada", Some(known))?;
        let selection = options.public_key.authenticator_selection.get_or_insert_default();
        selection.resident_key = Some(ResidentKeyRequirement::Required);
        selection.require_resident_key = true;
        Ok((serde_json::to_value(options)?, state))
    }

    /// Verifies a new passkey and keeps it.
    pub(crate) fn created(&mut self, state: &PasskeyRegistration, response: Value) -> Result<(), Failure> {
        let response: RegisterPublicKeyCredential = serde_json::from_value(response)?;
        self.passkeys.push(self.webauthn.finish_passkey_registration(&response, state)?);
        Ok(())
    }

    /// Options for signing in without a name.
    pub(crate) fn discovery(&self) -> Result<(Value, DiscoverableAuthentication), Failure> {
        let (options, state) = self.webauthn.start_discoverable_authentication()?;
        // Without the envelope, as other servers write them.
        Ok((serde_json::to_value(options.public_key)?, state))
    }

    /// Verifies a sign-in without a name.
    pub(crate) fn discovered(
        &self,
        state: DiscoverableAuthentication,
        response: Value,
    ) -> Result<(), Failure> {
        let response: PublicKeyCredential = serde_json::from_value(response)?;
        let (user, id) = self.webauthn.identify_discoverable_authentication(&response)?;
        let mut known = self.passkeys.iter().filter(|passkey| passkey.cred_id().as_slice() == id);
        let passkey = known.next().filter(|_| user == self.user).ok_or(WebauthnError::CredentialNotFound)?;
        let key = DiscoverableKey::from(passkey);
        self.webauthn.finish_discoverable_authentication_v2(&response, state, key)?;
        Ok(())
    }

    /// Options for signing in with one of the account's passkeys.
    pub(crate) fn request(&self) -> Result<(Value, PasskeyAuthentication), Failure> {
        let (options, state) = self.webauthn.start_passkey_authentication(&self.passkeys)?;
        Ok((serde_json::to_value(options)?, state))
    }

    /// Verifies a sign-in with one of them.
    pub(crate) fn signed(&self, state: &PasskeyAuthentication, response: Value) -> Result<(), Failure> {
        let response: PublicKeyCredential = serde_json::from_value(response)?;
        self.webauthn.finish_passkey_authentication(&response, state)?;
        Ok(())
    }
}
