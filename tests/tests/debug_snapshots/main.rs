//! What `Debug` shows of every type that holds a secret, a payload or an identifier: word for word, so that a derived
//! `Debug` cannot slip in.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod complete;
mod drivers;
mod protocol;
mod services;

use std::sync::Arc;

use hybridge_proto::{
    ids::{ContactId, LinkId},
    keys::{LinkSecret, PrivateKey},
    link::LinkingInfo,
};

/// The one private key here.
fn key() -> Arc<PrivateKey> {
    Arc::new(PrivateKey::from_bytes(&[7; 32]).unwrap())
}

/// Its public key, as it is shown.
fn public() -> String {
    "PublicKey(1e..)".to_owned()
}

fn linking_info() -> LinkingInfo {
    LinkingInfo::new(
        ContactId::new([5; 30]).unwrap(),
        LinkId::from_bytes([0xab; 8]),
        LinkSecret::from_bytes(&[6; 32]),
        *key().public_key(),
        "Phone",
    )
}

/// [`linking_info`], as it is shown.
fn linking_info_shown() -> String {
    format!(
        "LinkingInfo {{ contact: ContactId(30 bytes), link: LinkId(ab..), secret: LinkSecret(..), identity: {}, \
         name: \"Phone\" }}",
        public()
    )
}
