//! A [`CtapService`] over the `passkey-authenticator` crate.
//!
//! That crate has the rules of CTAP; this module puts bytes around them: requests are checked for canonical form
//! and decoded, replies are put into canonical form, and what the crate leaves to its caller is added: an exclude
//! list is honoured ([`ExclusionGuard`]), and a request for a silent assertion is refused.

use passkey_authenticator::{Authenticator, CredentialStore, Ctap2Api, UserValidationMethod};
use passkey_crypto::{AvailableBackend, CryptoBackend};
use passkey_types::ctap2::make_credential;
use tracing::{debug, error, warn};

use crate::service::CtapService;

mod attestation;
mod exclusion;
mod memory;
mod reply;
mod request;
#[cfg(test)]
mod tests;

pub use self::{attestation::Attestation, exclusion::ExclusionGuard, memory::InMemoryPasskeys};
use self::{
    attestation::PACKED,
    reply::{Refusal, encode, failure, success},
    request::Request,
};

/// Lets a software authenticator answer a client of the hybrid transport.
///
/// `S` stores passkeys, `U` asks the user, `C` does the cryptography. What getInfo reports follows from them: a
/// client expects `rk` and `uv` to be true, so the store should hold discoverable passkeys and the user should be
/// verifiable on the phone. There is no client PIN.
///
/// It answers authenticatorMakeCredential, authenticatorGetAssertion and authenticatorGetInfo; every other command
/// gets `CTAP1_ERR_INVALID_COMMAND`. Attestation is `none` until [`Self::set_attestation`].
///
/// ```
/// use async_trait::async_trait;
/// use hybridge_authenticator::{CtapService, passkey::*};
/// use passkey_authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
/// use passkey_crypto::AvailableBackend;
/// use passkey_types::{Passkey, ctap2::{Aaguid, Ctap2Error}};
///
/// struct Owner;
///
/// #[async_trait]
/// impl UserValidationMethod for Owner {
///     type PasskeyItem = Passkey;
///
///     async fn check_user<'a>(
///         &self,
///         hint: UiHint<'a, Passkey>,
///         presence: bool,
///         verification: bool,
///     ) -> Result<UserCheck, Ctap2Error> {
///         // Show what `hint` tells, ask for a finger or a code, then:
///         Ok(UserCheck { presence: true, verification: true })
///     }
///
///     fn is_presence_enabled(&self) -> bool {
///         true
///     }
///
///     fn is_verification_enabled(&self) -> Option<bool> {
///         Some(true)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let owner = ExclusionGuard::new(Owner);
/// let store = InMemoryPasskeys::new();
/// let authenticator = Authenticator::new(Aaguid::new_empty(), store, owner, AvailableBackend);
/// let mut service = PasskeyService::new(authenticator);
/// let reply = service.call(&[0x04]).await;
/// assert_eq!(reply.first(), Some(&0), "getInfo is answered with success");
/// # }
/// ```
pub struct PasskeyService<S, U, C = AvailableBackend> {
    authenticator: Authenticator<S, ExclusionGuard<U>, C>,
    attestation: Attestation,
}

impl<S, U, C> PasskeyService<S, U, C> {
    /// Takes over an authenticator. Its default transports, internal and hybrid, are what a phone reports.
    pub const fn new(authenticator: Authenticator<S, ExclusionGuard<U>, C>) -> Self {
        Self { authenticator, attestation: Attestation::None }
    }

    /// Says what replies with new passkeys prove from now on.
    pub const fn set_attestation(&mut self, attestation: Attestation) {
        self.attestation = attestation;
    }

    /// The authenticator, to look into its store.
    pub const fn authenticator(&self) -> &Authenticator<S, ExclusionGuard<U>, C> {
        &self.authenticator
    }

    /// The authenticator, to change its store or settings between requests.
    pub const fn authenticator_mut(&mut self) -> &mut Authenticator<S, ExclusionGuard<U>, C> {
        &mut self.authenticator
    }
}

impl<S, U, C> PasskeyService<S, U, C>
where
    S: CredentialStore + Send + Sync,
    U: UserValidationMethod<PasskeyItem = S::PasskeyItem> + Send + Sync,
    C: CryptoBackend<SecretKey: Send + Sync> + Send + Sync,
{
    async fn answer(&mut self, request: &[u8]) -> Result<Vec<u8>, Refusal> {
        // The calls go through `Ctap2Api` since its futures are known to be `Send`.
        match Request::decode(request)? {
            Request::MakeCredential(request) => self.create(*request).await,
            Request::GetAssertion(request) => {
                let response = Ctap2Api::get_assertion(&mut self.authenticator, *request).await?;
                encode(&response)
            }
            Request::GetInfo => encode(&Ctap2Api::get_info(&self.authenticator).await),
        }
    }

    async fn create(&mut self, request: make_credential::Request) -> Result<Vec<u8>, Refusal> {
        let (rp_id, hash) = (request.rp.id.clone(), request.client_data_hash.clone());
        let mut response = Ctap2Api::make_credential(&mut self.authenticator, request).await?;
        if self.attestation == Attestation::SelfSigned {
            let store = self.authenticator.store();
            match attestation::statement::<S, C>(store, &rp_id, &response.auth_data, &hash).await {
                Some(statement) => (response.fmt, response.att_stmt) = (PACKED.to_owned(), statement),
                // The passkey is kept, so a refusal would leave one behind that the website does not know.
                None => warn!("a new passkey attests nothing, as the store does not give its key"),
            }
        }
        encode(&response)
    }
}

impl<S, U, C> CtapService for PasskeyService<S, U, C>
where
    S: CredentialStore + Send + Sync,
    U: UserValidationMethod<PasskeyItem = S::PasskeyItem> + Send + Sync,
    C: CryptoBackend<SecretKey: Send + Sync> + Send + Sync,
{
    async fn get_info(&mut self) -> Vec<u8> {
        let info = Ctap2Api::get_info(&self.authenticator).await;
        encode(&info).unwrap_or_else(|refusal| {
            error!(%refusal, "no getInfo to send");
            EMPTY_MAP.to_vec()
        })
    }

    async fn call(&mut self, request: &[u8]) -> Vec<u8> {
        match self.answer(request).await {
            Ok(cbor) => {
                debug!(request_len = request.len(), reply_len = cbor.len(), "request answered");
                success(cbor)
            }
            Err(refusal) => {
                debug!(request_len = request.len(), %refusal, "request refused");
                failure(refusal)
            }
        }
    }
}

impl<S, U, C> core::fmt::Debug for PasskeyService<S, U, C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PasskeyService").finish_non_exhaustive()
    }
}

/// What clients refuse as a getInfo response, so that a failure here ends in an error there.
const EMPTY_MAP: [u8; 1] = [0xA0];
