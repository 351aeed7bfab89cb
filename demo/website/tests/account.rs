//! Passwords and the page of an account, as a browser without scripts uses them; and what outlives a restart.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod support;

use data_encoding::BASE64URL_NOPAD;
use hybridge_website::{Policies, Store};
use serde_json::{Value, json};
use support::{
    Browser,
    device::{Device, Voucher},
    start, start_with,
};

const PASSWORD: &str = "correct horse battery";

fn credentials(name: &str) -> [(&str, &str); 2] {
    [("username", name), ("password", PASSWORD)]
}

/// Adds a passkey for whoever is signed in, or registers. Its ID, as the pages name it.
async fn add(browser: &mut Browser, device: &mut Device, name: &str) -> String {
    let options = browser.post("/api/register/begin", &json!({ "username": name })).await.granted();
    let made = device.create(&browser.origin, &options);
    browser.post("/api/register/finish", &made).await.granted();
    made["id"].as_str().unwrap().to_owned()
}

async fn sign_in(browser: &mut Browser, device: &Device, name: &str) -> u16 {
    let begun = browser.post("/api/sign-in/begin", &json!({ "username": name })).await;
    if begun.status != 200 {
        return begun.status;
    }
    let signed = device.sign(&browser.origin, &begun.json());
    browser.post("/api/sign-in/finish", &signed).await.status
}

#[tokio::test]
async fn a_password_gets_somebody_in_who_then_adds_a_passkey() {
    let host = start().await;
    let mut browser = Browser::new(&host);
    browser.form("/password/register", &credentials("ada")).await.leads_to("/account");
    let page = browser.get("/account").await;
    assert_eq!(page.says(200), "You are registered.");
    assert!(page.body.contains("Sign in without the password next time"));
    assert_eq!(browser.get("/account").await.says(200), "", "it is said once");
    browser.form("/sign-out", &[]).await.leads_to("/?signed-out");
    assert_eq!(browser.get("/?signed-out").await.says(200), "You are signed out.");
    browser.get("/account").await.leads_to("/");
    let none = browser.post("/api/sign-in/begin", &json!({ "username": "ada" })).await;
    assert!(none.refused(409).contains("no passkey yet"));

    browser.form("/password/sign-in", &credentials("ada")).await.leads_to("/account");
    browser.get("/password").await.leads_to("/account");
    let mut device = Device::new(true, Voucher::Nobody);
    add(&mut browser, &mut device, "ada").await;
    let page = browser.get("/account").await;
    assert!(!page.body.contains("Sign in without the password next time"));
    browser.form("/sign-out", &[]).await;
    assert_eq!(sign_in(&mut browser, &device, "ada").await, 200);
}

#[tokio::test]
async fn wrong_passwords_and_unknown_names_look_the_same() {
    let host = start().await;
    let mut browser = Browser::new(&host);
    browser.form("/password/register", &credentials("ada")).await.leads_to("/account");
    let mut phone = Device::new(true, Voucher::Nobody);
    add(&mut Browser::new(&host), &mut phone, "passkeys only").await;
    let mut pages = Vec::new();
    for name in ["ada", "nobody", "passkeys only"] {
        let mut eve = Browser::new(&host);
        let page = eve.form("/password/sign-in", &[("username", name), ("password", "guess")]).await;
        assert!(page.says(401).contains("do not belong together"));
        assert!(page.body.contains(&format!("value=\"{name}\"")) && !page.body.contains("guess"));
        assert_eq!(eve.cookie, None);
        pages.push(page.body.replace(name, ""));
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn guessing_is_slowed_down_for_one_name_alone() {
    let host = start().await;
    let mut browser = Browser::new(&host);
    for name in ["ada", "bob"] {
        browser.form("/password/register", &credentials(name)).await.leads_to("/account");
    }
    let mut eve = Browser::new(&host);
    for _ in 0..5 {
        eve.form("/password/sign-in", &[("username", "ada"), ("password", "guess")]).await.says(401);
    }
    // The right one is not looked at either.
    let page = eve.form("/password/sign-in", &credentials("ada")).await;
    assert!(page.says(429).contains("Try again in"));
    eve.form("/password/sign-in", &credentials("bob")).await.leads_to("/account");
}

#[tokio::test]
async fn passwords_have_limits() {
    let mut browser = Browser::new(&start().await);
    for password in ["", "short", &"x".repeat(257)] {
        let form = [("username", "ada"), ("password", password)];
        assert!(browser.form("/password/register", &form).await.says(400).contains("at least 12"));
    }
    for fields in [&[("username", "ada")][..], &[("password", PASSWORD)], &[]] {
        assert!(browser.form("/password/sign-in", fields).await.says(400).contains("Reload"));
    }
    let page = browser.form("/password/register", &[("username", "<b>"), ("password", "short")]).await;
    assert!(page.body.contains("&lt;b&gt;") && !page.body.contains("<b>"));
    browser.form("/password/register", &credentials("ada")).await.leads_to("/account");
    browser.form("/password/register", &credentials("ada")).await.says(409);
}

#[tokio::test]
async fn forms_of_other_pages_are_refused() {
    let mut browser = Browser::new(&start().await);
    browser.form("/password/register", &credentials("ada")).await.leads_to("/account");
    let own = std::mem::replace(&mut browser.origin, "http://localhost:1".to_owned());
    for path in ["/account/delete", "/account/rename", "/account/password", "/password/sign-in", "/sign-out"]
    {
        browser.form(path, &credentials("ada")).await.refused(403);
    }
    browser.origin = own;
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
    let policy = &browser.get("/account").await.headers["referrer-policy"];
    assert_eq!(policy, "same-origin", "with `no-referrer`, browsers send forms with the origin `null`");
}

#[tokio::test]
async fn passkeys_are_listed_in_words_renamed_and_deleted() {
    let host = start().await;
    let mut browser = Browser::new(&host);
    let (mut synced, mut bound) = (Device::new(true, Voucher::Nobody), Device::new(false, Voucher::Itself));
    let first = add(&mut browser, &mut synced, "ada").await;
    add(&mut browser, &mut bound, "ada").await;
    let page = browser.get("/account").await.body;
    for words in [
        "Synced passkey (backup eligible, backed up)",
        "Bound to this device",
        "KeePassXC (AAGUID fdb141b2-5d84-443e-8a35-4698c205a502)",
        "The passkey vouches for itself only",
        "in the device itself; a phone nearby, by QR code",
        "Never",
    ] {
        assert!(page.contains(words), "{words}");
    }
    sign_in(&mut browser, &synced, "ada").await;
    assert_eq!(browser.get("/account").await.body.matches("Never").count(), 1);

    browser.form("/account/rename", &[("id", &first), ("name", " My <phone> ")]).await.leads_to("/account");
    assert!(browser.get("/account").await.body.contains(">My &lt;phone&gt;</h3>"));
    browser.form("/account/rename", &[("id", &first), ("name", "\n")]).await.says(400);
    browser.form("/account/rename", &[("id", "@"), ("name", "a")]).await.says(400);
}

#[tokio::test]
async fn the_last_way_in_is_kept() {
    let mut browser = Browser::new(&start().await);
    let (mut synced, mut bound) = (Device::new(true, Voucher::Nobody), Device::new(false, Voucher::Itself));
    let first = add(&mut browser, &mut synced, "ada").await;
    let second = add(&mut browser, &mut bound, "ada").await;
    browser.form("/account/delete", &[("id", &first)]).await.leads_to("/account");
    browser.form("/account/delete", &[("id", &first)]).await.says(401);
    assert!(browser.form("/account/delete", &[("id", &second)]).await.says(409).contains("last way"));
    assert_eq!(sign_in(&mut browser, &synced, "ada").await, 401, "a deleted passkey is refused");
    assert_eq!(sign_in(&mut browser, &synced, "").await, 401);
    assert_eq!(sign_in(&mut browser, &bound, "ada").await, 200);
    let change = [("former", ""), ("password", PASSWORD)];
    browser.form("/account/password", &change).await.leads_to("/account");
    browser.form("/account/delete", &[("id", &second)]).await.leads_to("/account");
    browser.form("/password/sign-in", &credentials("ada")).await.leads_to("/account");
    browser.form("/account/password", &change).await.says(401);
}

#[tokio::test]
async fn a_new_password_or_a_deleted_passkey_signs_out_elsewhere() {
    let host = start().await;
    let [mut here, mut there, mut eve] = [(); 3].map(|()| Browser::new(&host));
    here.form("/password/register", &credentials("ada")).await.leads_to("/account");
    eve.form("/password/register", &credentials("eve")).await.leads_to("/account");
    let id = add(&mut here, &mut Device::new(true, Voucher::Nobody), "ada").await;
    let wrong = [("former", "guess"), ("password", "another long password")];
    let change = [("former", PASSWORD), ("password", PASSWORD)];
    for (path, form, signed_in) in [
        ("/account/password", &wrong[..], true),
        ("/account/password", &change, false),
        ("/account/delete", &[("id", &id)], false),
    ] {
        there.form("/password/sign-in", &credentials("ada")).await.leads_to("/account");
        here.form(path, form).await;
        assert_eq!(there.user().await.is_some(), signed_in, "{path}");
        assert_eq!(here.user().await.as_deref(), Some("ada"), "{path}");
        assert_eq!(eve.user().await.as_deref(), Some("eve"), "{path}");
    }
}

#[tokio::test]
async fn a_passkey_deleted_while_it_is_asked_for_is_refused() {
    let mut browser = Browser::new(&start().await);
    let (mut first, mut second) = (Device::new(true, Voucher::Nobody), Device::new(true, Voucher::Nobody));
    let id = add(&mut browser, &mut first, "ada").await;
    add(&mut browser, &mut second, "ada").await;
    let options = browser.post("/api/sign-in/begin", &json!({ "username": "ada" })).await.granted();
    browser.form("/account/delete", &[("id", &id)]).await.leads_to("/account");
    let signed = first.sign(&browser.origin, &options);
    browser.post("/api/sign-in/finish", &signed).await.refused(401);
}

#[tokio::test]
async fn nobody_touches_the_passkeys_of_others() {
    let host = start().await;
    let (mut ada, mut eve) = (Browser::new(&host), Browser::new(&host));
    let (mut phone, mut other) = (Device::new(true, Voucher::Nobody), Device::new(true, Voucher::Nobody));
    let id = add(&mut ada, &mut phone, "ada").await;
    add(&mut eve, &mut other, "eve").await;
    eve.form("/account/delete", &[("id", &id)]).await.says(401);
    eve.form("/account/rename", &[("id", &id), ("name", "mine")]).await.says(401);
    // Neither without a cookie nor with one of another site's making.
    for cookie in [None, Some("visit=guessed".to_owned())] {
        eve.cookie = cookie;
        eve.form("/account/delete", &[("id", &id)]).await.leads_to("/");
        eve.get("/account").await.leads_to("/");
        assert_eq!(eve.get("/api/session").await.granted(), Value::Null);
    }
    assert!(ada.get("/account").await.body.contains(&id));
    // A passkey that somebody has cannot be registered by somebody else.
    let options = eve.post("/api/register/begin", &json!({ "username": "mallory" })).await.granted();
    let mut made = Device::new(true, Voucher::Nobody).create(&eve.origin, &options);
    let object = made["response"]["attestationObject"].as_str().unwrap();
    let mut object = BASE64URL_NOPAD.decode(object.as_bytes()).unwrap();
    let (old, new) = (made["id"].as_str().unwrap().as_bytes(), id.as_bytes());
    let (old, new) = (BASE64URL_NOPAD.decode(old).unwrap(), BASE64URL_NOPAD.decode(new).unwrap());
    let at = object.windows(old.len()).position(|window| window == old).unwrap();
    object[at..at + new.len()].copy_from_slice(&new);
    made["response"]["attestationObject"] = Value::from(BASE64URL_NOPAD.encode(&object));
    (made["id"], made["rawId"]) = (Value::from(id.clone()), Value::from(id));
    eve.post("/api/register/finish", &made).await.refused(409);
}

#[tokio::test]
async fn accounts_outlive_a_restart_and_visits_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.sqlite");
    let open = || start_with(Store::open(&path).unwrap(), Policies::built_in());
    let (host, mut phone) = (open().await, Device::new(true, Voucher::Nobody));
    let mut browser = Browser::new(&host);
    add(&mut browser, &mut phone, "ada").await;
    browser.form("/password/register", &credentials("bob")).await.leads_to("/account");
    let cookie = browser.cookie.clone();
    let mut again = Browser::new(&open().await);
    again.cookie = cookie;
    assert_eq!(again.user().await, None);
    assert_eq!(sign_in(&mut again, &phone, "ada").await, 200);
    again.form("/password/sign-in", &credentials("bob")).await.leads_to("/account");
    // No password is in the file as it was typed.
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()));
}
