//! The phone's passkeys, among which the owner picks.

use std::sync::Arc;

use async_trait::async_trait;
use passkey_authenticator::{CredentialStore, StoreInfo};
use passkey_types::{
    Passkey,
    ctap2::{
        Ctap2Error, StatusCode,
        make_credential::{Options, PublicKeyCredentialRpEntity, PublicKeyCredentialUserEntity},
    },
    webauthn::PublicKeyCredentialDescriptor,
};

use super::Shared;

/// The passkeys that the phone's parts share.
pub(super) struct Accounts(pub(super) Arc<Shared>);

#[async_trait]
impl CredentialStore for Accounts {
    type PasskeyItem = Passkey;

    async fn find_credentials(
        &self,
        ids: Option<&[PublicKeyCredentialDescriptor]>,
        rp_id: &str,
        user_handle: Option<&[u8]>,
    ) -> Result<Vec<Passkey>, StatusCode> {
        let passkeys = self.0.passkeys.lock().await;
        let mut found = passkeys.find_credentials(ids, rp_id, user_handle).await?;
        // With a user handle it is about an exclude list, where nobody picks anything.
        if let Some(account) = self.0.script().account.as_ref().filter(|_| user_handle.is_none()) {
            let is_name = |name: &Option<String>| name.as_ref() == Some(account);
            found.retain(|passkey| is_name(&passkey.username) || is_name(&passkey.user_display_name));
        }
        if found.is_empty() { Err(Ctap2Error::NoCredentials.into()) } else { Ok(found) }
    }

    async fn save_credential(
        &mut self,
        passkey: Passkey,
        user: PublicKeyCredentialUserEntity,
        rp: PublicKeyCredentialRpEntity,
        options: Options,
    ) -> Result<(), StatusCode> {
        self.0.passkeys.lock().await.save_credential(passkey, user, rp, options).await
    }

    async fn update_credential(&mut self, passkey: &Passkey) -> Result<(), StatusCode> {
        self.0.passkeys.lock().await.update_credential(passkey).await
    }

    async fn get_info(&self) -> StoreInfo {
        self.0.passkeys.lock().await.get_info().await
    }
}
