//! The website that the passkeys are for: `webauthn-rs`, which knows nothing of this project.

use serde_json::Value;
use url::Url;
use webauthn_rs::prelude::{
    AuthenticationResult, DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyAuthentication,
    PasskeyRegistration, Uuid, Webauthn, WebauthnBuilder,
};
use webauthn_rs_proto::{PublicKeyCredential, RegisterPublicKeyCredential, ResidentKeyRequirement};

use crate::orders::{ORIGIN, RP_ID};

/// A site with one visitor. It requires that the phone verifies its user.
pub(crate) struct Website {
    webauthn: Webauthn,
    visitor: Uuid,
}

impl Website {
    pub(crate) fn new() -> Self {
        let origin = Url::parse(ORIGIN).unwrap();
        let builder = WebauthnBuilder::new(RP_ID, &origin).unwrap();
        Self { webauthn: builder.rp_name("Peers").build().unwrap(), visitor: Uuid::from_u128(7) }
    }

    /// Options for a new passkey; phones that have one of the `excluded` are to refuse.
    pub(crate) fn begin_registration(&self, excluded: &[&Passkey]) -> (Value, PasskeyRegistration) {
        let excluded = excluded.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let (mut options, state) =
            self.webauthn.start_passkey_registration(self.visitor, "anna", "Anna", Some(excluded)).unwrap();
        // A phone has room for discoverable passkeys, other than the security keys that the default is for.
        let selection = options.public_key.authenticator_selection.get_or_insert_default();
        selection.resident_key = Some(ResidentKeyRequirement::Preferred);
        (serde_json::to_value(options).unwrap(), state)
    }

    /// Verifies a new passkey.
    pub(crate) fn finish_registration(&self, state: &PasskeyRegistration, credential: Value) -> Passkey {
        let credential: RegisterPublicKeyCredential = serde_json::from_value(credential).unwrap();
        self.webauthn.finish_passkey_registration(&credential, state).unwrap()
    }

    /// Options for signing in with one of these passkeys.
    pub(crate) fn begin_sign_in(&self, passkeys: &[Passkey]) -> (Value, PasskeyAuthentication) {
        let (options, state) = self.webauthn.start_passkey_authentication(passkeys).unwrap();
        (serde_json::to_value(options).unwrap(), state)
    }

    /// Verifies a sign-in with one of these passkeys.
    pub(crate) fn finish_sign_in(
        &self,
        state: &PasskeyAuthentication,
        credential: Value,
    ) -> AuthenticationResult {
        let credential: PublicKeyCredential = serde_json::from_value(credential).unwrap();
        self.webauthn.finish_passkey_authentication(&credential, state).unwrap()
    }

    /// Options for signing in with any passkey that the phone has.
    pub(crate) fn begin_sign_in_without_name(&self) -> (Value, DiscoverableAuthentication) {
        let (mut options, state) = self.webauthn.start_discoverable_authentication().unwrap();
        // Meant for a browser's autofill; here the user has asked for the phone.
        options.mediation = None;
        (serde_json::to_value(options).unwrap(), state)
    }

    /// Whether a sign-in says that it is the visitor's, by this passkey.
    pub(crate) fn identify(&self, passkey: &Passkey, credential: &Value) {
        let credential: PublicKeyCredential = serde_json::from_value(credential.clone()).unwrap();
        let (visitor, id) = self.webauthn.identify_discoverable_authentication(&credential).unwrap();
        assert!((visitor, id) == (self.visitor, passkey.cred_id().as_slice()), "somebody else");
    }

    /// Verifies a sign-in with a passkey that was not named.
    pub(crate) fn finish_sign_in_without_name(
        &self,
        state: DiscoverableAuthentication,
        passkey: &Passkey,
        credential: Value,
    ) -> AuthenticationResult {
        let credential: PublicKeyCredential = serde_json::from_value(credential).unwrap();
        let key = DiscoverableKey::from(passkey);
        self.webauthn.finish_discoverable_authentication_v2(&credential, state, key).unwrap()
    }
}
