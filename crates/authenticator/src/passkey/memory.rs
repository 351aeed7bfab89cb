//! A passkey store that forgets everything when it is dropped.

use async_trait::async_trait;
use passkey_authenticator::{CredentialStore, DiscoverabilitySupport, StoreInfo};
use passkey_types::{
    Passkey,
    ctap2::{
        Ctap2Error, StatusCode,
        make_credential::{Options, PublicKeyCredentialRpEntity, PublicKeyCredentialUserEntity},
    },
    webauthn::PublicKeyCredentialDescriptor,
};

/// Passkeys in memory, for demonstrations and tests: nothing is written anywhere, all is gone on drop.
///
/// Every passkey is discoverable, as on phones. The newest of several comes first. A new passkey for the same
/// relying party and user replaces the old one.
#[derive(Default)]
pub struct InMemoryPasskeys {
    oldest_first: Vec<Passkey>,
}

impl InMemoryPasskeys {
    /// An empty store.
    pub const fn new() -> Self {
        Self { oldest_first: Vec::new() }
    }

    /// How many passkeys it holds.
    pub const fn len(&self) -> usize {
        self.oldest_first.len()
    }

    /// Whether it holds none.
    pub const fn is_empty(&self) -> bool {
        self.oldest_first.is_empty()
    }

    /// Its passkeys, the oldest first. They hold private keys.
    pub fn iter(&self) -> impl Iterator<Item = &Passkey> {
        self.oldest_first.iter()
    }
}

impl core::fmt::Debug for InMemoryPasskeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "InMemoryPasskeys({} passkeys)", self.len())
    }
}

#[async_trait]
impl CredentialStore for InMemoryPasskeys {
    type PasskeyItem = Passkey;

    async fn find_credentials(
        &self,
        ids: Option<&[PublicKeyCredentialDescriptor]>,
        rp_id: &str,
        // Given for exclude lists only, and a credential ID excludes whoever it belongs to.
        _user_handle: Option<&[u8]>,
    ) -> Result<Vec<Passkey>, StatusCode> {
        let wanted = |passkey: &&Passkey| {
            passkey.rp_id == rp_id
                && ids.is_none_or(|ids| ids.iter().any(|wanted| wanted.id == passkey.credential_id))
        };
        let found: Vec<_> = self.oldest_first.iter().rev().filter(wanted).cloned().collect();
        if found.is_empty() { Err(Ctap2Error::NoCredentials.into()) } else { Ok(found) }
    }

    async fn save_credential(
        &mut self,
        passkey: Passkey,
        _user: PublicKeyCredentialUserEntity,
        _rp: PublicKeyCredentialRpEntity,
        _options: Options,
    ) -> Result<(), StatusCode> {
        self.oldest_first.retain(|old| old.rp_id != passkey.rp_id || old.user_handle != passkey.user_handle);
        self.oldest_first.push(passkey);
        Ok(())
    }

    async fn update_credential(&mut self, passkey: &Passkey) -> Result<(), StatusCode> {
        let stored =
            self.oldest_first.iter_mut().find(|stored| stored.credential_id == passkey.credential_id);
        *stored.ok_or(Ctap2Error::NoCredentials)? = passkey.clone();
        Ok(())
    }

    async fn get_info(&self) -> StoreInfo {
        StoreInfo { discoverability: DiscoverabilitySupport::ForcedDiscoverable }
    }
}
