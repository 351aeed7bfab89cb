//! A CTAP request, as a computer sends it to a phone: what the phone shows of it, and what its authenticator answers. Whatever
//! is granted was shown.
#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use hybridge_authenticator::{
    CtapService,
    passkey::{ExclusionGuard, InMemoryPasskeys, PasskeyService},
};
use hybridge_phone::{Shown, ShownHost, Subject};
use hybridge_proto::cbor::check_canonical;
use libfuzzer_sys::fuzz_target;
use passkey_authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey_crypto::AvailableBackend;
use passkey_types::{
    Passkey,
    ctap2::{Aaguid, Ctap2Error},
};

/// The commands that concern a person.
const MAKE_CREDENTIAL: u8 = 0x01;
const GET_ASSERTION: u8 = 0x02;

fuzz_target!(|request: &[u8]| {
    let subject = Subject::of(request);
    if let Some(subject) = &subject {
        let shown = format!("{}{}", ShownHost(&subject.rp_id), Shown(subject.account()));
        assert!(!shown.chars().any(char::is_control), "fit for a terminal");
    }
    let reply = answer(request);
    let (status, cbor) = reply.split_first().expect("a status");
    if *status == 0 {
        check_canonical(cbor).expect("a canonical reply");
        if let Some(MAKE_CREDENTIAL | GET_ASSERTION) = request.first().copied() {
            assert!(subject.is_some(), "what is granted was shown");
        }
    } else {
        assert!(cbor.is_empty(), "a refusal is a status");
    }
});

/// What a phone without passkeys answers whose owner agrees to everything.
fn answer(request: &[u8]) -> Vec<u8> {
    let owner = ExclusionGuard::new(Owner);
    let store = InMemoryPasskeys::new();
    let authenticator = Authenticator::new(Aaguid::new_empty(), store, owner, AvailableBackend);
    let mut service = PasskeyService::new(authenticator);
    let mut call = pin!(service.call(request));
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(reply) => reply,
        Poll::Pending => panic!("there is nothing to wait for"),
    }
}

struct Owner;

#[async_trait]
impl UserValidationMethod for Owner {
    type PasskeyItem = Passkey;

    async fn check_user<'a>(
        &self,
        _hint: UiHint<'a, Passkey>,
        _presence: bool,
        _verification: bool,
    ) -> Result<UserCheck, Ctap2Error> {
        Ok(UserCheck { presence: true, verification: true })
    }

    fn is_presence_enabled(&self) -> bool {
        true
    }

    fn is_verification_enabled(&self) -> Option<bool> {
        Some(true)
    }
}
