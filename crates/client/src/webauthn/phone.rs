//! What a phone says that it can do (CTAP 2.2 section 6.4, authenticatorGetInfo).

use hybridge_proto::cbor::check_canonical;

use super::{
    cbor::{self, Key},
    error::PhoneError,
    options::Wish,
};

/// How websites may write down that a passkey is reached (WebAuthn Level 3 section 5.8.4), sorted.
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// What matters of a phone's description.
#[derive(Clone)]
pub(super) struct Phone {
    /// Keeps passkeys that are found without the account's name.
    discoverable: bool,
    /// Checks that its owner holds it, and is set up for that.
    verification: bool,
    /// How it can be reached, sorted.
    pub(super) transports: Vec<&'static str>,
}

impl Phone {
    /// Reads the CBOR of a description, without a status byte.
    pub(super) fn from_get_info(get_info: &[u8]) -> Result<Self, PhoneError> {
        check_canonical(get_info)?;
        if !cbor::is_map(get_info) {
            return Err(PhoneError::Malformed("description"));
        }
        let options = cbor::member(get_info, Key::Number(4)).unwrap_or_default();
        let can = |name| cbor::flag(options, Key::Name(name)).unwrap_or(false);
        let named = cbor::texts(get_info, Key::Number(9)).unwrap_or_default();
        // It was reached so, whether it says so or calls it by its old name, `cable`.
        let used = |known: &&'static str| *known == "hybrid" || named.contains(known);
        Ok(Self {
            discoverable: can("rk"),
            verification: can("uv"),
            transports: TRANSPORTS.into_iter().filter(used).collect(),
        })
    }

    /// Whether to ask for a passkey that is found without the account's name.
    pub(super) fn discoverable(&self, wish: Wish) -> Result<bool, PhoneError> {
        settle(wish, self.discoverable).ok_or(PhoneError::NotDiscoverable)
    }

    /// Whether to ask for verification of the owner.
    pub(super) fn verification(&self, wish: Wish) -> Result<bool, PhoneError> {
        settle(wish, self.verification).ok_or(PhoneError::NoVerification)
    }
}

/// `None` if it is required and cannot be.
const fn settle(wish: Wish, can: bool) -> Option<bool> {
    match (wish, can) {
        (Wish::Required, false) => None,
        (Wish::Required | Wish::Preferred, can) => Some(can),
        (Wish::Discouraged, _) => Some(false),
    }
}
