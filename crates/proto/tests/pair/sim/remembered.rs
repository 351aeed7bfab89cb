//! What a laptop and a phone keep of each other, the same in every run.

use std::sync::{Arc, LazyLock};

use hybridge_proto::{
    authenticator::LinkOffer,
    client::Link,
    domain::DomainId,
    ids::{ContactId, LinkId},
    keys::{LinkSecret, PrivateKey},
    link::LinkingInfo,
};

/// How many people there are at most.
pub(crate) const OWNERS: u16 = 4;

/// The tunnel service of an owner's phone, each another one on a hashed domain.
pub(crate) fn domain_of(owner: usize) -> DomainId {
    let owner = u16::try_from(owner).expect("a handful of owners");
    assert!(owner < OWNERS);
    DomainId::new(266 + owner)
}

/// The identity keys of all owners' phones, computed once.
static IDENTITIES: LazyLock<Vec<Arc<PrivateKey>>> = LazyLock::new(|| {
    (0..OWNERS).map(|owner| Arc::new(PrivateKey::from_seed(&owner.to_be_bytes()))).collect()
});

/// One link between an owner's phone and the laptop.
#[derive(Clone)]
pub(crate) struct Remembered {
    pub(crate) identity: Arc<PrivateKey>,
    owner: u8,
}

impl Remembered {
    pub(crate) fn of(owner: usize) -> Self {
        let identity = Arc::clone(&IDENTITIES[owner]);
        Self { identity, owner: u8::try_from(owner).expect("a handful of owners") }
    }

    pub(crate) fn secret(&self) -> LinkSecret {
        LinkSecret::from_bytes(&[self.owner; 32])
    }

    /// The linking information as the phone gives it.
    pub(crate) fn info(&self) -> LinkingInfo {
        LinkingInfo::new(
            ContactId::new(vec![self.owner; 20]).expect("20 bytes are fine"),
            LinkId::from_bytes([self.owner; 8]),
            self.secret(),
            *self.identity.public_key(),
            "a phone",
        )
    }

    pub(crate) fn offer(&self) -> LinkOffer {
        LinkOffer { identity: Arc::clone(&self.identity), info: self.info() }
    }

    /// The link as the laptop keeps it.
    pub(crate) fn link(&self) -> Link {
        Link::new(domain_of(self.owner.into()), self.info())
    }
}

/// Whose contact ID this is.
pub(crate) fn owner_of(contact: &ContactId) -> usize {
    usize::from(contact.as_bytes()[0])
}
