//! Passkeys that attest themselves, verified by `webauthn-rs`, and statements that were changed on the way.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use hybridge_authenticator::{Authenticator, CtapService, passkey::Attestation};
use hybridge_ble::sim::Air;
use hybridge_client::{Hint, Session, SessionConfig};
use hybridge_demo::{
    browser::{self, Browser},
    owner::{Owner, Passkeys, passkeys_of},
    relying_party::{RelyingParty, RelyingPartyError},
};
use hybridge_tests::{screen::Screen, service::DOMAIN};
use hybridge_tunnel::MemoryService;
use url::Url;

/// A phone whose statements can be changed.
struct Phone {
    passkeys: Passkeys,
    forged: bool,
}

impl Phone {
    fn new(forged: bool) -> Self {
        let mut passkeys = passkeys_of(Owner::Agrees);
        passkeys.set_attestation(Attestation::SelfSigned);
        Self { passkeys, forged }
    }
}

impl CtapService for Phone {
    fn get_info(&mut self) -> impl Future<Output = Vec<u8>> + Send {
        self.passkeys.get_info()
    }

    async fn call(&mut self, request: &[u8]) -> Vec<u8> {
        let mut reply = self.passkeys.call(request).await;
        // The statement is the last member, and the signature ends it.
        if let (true, Some(last)) = (self.forged, reply.last_mut()) {
            *last ^= 1;
        }
        reply
    }
}

/// A registration, from the website's options to its verdict; and the format that the website was given.
async fn register(phone: &mut Phone) -> (Result<(), RelyingPartyError>, String) {
    let origin = Url::parse("https://demo.example").unwrap();
    let mut website = RelyingParty::new("demo.example", &origin).unwrap();
    let (options, pending) = website.begin_registration("ada").unwrap();
    let creation = Browser::new(&origin).unwrap().create(&options).unwrap();

    let (air, service) = (Air::new(1), Arc::new(MemoryService::new()));
    let radio = Arc::new(air.device("laptop"));
    let session = Session::start(SessionConfig::new(Hint::MakeCredential), radio, service.clone()).unwrap();
    let (mut screen, watch) = Screen::new();
    let laptop = async {
        let mut channel = session.connect(watch).await.unwrap();
        let response = creation.run(&mut channel).await.unwrap();
        channel.close().await.unwrap();
        browser::registered(&response).unwrap()
    };
    let answering = async {
        let mut authenticator = Authenticator::new(DOMAIN, Arc::new(air.device("phone")), service);
        authenticator.answer_code(&screen.scan().await, phone, |_| {}).await.unwrap();
    };
    let response = tokio::join!(laptop, answering).0;
    let object = response.response.attestation_object.to_vec();
    // A text of the object's first member.
    let format = ["packed", "none"]
        .into_iter()
        .find(|format| memchr::memmem::find(&object, format.as_bytes()).is_some());
    (website.finish_registration(pending, &response), format.unwrap().to_owned())
}

#[tokio::test]
async fn a_verifier_takes_the_statement() {
    let (verdict, format) = register(&mut Phone::new(false)).await;
    verdict.unwrap();
    assert_eq!(format, "packed");
}

#[tokio::test]
async fn a_verifier_refuses_a_changed_statement() {
    let (verdict, format) = register(&mut Phone::new(true)).await;
    assert!(matches!(verdict, Err(RelyingPartyError::Registration(_))), "{verdict:?}");
    assert_eq!(format, "packed");
}
