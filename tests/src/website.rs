//! A relying party that verifies everything, and the browser that shows its page.

use hybridge_client::{
    CtapChannel,
    webauthn::{Assertion, Creation},
};
use hybridge_demo::{
    browser::{self, Browser},
    relying_party::{RelyingParty, SignedIn},
};
use url::Url;

/// The account that passkeys are made for.
pub const USER: &str = "ada";

/// A website with a browser in front of it.
pub struct Website {
    relying_party: RelyingParty,
    browser: Browser,
}

impl Website {
    /// A website without accounts.
    pub fn new() -> Self {
        let origin = Url::parse("https://demo.example").unwrap();
        let relying_party = RelyingParty::new("demo.example", &origin).unwrap();
        Self { relying_party, browser: Browser::new(&origin).unwrap() }
    }

    /// What the browser asks a phone for when somebody registers.
    pub fn creation(&self) -> Creation {
        self.browser.create(&self.relying_party.begin_registration(USER).unwrap().0).unwrap()
    }

    /// What the browser asks a phone for when somebody signs in.
    pub fn assertion(&self) -> Assertion {
        self.browser.get(&self.relying_party.begin_sign_in().unwrap().0).unwrap()
    }

    /// Makes a passkey on a connected phone. Gives its credential ID.
    pub async fn register(&mut self, phone: &mut CtapChannel) -> Vec<u8> {
        let (options, pending) = self.relying_party.begin_registration(USER).unwrap();
        let creation = self.browser.create(&options).unwrap();
        let response = creation.run(phone).await.unwrap();
        let response = browser::registered(&response).unwrap();
        self.relying_party.finish_registration(pending, &response).unwrap();
        response.raw_id.to_vec()
    }

    /// Signs in with a passkey on a connected phone.
    pub async fn sign_in(&mut self, phone: &mut CtapChannel) -> SignedIn {
        let (options, pending) = self.relying_party.begin_sign_in().unwrap();
        let assertion = self.browser.get(&options).unwrap();
        let response = browser::signed(&assertion.run(phone).await.unwrap()).unwrap();
        self.relying_party.finish_sign_in(pending, &response).unwrap()
    }
}

impl Default for Website {
    fn default() -> Self {
        Self::new()
    }
}
