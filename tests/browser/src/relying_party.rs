//! The relying party's rules, by `webauthn-rs`: a verifier that knows nothing of this project.

use serde_json::{Value, json};
use url::Url;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyAuthentication, PasskeyRegistration, Uuid,
    Webauthn, WebauthnBuilder, WebauthnError,
};
use webauthn_rs_proto::{PublicKeyCredential, RegisterPublicKeyCredential, ResidentKeyRequirement};

use crate::failure::Failure;

/// What the page is to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ceremony {
    /// A passkey. Those that exist are excluded if `excluding`; it is to be found without a name if `discoverable`.
    Create { discoverable: bool, excluding: bool },
    /// An assertion, with any passkey or, if `listed`, with those that exist.
    Get { listed: bool },
}

/// What the relying party remembers until the answer.
pub(crate) enum Pending {
    Create(PasskeyRegistration),
    Get(PasskeyAuthentication),
    Discover(DiscoverableAuthentication),
}

/// A relying party with one user.
pub(crate) struct RelyingParty {
    webauthn: Webauthn,
    user: Uuid,
    passkeys: Vec<Passkey>,
}

impl RelyingParty {
    pub(crate) fn new(origin: &Url) -> Result<Self, WebauthnError> {
        let webauthn = WebauthnBuilder::new("localhost", origin)?.rp_name("A relying party").build()?;
        Ok(Self { webauthn, user: Uuid::new_v4(), passkeys: Vec::new() })
    }

    /// An order for the page.
    pub(crate) fn begin(&self, ceremony: Ceremony) -> Result<(Value, Pending), Failure> {
        match ceremony {
            Ceremony::Create { discoverable, excluding } => self.begin_creation(discoverable, excluding),
            Ceremony::Get { listed: true } => {
                let (options, pending) = self.webauthn.start_passkey_authentication(&self.passkeys)?;
                Ok((json!({ "get": options.public_key }), Pending::Get(pending)))
            }
            Ceremony::Get { listed: false } => {
                let (options, pending) = self.webauthn.start_discoverable_authentication()?;
                Ok((json!({ "get": options.public_key }), Pending::Discover(pending)))
            }
        }
    }

    fn begin_creation(&self, discoverable: bool, excluding: bool) -> Result<(Value, Pending), Failure> {
        let known = self.passkeys.iter().map(|passkey| passkey.cred_id().clone());
        let excluded = excluding.then(|| known.collect());
        let (mut options, pending) =
            self.webauthn.start_passkey_registration(self.user, "ada", "Ada", excluded)?;
        let selection = options.public_key.authenticator_selection.get_or_insert_default();
        let resident =
            if discoverable { ResidentKeyRequirement::Required } else { ResidentKeyRequirement::Discouraged };
        selection.resident_key = Some(resident);
        selection.require_resident_key = discoverable;
        Ok((json!({ "create": options.public_key }), Pending::Create(pending)))
    }

    /// Verifies an answer.
    pub(crate) fn finish(&mut self, pending: &Pending, credential: Value) -> Result<(), Failure> {
        match pending {
            Pending::Create(state) => {
                let response: RegisterPublicKeyCredential = serde_json::from_value(credential)?;
                self.passkeys.push(self.webauthn.finish_passkey_registration(&response, state)?);
            }
            Pending::Get(state) => {
                let response: PublicKeyCredential = serde_json::from_value(credential)?;
                self.webauthn.finish_passkey_authentication(&response, state)?;
            }
            Pending::Discover(state) => {
                let response: PublicKeyCredential = serde_json::from_value(credential)?;
                self.finish_discovery(state, &response)?;
            }
        }
        Ok(())
    }

    fn finish_discovery(
        &self,
        state: &DiscoverableAuthentication,
        response: &PublicKeyCredential,
    ) -> Result<(), WebauthnError> {
        let (user, id) = self.webauthn.identify_discoverable_authentication(response)?;
        let mut known = self.passkeys.iter().filter(|passkey| passkey.cred_id().as_slice() == id);
        let passkey = known.next().filter(|_| user == self.user).ok_or(WebauthnError::CredentialNotFound)?;
        let key = DiscoverableKey::from(passkey);
        self.webauthn.finish_discoverable_authentication_v2(response, state.clone(), key)?;
        Ok(())
    }
}
