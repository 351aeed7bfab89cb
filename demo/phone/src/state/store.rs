//! The passkeys of a phone, as `passkey-authenticator` wants them.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

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

use super::{State, StateDirectory, StateError, StoredPasskey, format::MAX_PASSKEYS};
use crate::passphrase::Verifier;

/// Passkeys, in memory and, if they have one, in a state directory: there before the website learns of them.
pub struct Passkeys {
    state: State,
    directory: Option<StateDirectory>,
    /// The one passkey that an assertion may use, as its credential ID: what the person chose.
    chosen: Option<Vec<u8>>,
    failure: Option<StateError>,
}

impl Passkeys {
    /// Passkeys that are gone when the program ends.
    pub const fn in_memory() -> Self {
        let state = State { passphrase: None, passkeys: Vec::new() };
        Self { state, directory: None, chosen: None, failure: None }
    }

    /// Passkeys that stay in `directory`.
    pub const fn in_directory(directory: StateDirectory, state: State) -> Self {
        Self { state, directory: Some(directory), chosen: None, failure: None }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.state.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.state.is_empty()
    }

    /// Where they are kept; nowhere if in memory only.
    pub const fn directory(&self) -> Option<&StateDirectory> {
        self.directory.as_ref()
    }

    /// What tells the owner's passphrase.
    pub(crate) const fn passphrase(&self) -> Option<&Verifier> {
        self.state.passphrase.as_ref()
    }

    /// Keeps what tells the owner's passphrase.
    pub(crate) fn set_passphrase(&mut self, passphrase: Verifier) -> Result<(), StateError> {
        let former = self.state.passphrase.replace(passphrase);
        self.write().inspect_err(|_| self.state.passphrase = former)
    }

    /// The passkeys that an assertion may use, the newest first. No IDs allow every discoverable one.
    pub(crate) fn matching(&self, rp_id: &str, ids: &[Vec<u8>]) -> Vec<&StoredPasskey> {
        let allowed = |passkey: &&StoredPasskey| match ids {
            [] => passkey.discoverable,
            ids => ids.contains(&passkey.credential_id),
        };
        self.state.passkeys.iter().rev().filter(|passkey| passkey.rp_id == rp_id).filter(allowed).collect()
    }

    /// Lets assertions use this passkey only, or all.
    pub(crate) fn choose(&mut self, credential_id: Option<Vec<u8>>) {
        self.chosen = credential_id;
    }

    /// Why the last request could not be kept, once.
    pub(crate) fn take_failure(&mut self) -> Option<StateError> {
        self.failure.take()
    }

    fn write(&self) -> Result<(), StateError> {
        self.directory.as_ref().map_or(Ok(()), |directory| directory.write(&self.state))
    }

    fn add(&mut self, passkey: StoredPasskey) -> Result<(), Ctap2Error> {
        let former = self.state.passkeys.clone();
        self.state.passkeys.retain(|old| !old.is_replaced_by(&passkey));
        if self.state.passkeys.len() >= MAX_PASSKEYS {
            self.state.passkeys = former;
            return Err(Ctap2Error::KeyStoreFull);
        }
        self.state.passkeys.push(passkey);
        self.write().map_err(|error| {
            self.state.passkeys = former;
            self.failure = Some(error);
            Ctap2Error::Other
        })
    }
}

impl fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passkeys").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl CredentialStore for Passkeys {
    type PasskeyItem = StoredPasskey;

    async fn find_credentials(
        &self,
        ids: Option<&[PublicKeyCredentialDescriptor]>,
        rp_id: &str,
        // Given for exclude lists only, and a credential ID excludes whoever it belongs to.
        _user_handle: Option<&[u8]>,
    ) -> Result<Vec<StoredPasskey>, StatusCode> {
        let ids: Vec<_> = ids.unwrap_or_default().iter().map(|wanted| wanted.id.to_vec()).collect();
        let chosen = |passkey: &&StoredPasskey| {
            self.chosen.as_ref().is_none_or(|chosen| *chosen == passkey.credential_id)
        };
        let found: Vec<_> = self.matching(rp_id, &ids).into_iter().filter(chosen).cloned().collect();
        if found.is_empty() { Err(Ctap2Error::NoCredentials.into()) } else { Ok(found) }
    }

    async fn save_credential(
        &mut self,
        passkey: Passkey,
        user: PublicKeyCredentialUserEntity,
        _rp: PublicKeyCredentialRpEntity,
        options: Options,
    ) -> Result<(), StatusCode> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let passkey = StoredPasskey::new(&passkey, user, options.rk, now).ok_or(Ctap2Error::InvalidLength)?;
        Ok(self.add(passkey)?)
    }

    // Passkeys of this phone do not count signatures, so that nothing changes in one.
    async fn update_credential(&mut self, _passkey: &StoredPasskey) -> Result<(), StatusCode> {
        Ok(())
    }

    async fn get_info(&self) -> StoreInfo {
        StoreInfo { discoverability: DiscoverabilitySupport::Full }
    }
}
