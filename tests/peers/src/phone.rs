//! Our phone: the library that answers codes and calls, over a software authenticator.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hybridge_authenticator::{
    Authenticator, DomainId, Error, IncomingCall, LinkOffer,
    passkey::{ExclusionGuard, InMemoryPasskeys, PasskeyService},
};
use hybridge_ble::{Advertisement, Advertiser, DynAdvertiser, DynHandle, RadioError, ServiceUuid};
use hybridge_tunnel::DynDialer;
use passkey_authenticator::{UiHint, UserCheck, UserValidationMethod};
use passkey_crypto::AvailableBackend;
use passkey_types::{
    Passkey,
    ctap2::{Aaguid, Ctap2Error},
};

/// What the owner says from now on. Clones are the same person.
#[derive(Clone)]
pub(crate) struct Owner(Arc<Mutex<bool>>);

/// A phone with its passkeys.
pub(crate) struct Phone {
    passkeys: PasskeyService<InMemoryPasskeys, Owner>,
    radio: Arc<dyn DynAdvertiser>,
    dialer: Arc<dyn DynDialer>,
    /// Its tunnel service.
    pub(crate) domain: DomainId,
    /// What it offers to the next laptop that can remember it.
    pub(crate) linking: Option<LinkOffer>,
    pub(crate) owner: Owner,
}

impl Phone {
    pub(crate) fn new(domain: DomainId, radio: Arc<dyn DynAdvertiser>, dialer: Arc<dyn DynDialer>) -> Self {
        let owner = Owner(Arc::new(Mutex::new(true)));
        let guard = ExclusionGuard::new(owner.clone());
        let store = InMemoryPasskeys::new();
        let authenticator =
            passkey_authenticator::Authenticator::new(Aaguid::new_empty(), store, guard, AvailableBackend);
        let passkeys = PasskeyService::new(authenticator);
        Self { passkeys, radio, dialer, domain, linking: None, owner }
    }

    /// Sends its adverts under the UUID that old phones use.
    pub(crate) fn with_old_uuid(mut self) -> Self {
        self.radio = Arc::new(OldUuid(self.radio));
        self
    }

    pub(crate) async fn answer(&mut self, code: &str) -> Result<(), Error> {
        let mut authenticator = self.authenticator();
        authenticator.linking = self.linking.take();
        authenticator.answer_code(code, &mut self.passkeys, |_| {}).await
    }

    pub(crate) async fn answer_call(&mut self, call: IncomingCall) -> Result<(), Error> {
        self.authenticator().answer_call(call, &mut self.passkeys, |_| {}).await
    }

    fn authenticator(&self) -> Authenticator {
        Authenticator::new(self.domain, Arc::clone(&self.radio), Arc::clone(&self.dialer))
    }
}

impl Owner {
    pub(crate) fn declines(&self) {
        *self.0.lock().unwrap() = false;
    }
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
        if *self.0.lock().unwrap() {
            Ok(UserCheck { presence: true, verification: true })
        } else {
            Err(Ctap2Error::OperationDenied)
        }
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}

/// Another radio under 0xFDE2.
struct OldUuid(Arc<dyn DynAdvertiser>);

impl Advertiser for OldUuid {
    type Handle = DynHandle;

    async fn advertise(&self, mut advert: Advertisement) -> Result<DynHandle, RadioError> {
        advert.uuid = ServiceUuid::Google;
        self.0.advertise_dyn(advert).await
    }
}
