//! The exclude list of authenticatorMakeCredential.

use async_trait::async_trait;
use passkey_authenticator::{UiHint, UserCheck, UserValidationMethod};
use passkey_types::ctap2::Ctap2Error;

/// Wraps the user's interface so that an excluded credential ends the request.
///
/// `passkey-authenticator` tells the user about an excluded credential and then makes a new one all the same. CTAP
/// 2.1 section 6.1.2 wants `CTAP2_ERR_CREDENTIAL_EXCLUDED` after the user was asked, whatever the answer; the
/// client turns it into "this phone is registered already".
#[derive(Debug, Clone, Default)]
pub struct ExclusionGuard<U>(U);

impl<U> ExclusionGuard<U> {
    /// Wraps the user's interface.
    pub const fn new(user: U) -> Self {
        Self(user)
    }
}

#[async_trait]
impl<U: UserValidationMethod + Sync> UserValidationMethod for ExclusionGuard<U> {
    type PasskeyItem = U::PasskeyItem;

    async fn check_user<'a>(
        &self,
        hint: UiHint<'a, Self::PasskeyItem>,
        presence: bool,
        verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        let excluded = matches!(hint, UiHint::InformExcludedCredentialFound(_));
        let answer = self.0.check_user(hint, presence, verification).await;
        if excluded { Err(Ctap2Error::CredentialExcluded) } else { answer }
    }

    fn is_presence_enabled(&self) -> bool {
        self.0.is_presence_enabled()
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        self.0.is_verification_enabled()
    }
}
