use hybridge_authenticator::CtapService;
use hybridge_client::webauthn::{Assertion, Creation};

use super::*;
use crate::{
    browser::{self, Browser},
    owner::{Owner, Passkeys, passkeys_of},
};

const RP_ID: &str = "demo.example";

fn page(origin: &str) -> Browser {
    Browser::new(&Url::parse(origin).unwrap()).unwrap()
}

fn site() -> (RelyingParty, Browser) {
    let origin = "https://demo.example";
    (RelyingParty::new(RP_ID, &Url::parse(origin).unwrap()).unwrap(), page(origin))
}

/// The CBOR of a reply that says yes.
fn granted(reply: &[u8]) -> &[u8] {
    assert_eq!(reply[0], 0x00);
    &reply[1..]
}

async fn create(phone: &mut Passkeys, creation: Creation) -> RegisterPublicKeyCredential {
    let request = creation.for_phone(&phone.get_info().await).unwrap();
    let reply = phone.call(request.command()).await;
    browser::registered(&request.finish(granted(&reply)).unwrap()).unwrap()
}

async fn get(phone: &mut Passkeys, assertion: Assertion) -> PublicKeyCredential {
    let request = assertion.for_phone(&phone.get_info().await).unwrap();
    let reply = phone.call(request.command()).await;
    browser::signed(&request.finish(granted(&reply)).unwrap()).unwrap()
}

async fn register(site: &mut RelyingParty, page: &Browser, phone: &mut Passkeys) {
    let (options, pending) = site.begin_registration("ada").unwrap();
    let response = create(phone, page.create(&options).unwrap()).await;
    site.finish_registration(pending, &response).unwrap();
}

/// A site where ada has a passkey, and a fresh response of her phone to a fresh challenge.
async fn signing_in() -> (RelyingParty, PendingSignIn, PublicKeyCredential) {
    let (mut site, page) = site();
    let mut phone = passkeys_of(Owner::Agrees);
    register(&mut site, &page, &mut phone).await;
    let (options, pending) = site.begin_sign_in().unwrap();
    let response = get(&mut phone, page.get(&options).unwrap()).await;
    (site, pending, response)
}

fn refusal(result: Result<SignedIn, RelyingPartyError>) -> WebauthnError {
    match result.unwrap_err() {
        RelyingPartyError::SignIn(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_registered_passkey_signs_in() {
    let (mut site, pending, response) = signing_in().await;
    let signed_in = site.finish_sign_in(pending, &response).unwrap();
    assert_eq!(signed_in, SignedIn { user: "ada".into(), user_verified: true });
}

#[tokio::test]
async fn a_phone_registers_once_for_an_account() {
    let (mut site, page) = site();
    let mut phone = passkeys_of(Owner::Agrees);
    register(&mut site, &page, &mut phone).await;
    let (options, _) = site.begin_registration("ada").unwrap();
    let creation = page.create(&options).unwrap();
    let request = creation.for_phone(&phone.get_info().await).unwrap();
    assert_eq!(phone.call(request.command()).await, [0x19]);
    // Another phone is welcome.
    register(&mut site, &page, &mut passkeys_of(Owner::Agrees)).await;
    assert_eq!(site.accounts.len(), 1);
}

#[tokio::test]
async fn an_owner_may_decline() {
    let (site, page) = site();
    let (options, _) = site.begin_registration("ada").unwrap();
    let creation = page.create(&options).unwrap();
    let mut phone = passkeys_of(Owner::Declines);
    let request = creation.for_phone(&phone.get_info().await).unwrap();
    assert_eq!(phone.call(request.command()).await, [0x27]);
}

#[tokio::test]
async fn a_passkey_belongs_to_one_account() {
    let (mut site, page) = site();
    let mut phone = passkeys_of(Owner::Agrees);
    let (options, ada) = site.begin_registration("ada").unwrap();
    let response = create(&mut phone, page.create(&options).unwrap()).await;
    let state = ada.state.clone();
    site.finish_registration(ada, &response).unwrap();
    let mallory = PendingRegistration { user: Uuid::new_v4(), name: "mallory".into(), state };
    let result = site.finish_registration(mallory, &response);
    assert!(matches!(result, Err(RelyingPartyError::AlreadyRegistered)));
}

#[tokio::test]
async fn another_origin_is_refused() {
    let (mut site, _) = site();
    let elsewhere = page("https://mirror.demo.example");
    let mut phone = passkeys_of(Owner::Agrees);
    let (options, pending) = site.begin_registration("ada").unwrap();
    let response = create(&mut phone, elsewhere.create(&options).unwrap()).await;
    let result = site.finish_registration(pending, &response);
    assert!(matches!(result, Err(RelyingPartyError::Registration(WebauthnError::InvalidRPOrigin))));

    register(&mut site, &page("https://demo.example"), &mut phone).await;
    let (options, pending) = site.begin_sign_in().unwrap();
    let response = get(&mut phone, elsewhere.get(&options).unwrap()).await;
    assert_eq!(refusal(site.finish_sign_in(pending, &response)), WebauthnError::InvalidRPOrigin);
}

#[tokio::test]
async fn another_challenge_is_refused() {
    let (mut site, page) = site();
    let mut phone = passkeys_of(Owner::Agrees);
    let (options, _) = site.begin_registration("ada").unwrap();
    let (_, pending) = site.begin_registration("ada").unwrap();
    let response = create(&mut phone, page.create(&options).unwrap()).await;
    let result = site.finish_registration(pending, &response);
    assert!(matches!(result, Err(RelyingPartyError::Registration(WebauthnError::MismatchedChallenge))));

    let (mut site, _, response) = signing_in().await;
    let (_, later) = site.begin_sign_in().unwrap();
    assert_eq!(refusal(site.finish_sign_in(later, &response)), WebauthnError::MismatchedChallenge);
}

#[tokio::test]
async fn a_registration_for_another_site_is_refused() {
    let (mut site, page) = site();
    let (options, pending) = site.begin_registration("ada").unwrap();
    let mut response = create(&mut passkeys_of(Owner::Agrees), page.create(&options).unwrap()).await;
    // The hash of the relying party's ID opens the authenticator data, which ends the object.
    let object = &mut response.response.attestation_object;
    let hash_at = object.windows(8).position(|name| name == b"authData").unwrap() + 8 + 2;
    object[hash_at] ^= 1;
    let result = site.finish_registration(pending, &response);
    assert!(matches!(result, Err(RelyingPartyError::Registration(WebauthnError::InvalidRPIDHash))));
}

#[tokio::test]
async fn a_registration_without_user_verification_is_refused() {
    let (mut site, page) = site();
    let (options, pending) = site.begin_registration("ada").unwrap();
    let mut response = create(&mut passkeys_of(Owner::Agrees), page.create(&options).unwrap()).await;
    let object = &mut response.response.attestation_object;
    let hash_at = object.windows(8).position(|name| name == b"authData").unwrap() + 8 + 2;
    object[hash_at + 32] &= !0x04;
    let result = site.finish_registration(pending, &response);
    assert!(matches!(result, Err(RelyingPartyError::Registration(WebauthnError::UserNotVerified))));
}

#[tokio::test]
async fn altered_authenticator_data_is_refused() {
    let (mut site, pending, response) = signing_in().await;
    let data_len = response.response.authenticator_data.len();
    assert_eq!(data_len, 37);
    for index in 0..data_len {
        let mut altered = response.clone();
        altered.response.authenticator_data[index] ^= 1;
        let pending = PendingSignIn { state: pending.state.clone() };
        refusal(site.finish_sign_in(pending, &altered));
    }
    site.finish_sign_in(pending, &response).unwrap();
}

#[tokio::test]
async fn an_altered_signature_is_refused() {
    let (mut site, pending, response) = signing_in().await;
    for index in 0..response.response.signature.len() {
        let mut altered = response.clone();
        altered.response.signature[index] ^= 1;
        let pending = PendingSignIn { state: pending.state.clone() };
        refusal(site.finish_sign_in(pending, &altered));
    }
    let mut missing = response.clone();
    missing.response.signature.clear();
    refusal(site.finish_sign_in(pending, &missing));
}

#[tokio::test]
async fn an_unknown_passkey_is_refused() {
    let (_, _, of_another_database) = signing_in().await;
    let (mut site, _, response) = signing_in().await;
    let mut unnamed = response.clone();
    unnamed.response.user_handle = None;
    let mut of_nobody = response;
    of_nobody.raw_id = vec![0; 16];
    for unknown in [of_another_database, unnamed, of_nobody] {
        let (_, pending) = site.begin_sign_in().unwrap();
        let result = site.finish_sign_in(pending, &unknown);
        assert!(matches!(result, Err(RelyingPartyError::UnknownCredential)));
    }
}

#[test]
fn an_id_of_somebody_else_is_refused() {
    let origin = Url::parse("https://demo.example").unwrap();
    assert!(matches!(RelyingParty::new("bank.example", &origin), Err(RelyingPartyError::Setup(_))));
}
