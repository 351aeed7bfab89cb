//! A relying party that verifies everything, and the browser that shows its page.

use hybridge_client::CtapChannel;
use hybridge_demo::{
    relying_party::{RelyingParty, SignedIn},
    webauthn_client::WebauthnClient,
};
use url::Url;

/// The account that passkeys are made for.
pub const USER: &str = "ada";

/// A website with a browser in front of it.
pub struct Website {
    relying_party: RelyingParty,
    browser: WebauthnClient,
}

impl Website {
    /// A website without accounts.
    pub fn new() -> Self {
        let origin = Url::parse("https://demo.example").unwrap();
        let relying_party = RelyingParty::new("demo.example", &origin).unwrap();
        Self { relying_party, browser: WebauthnClient::new(origin) }
    }

    /// Makes a passkey on a connected phone. Gives its credential ID.
    pub async fn register(&mut self, phone: &mut CtapChannel) -> Vec<u8> {
        let (options, pending) = self.relying_party.begin_registration(USER).unwrap();
        let creation = self.browser.create(&options).unwrap();
        let reply = phone.make_credential(creation.request()).await.unwrap();
        let response = creation.finish(&reply.raw).unwrap();
        self.relying_party.finish_registration(pending, &response).unwrap();
        response.raw_id.to_vec()
    }

    /// Signs in with a passkey on a connected phone.
    pub async fn sign_in(&mut self, phone: &mut CtapChannel) -> SignedIn {
        let (options, pending) = self.relying_party.begin_sign_in().unwrap();
        let assertion = self.browser.get(&options).unwrap();
        let reply = phone.get_assertion(assertion.request()).await.unwrap();
        let response = assertion.finish(&reply.raw).unwrap();
        self.relying_party.finish_sign_in(pending, &response).unwrap()
    }
}

impl Default for Website {
    fn default() -> Self {
        Self::new()
    }
}
