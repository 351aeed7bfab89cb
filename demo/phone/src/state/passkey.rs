//! One passkey as this phone keeps it.

use std::{borrow::Cow, fmt, ops::RangeInclusive};

use passkey_authenticator::PasskeyAccessor;
use passkey_crypto::{AvailableSecretKey, CoseKey, Pkcs8, SecretKeyT};
use passkey_types::{CredentialExtensions, Passkey, ctap2::make_credential::PublicKeyCredentialUserEntity};
use zeroize::Zeroizing;

/// Lengths of a credential ID in bytes (WebAuthn Level 3 section 5.8.3).
const CREDENTIAL_ID: RangeInclusive<usize> = 16..=1023;
/// The longest user handle in bytes (WebAuthn Level 3 section 5.4.3).
const MAX_USER_HANDLE: usize = 64;
/// Lengths of a relying party's ID in bytes: those of a host name.
const RP_ID: RangeInclusive<usize> = 1..=253;
/// What is kept of a longer name, in bytes. WebAuthn Level 3 section 6.4.1 demands 64.
const MAX_NAME: usize = 256;

/// A passkey with its private key, for one account at one relying party.
///
/// It has no signature counter: a website that counts is told 0, always, as passkeys may be moved to another device.
#[derive(Clone)]
pub struct StoredPasskey {
    pub(crate) credential_id: Vec<u8>,
    pub(crate) rp_id: String,
    pub(crate) user_handle: Vec<u8>,
    pub(crate) user_name: String,
    pub(crate) user_display_name: String,
    pub(crate) key: PrivateKey,
    pub(crate) discoverable: bool,
    /// Unix seconds.
    pub(crate) created: u64,
}

impl StoredPasskey {
    /// Takes over what the authenticator has made. `None` if that cannot be kept: it would not be read again.
    pub(crate) fn new(
        passkey: &Passkey,
        user: PublicKeyCredentialUserEntity,
        discoverable: bool,
        created: u64,
    ) -> Option<Self> {
        let name = |name: Option<String>| shortened(name.unwrap_or_default());
        Self {
            credential_id: passkey.credential_id.to_vec(),
            rp_id: passkey.rp_id.clone(),
            user_handle: user.id.into(),
            user_name: name(user.name),
            user_display_name: name(user.display_name),
            key: PrivateKey::from_cose(&passkey.key)?,
            discoverable,
            created,
        }
        .checked()
    }

    /// Only a passkey whose members have the lengths that the standard gives them.
    pub(crate) fn checked(self) -> Option<Self> {
        let usable = CREDENTIAL_ID.contains(&self.credential_id.len())
            && RP_ID.contains(&self.rp_id.len())
            && self.user_handle.len() <= MAX_USER_HANDLE
            && self.user_name.len() <= MAX_NAME
            && self.user_display_name.len() <= MAX_NAME;
        usable.then_some(self)
    }

    /// The credential ID.
    pub(crate) fn id(&self) -> &[u8] {
        &self.credential_id
    }

    /// The relying party's ID: a host name.
    pub fn rp_id(&self) -> &str {
        &self.rp_id
    }

    /// What the person knows the account by: the user name, else the display name. Chosen by the website.
    pub fn account(&self) -> &str {
        if self.user_name.is_empty() { &self.user_display_name } else { &self.user_name }
    }

    /// Whether it is found without its ID.
    pub const fn is_discoverable(&self) -> bool {
        self.discoverable
    }

    /// Whether a new discoverable passkey takes this one's place: one for each account of a relying party.
    pub(crate) fn is_replaced_by(&self, new: &Self) -> bool {
        self.discoverable
            && new.discoverable
            && self.rp_id == new.rp_id
            && self.user_handle == new.user_handle
    }
}

/// The name, cut at the end of a character if it is too long.
fn shortened(mut name: String) -> String {
    name.truncate(name.floor_char_boundary(MAX_NAME));
    name
}

impl fmt::Debug for StoredPasskey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredPasskey").field("discoverable", &self.discoverable).finish_non_exhaustive()
    }
}

impl PasskeyAccessor for StoredPasskey {
    fn key(&self) -> Cow<'_, CoseKey> {
        Cow::Owned(self.key.to_cose())
    }

    fn credential_id(&self) -> &[u8] {
        &self.credential_id
    }

    fn rp_id(&self) -> &str {
        &self.rp_id
    }

    fn user_handle(&self) -> Option<&[u8]> {
        self.discoverable.then_some(&self.user_handle)
    }

    fn username(&self) -> Option<&str> {
        Some(&self.user_name)
    }

    fn user_display_name(&self) -> Option<&str> {
        Some(&self.user_display_name)
    }

    fn counter(&self) -> Option<u32> {
        None
    }

    fn set_counter(&mut self, _counter: u32) {}

    fn extensions(&self) -> Cow<'_, CredentialExtensions> {
        Cow::Owned(CredentialExtensions::default())
    }
}

/// A private key in PKCS#8 DER, checked when it was made. Wiped when dropped.
#[derive(Clone)]
pub(crate) struct PrivateKey(Zeroizing<Vec<u8>>);

impl PrivateKey {
    /// `None` if this is not a private key of a kind that this phone signs with.
    pub(crate) fn from_pkcs8(der: Zeroizing<Vec<u8>>) -> Option<Self> {
        AvailableSecretKey::from_pkcs8(&der).ok()?;
        Some(Self(der))
    }

    fn from_cose(key: &CoseKey) -> Option<Self> {
        let der = AvailableSecretKey::from_cose_key(key).ok()?.to_pkcs8().ok()?;
        Some(Self(Zeroizing::new(der)))
    }

    pub(crate) fn as_pkcs8(&self) -> &[u8] {
        &self.0
    }

    /// For the moment of a signature. An empty key, which signs nothing, stands for a failure that the check in
    /// [`Self::from_pkcs8`] has ruled out.
    fn to_cose(&self) -> CoseKey {
        AvailableSecretKey::from_pkcs8(&self.0).map(|key| key.to_cose_key()).unwrap_or_default()
    }
}
