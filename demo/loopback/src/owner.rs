//! The person who holds the phone, and the phone's passkeys.

use async_trait::async_trait;
use hybridge_authenticator::passkey::{ExclusionGuard, InMemoryPasskeys, PasskeyService};
use passkey_authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey_crypto::AvailableBackend;
use passkey_types::{
    Passkey,
    ctap2::{Aaguid, Ctap2Error},
};

/// What the phone's owner says to every question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Unlocks the phone and agrees.
    Agrees,
    /// Taps "cancel".
    Declines,
}

/// The passkeys of a phone whose owner always says the same.
pub type Passkeys = PasskeyService<InMemoryPasskeys, Owner>;

/// An empty phone in the hands of `owner`.
pub fn passkeys_of(owner: Owner) -> Passkeys {
    let store = InMemoryPasskeys::new();
    let owner = ExclusionGuard::new(owner);
    PasskeyService::new(Authenticator::new(Aaguid::new_empty(), store, owner, AvailableBackend))
}

#[async_trait]
impl UserValidationMethod for Owner {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _hint: UiHint<'a, Passkey>,
        _presence: bool,
        _verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        match self {
            // A phone is unlocked for every use, whether the client asks for verification or not.
            Self::Agrees => Ok(UserCheck { presence: true, verification: true }),
            Self::Declines => Err(Ctap2Error::OperationDenied),
        }
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}
