//! Secrets of one transaction: the QR secret and what follows from it, the EID key, the PSK.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Purpose, derive, derive_into};
use crate::{advert::AdvertPlaintext, ids::TunnelId, secret::secret_bytes};

secret_bytes!(
    /// The 16 random bytes in a QR code (key 1). Whoever has them can find and join the session, so they are used
    /// once and never shown in a log.
    QrSecret,
    16
);
secret_bytes!(
    /// Pre-shared key of the Noise handshake: 32 bytes that follow from a secret *and* the plaintext of an advert.
    /// Knowing it proves having heard the advert.
    Psk,
    32
);

impl QrSecret {
    /// The key of this code's adverts.
    pub fn eid_key(&self) -> EidKey {
        EidKey::derive(self.expose_bytes(), &[])
    }

    /// Where client and authenticator of this code meet.
    pub fn tunnel_id(&self) -> TunnelId {
        TunnelId::from_bytes(*derive(self.expose_bytes(), &[], &Purpose::TUNNEL_ID))
    }

    /// The handshake's key, salted with the whole 16-byte plaintext of the advert.
    pub fn psk(&self, plaintext: &AdvertPlaintext) -> Psk {
        Psk::from_boxed(derive(self.expose_bytes(), plaintext.expose_bytes(), &Purpose::PSK))
    }
}

/// Seals and opens adverts: 32 bytes of AES-256 key, then 32 bytes of HMAC-SHA256 key.
pub struct EidKey(Box<[[u8; 32]; 2]>);

impl EidKey {
    /// Length in bytes of both keys together.
    pub const LENGTH: usize = 64;

    /// Splits the bytes into the two keys. The caller's array remains the caller's to wipe.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        let mut key = Self(Box::default());
        key.0.as_flattened_mut().copy_from_slice(bytes);
        key
    }

    pub(super) fn derive(secret: &[u8], salt: &[u8]) -> Self {
        let mut key = Self(Box::default());
        derive_into(secret, salt, &Purpose::EID_KEY, key.0.as_flattened_mut());
        key
    }

    /// Both keys, 64 bytes. The name makes every use easy to find.
    pub fn expose_bytes(&self) -> &[u8] {
        self.0.as_flattened()
    }

    pub(crate) fn aes_key(&self) -> &[u8; 32] {
        let [aes, _] = self.0.as_ref();
        aes
    }

    pub(crate) fn mac_key(&self) -> &[u8; 32] {
        let [_, mac] = self.0.as_ref();
        mac
    }
}

impl Drop for EidKey {
    fn drop(&mut self) {
        self.0.as_flattened_mut().zeroize();
    }
}

impl ZeroizeOnDrop for EidKey {}

impl fmt::Debug for EidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EidKey(..)")
    }
}

impl PartialEq for EidKey {
    /// Compares in constant time.
    fn eq(&self, other: &Self) -> bool {
        self.expose_bytes().ct_eq(other.expose_bytes()).into()
    }
}

impl Eq for EidKey {}
