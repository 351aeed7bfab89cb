//! A phone that can be remembered.

use std::sync::Arc;

use hybridge_authenticator::LinkOffer;
use hybridge_client::Link;
use hybridge_proto::{
    ids::{ContactId, LinkId},
    keys::{LinkSecret, PrivateKey},
    link::LinkingInfo,
};

use super::DOMAIN;

pub const LINK_SECRET: [u8; 32] = [0x5E; 32];

pub fn identity() -> PrivateKey {
    PrivateKey::from_seed(b"Ada's phone")
}

/// Linking information that differs in contact ID and link ID by its number.
pub fn link_info(number: u8) -> LinkingInfo {
    let contact = ContactId::new([0xC0, number]).unwrap();
    let secret = LinkSecret::from_bytes(&LINK_SECRET);
    LinkingInfo::new(
        contact,
        LinkId::from_bytes([number; 8]),
        secret,
        *identity().public_key(),
        "Ada's phone",
    )
}

pub fn link(number: u8) -> Link {
    Link::new(DOMAIN, link_info(number))
}

pub fn link_offer() -> LinkOffer {
    LinkOffer { identity: Arc::new(identity()), info: link_info(1) }
}
