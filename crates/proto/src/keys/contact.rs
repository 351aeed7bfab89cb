//! Secrets behind remembered phones: the link secret, and a schedule by which an authenticator can compute the
//! secret of every link from one root instead of storing them.

use super::{PrivateKey, Psk, Purpose, derive, transaction::EidKey};
use crate::{
    advert::AdvertPlaintext,
    ids::{ClientNonce, ContactId, LinkId},
    secret::secret_bytes,
};

secret_bytes!(
    /// Shared by a client and an authenticator that know each other: 32 bytes, part of the linking information.
    LinkSecret,
    32
);
secret_bytes!(
    /// The one secret that an authenticator stores when it derives everything else: 32 bytes.
    RootSecret,
    32
);
secret_bytes!(
    /// Between [`RootSecret`] and [`LinkSecret`]: 32 bytes that die with a contact ID.
    PerContactSecret,
    32
);
secret_bytes!(
    /// Seed of an authenticator's identity key: 32 bytes.
    IdentitySeed,
    32
);

impl LinkSecret {
    /// The key of the adverts of one state-assisted transaction.
    pub fn eid_key(&self, nonce: &ClientNonce) -> EidKey {
        EidKey::derive(self.expose_bytes(), nonce.as_bytes())
    }

    /// The handshake's key, salted with the whole 16-byte plaintext of the advert.
    pub fn psk(&self, plaintext: &AdvertPlaintext) -> Psk {
        Psk::from_boxed(derive(self.expose_bytes(), plaintext.expose_bytes(), &Purpose::PSK))
    }
}

impl RootSecret {
    /// The secret behind all links of one contact ID; a new contact ID makes all of them void.
    pub fn per_contact(&self, contact: &ContactId) -> PerContactSecret {
        PerContactSecret::from_boxed(derive(
            self.expose_bytes(),
            contact.as_bytes(),
            &Purpose::PER_CONTACT_SECRET,
        ))
    }

    /// The secret of a link that has no contact ID.
    pub fn link_secret(&self, link: &LinkId) -> LinkSecret {
        LinkSecret::from_boxed(derive(self.expose_bytes(), link.as_bytes(), &Purpose::PAIRED_SECRET))
    }

    /// Seed of the identity key, which is the same for all links.
    pub fn identity_seed(&self) -> IdentitySeed {
        IdentitySeed::from_boxed(derive(self.expose_bytes(), &[], &Purpose::IDENTITY_SEED))
    }
}

impl PerContactSecret {
    /// The secret of one link.
    pub fn link_secret(&self, link: &LinkId) -> LinkSecret {
        LinkSecret::from_boxed(derive(self.expose_bytes(), link.as_bytes(), &Purpose::PAIRED_SECRET))
    }
}

impl IdentitySeed {
    /// The identity key.
    pub fn private_key(&self) -> PrivateKey {
        PrivateKey::from_seed(self.expose_bytes())
    }
}
