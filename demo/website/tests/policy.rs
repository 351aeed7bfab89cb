//! Groups and what they may sign in with: enforced at registration and at sign-in.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod support;

use hybridge_website::{Policies, Store};
use serde_json::json;
use support::{
    Answer, Browser, Host,
    device::{Device, Maker, Voucher},
    start, start_with,
};

/// Whether a passkey will do, or the words of the refusal.
type Expected = Result<(), &'static str>;

/// Kinds of passkeys, and whether everyone and staff may use them.
fn kinds() -> [(&'static str, Device, [Expected; 2]); 4] {
    let certified = || Voucher::Maker(Maker::new("A maker"));
    [
        ("synced, nobody vouches", Device::new(true, Voucher::Nobody), [Ok(()), Err("it is synced")]),
        ("bound, nobody vouches", Device::new(false, Voucher::Nobody), [Ok(()), Err("does not prove")]),
        ("bound, vouches for itself", Device::new(false, Voucher::Itself), [Ok(()), Err("does not prove")]),
        ("bound, certified", Device::new(false, certified()), [Ok(()), Ok(())]),
    ]
}

async fn register(browser: &mut Browser, device: &mut Device, name: &str, group: &str) -> Answer {
    let wish = json!({ "username": name, "group": group });
    let options = browser.post("/api/register/begin", &wish).await.granted();
    let made = device.create(&browser.origin, &options);
    browser.post("/api/register/finish", &made).await
}

async fn sign_in(browser: &mut Browser, device: &Device, name: &str) -> Answer {
    let options = browser.post("/api/sign-in/begin", &json!({ "username": name })).await.granted();
    let signed = device.sign(&browser.origin, &options);
    browser.post("/api/sign-in/finish", &signed).await
}

fn expect(answer: &Answer, expected: Expected, case: &str) {
    match expected {
        Ok(()) => assert_eq!(answer.status, 200, "{case}: {}", answer.body),
        Err(words) => {
            let said = answer.refused(403);
            assert!(said.contains(words) && said.contains("staff"), "{case}: {said}");
        }
    }
}

#[tokio::test]
async fn two_groups_and_four_kinds_at_registration() {
    let host = start().await;
    for (number, (kind, mut device, expected)) in kinds().into_iter().enumerate() {
        for (group, expected) in ["everyone", "staff"].into_iter().zip(expected) {
            let (mut browser, name) = (Browser::new(&host), format!("{group}{number}"));
            let answer = register(&mut browser, &mut device, &name, group).await;
            expect(&answer, expected, kind);
            assert_eq!(browser.user().await, expected.is_ok().then(|| name.clone()), "{kind}");
            // Who was refused has no account, and the name is free.
            let again = browser.post("/api/sign-in/begin", &json!({ "username": name })).await;
            assert_eq!(again.status, if expected.is_ok() { 200 } else { 404 }, "{kind}");
        }
    }
}

#[tokio::test]
async fn two_groups_and_four_kinds_at_sign_in() {
    let store = Store::in_memory().unwrap();
    let host = start_with(store.clone(), Policies::built_in()).await;
    for (number, (kind, mut device, expected)) in kinds().into_iter().enumerate() {
        for (group, expected) in ["everyone", "staff"].into_iter().zip(expected) {
            let (mut browser, name) = (Browser::new(&host), format!("{group}{number}"));
            register(&mut browser, &mut device, &name, "everyone").await.granted();
            // The rules change after the passkey was made.
            store.set_group(&name, group).unwrap();
            for name in [name.as_str(), ""] {
                browser.post("/api/sign-out", &json!({})).await.granted();
                let answer = sign_in(&mut browser, &device, name).await;
                expect(&answer, expected, kind);
                assert_eq!(browser.user().await.is_some(), expected.is_ok(), "{kind}");
                if expected.is_err() {
                    assert!(answer.refused(403).contains("Ask whoever runs this site"));
                }
            }
        }
    }
}

#[tokio::test]
async fn rules_are_told_where_people_register_and_sign_in() {
    let host = start().await;
    let mut browser = Browser::new(&host);
    for path in ["/", "/password"] {
        let page = browser.get(path).await.body;
        assert!(page.contains("Only passkeys that are bound to one device."), "{path}");
        assert!(page.contains("Any passkey will do"), "{path}");
    }
    let mut device = Device::new(false, Voucher::Maker(Maker::new("A maker")));
    let wish = json!({ "username": "ada", "group": "staff" });
    let options = browser.post("/api/register/begin", &wish).await.granted();
    assert!(options["rules"].as_str().unwrap().contains("bound to one device"));
    assert_eq!(options["publicKey"]["attestation"], "direct");
    assert_eq!(options["publicKey"]["authenticatorSelection"]["userVerification"], "required");
    register(&mut browser, &mut device, "ada", "staff").await.granted();
    let options = browser.post("/api/sign-in/begin", &json!({ "username": "ada" })).await.granted();
    assert!(options["rules"].as_str().unwrap().contains("bound to one device"));
    assert_eq!(options["publicKey"]["userVerification"], "required");
    let wish = json!({ "username": "bob", "group": "nobody" });
    assert!(browser.post("/api/register/begin", &wish).await.refused(400).contains("no such group"));
}

#[tokio::test]
async fn who_is_not_verified_is_let_in_only_where_that_will_do() {
    let host = start().await;
    let mut browser = Browser::new(&host);
    let mut device = Device::new(false, Voucher::Maker(Maker::new("A maker")));
    device.verifies = false;
    let said = register(&mut browser, &mut device, "ada", "staff").await.refused(403);
    assert!(said.contains("did not check that it is you"), "{said}");
    register(&mut browser, &mut device, "bob", "everyone").await.granted();
    sign_in(&mut browser, &device, "bob").await.granted();
    // Without a name, the passkey is all there is.
    sign_in(&mut browser, &device, "").await.refused(403);
    device.verifies = true;
    register(&mut browser, &mut device, "ada", "staff").await.granted();
    device.verifies = false;
    let said = sign_in(&mut browser, &device, "ada").await.refused(403);
    assert!(said.contains("did not check that it is you"), "{said}");
}

#[tokio::test]
async fn who_was_verified_and_is_not_this_time_learns_that_it_is_not_the_group() {
    let host = start().await;
    let (mut browser, mut device) = (Browser::new(&host), Device::new(true, Voucher::Nobody));
    register(&mut browser, &mut device, "ada", "everyone").await.granted();
    device.verifies = false;
    for (name, why) in [("ada", "when the passkey was made"), ("", "without your user name")] {
        let said = sign_in(&mut browser, &device, name).await.refused(403);
        assert!(said.contains("did not check that it is you") && said.contains(why), "{said}");
        assert!(said.contains("let it check") && !said.contains("everyone"), "{said}");
    }
}

/// Somebody of the group `everyone` whose certified passkey was made without a check of its owner, and a synced one.
async fn unverified(host: &Host) -> (Browser, Device, String) {
    let mut browser = Browser::new(host);
    let mut bound = Device::new(false, Voucher::Maker(Maker::new("A maker")));
    bound.verifies = false;
    register(&mut browser, &mut bound, "ada", "everyone").await.granted();
    register(&mut browser, &mut Device::new(true, Voucher::Nobody), "ada", "everyone").await.granted();
    let page = browser.get("/account").await.body;
    let id = page.split_once("name=\"id\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    (browser, bound, id)
}

const ONCE_CHECKED: &str = "once its device checks that it is you";

#[tokio::test]
async fn a_passkey_that_sign_in_would_take_is_the_last_way_in() {
    let store = Store::in_memory().unwrap();
    let host = start_with(store.clone(), Policies::built_in()).await;
    let (mut browser, mut bound, id) = unverified(&host).await;
    store.set_group("ada", "staff").unwrap();
    let page = browser.get("/account").await.body;
    assert_eq!((page.matches("Not allowed").count(), page.matches(ONCE_CHECKED).count()), (1, 1));
    let form = [("id", id.as_str())];
    assert!(browser.form("/account/delete", &form).await.says(409).contains("last way"));
    bound.verifies = true;
    sign_in(&mut browser, &bound, "ada").await.granted();
}

#[tokio::test]
async fn a_check_at_sign_in_is_remembered() {
    let store = Store::in_memory().unwrap();
    let host = start_with(store.clone(), Policies::built_in()).await;
    let (mut browser, mut bound, _) = unverified(&host).await;
    store.set_group("ada", "staff").unwrap();
    let mut other = Device::new(false, Voucher::Maker(Maker::new("Another")));
    register(&mut browser, &mut other, "ada", "staff").await.granted();
    let page = browser.get("/account").await.body;
    let id = page.rsplit_once("name=\"id\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let form = [("id", id.as_str())];
    // What is left might be a device that cannot check anybody.
    assert!(browser.form("/account/delete", &form).await.says(409).contains("last way"));
    bound.verifies = true;
    sign_in(&mut browser, &bound, "ada").await.granted();
    assert!(!browser.get("/account").await.body.contains(ONCE_CHECKED));
    browser.form("/account/delete", &form).await.leads_to("/account");
    sign_in(&mut browser, &bound, "ada").await.granted();
}

#[tokio::test]
async fn a_passkey_that_becomes_synced_is_noticed() {
    let host = start().await;
    let mut browser = Browser::new(&host);
    let mut device = Device::new(false, Voucher::Maker(Maker::new("A maker")));
    register(&mut browser, &mut device, "ada", "staff").await.granted();
    device.synced = true;
    let answer = sign_in(&mut browser, &device, "ada").await;
    assert!(matches!(answer.status, 401 | 403), "{}", answer.body);
    assert_eq!(browser.user().await.as_deref(), Some("ada"), "the visit of the registration goes on");
}

/// A group for whoever a maker on a list vouches for, and one where any maker will do.
fn with_roots(maker: &Maker) -> Policies {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    let rules = "attestation = \"required\"\nattestation-roots = \"roots.pem\"\n\
                 passkeys = \"device-bound\"\nuser-verification = \"required\"\npassword = false\n";
    let open = rules.replace("attestation-roots = \"roots.pem\"\n", "");
    std::fs::write(&policy, format!("[everyone]\n{rules}[open]\n{open}")).unwrap();
    let roots = format!("One.\n{}Two.\n{}", Maker::new("Another").root_pem(), maker.root_pem());
    std::fs::write(folder.path().join("roots.pem"), roots).unwrap();
    Policies::read(&policy).unwrap()
}

#[tokio::test]
async fn only_makers_on_the_list_count_where_there_is_one() {
    let (trusted, other) = (Maker::new("Trusted"), Maker::new("Trusted"));
    let host = start_with(Store::in_memory().unwrap(), with_roots(&trusted)).await;
    let mut browser = Browser::new(&host);
    let mut device = Device::new(false, Voucher::Maker(other));
    let said = register(&mut browser, &mut device, "ada", "").await.refused(403);
    assert!(said.contains("maker that this site does not trust"), "{said}");
    device.voucher = Voucher::Maker(trusted);
    register(&mut browser, &mut device, "ada", "").await.granted();
    sign_in(&mut browser, &device, "ada").await.granted();
}

#[tokio::test]
async fn a_certificate_that_expires_locks_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    let store = Store::open(&path).unwrap();
    let roots = || database.query_row("SELECT count(root) FROM passkeys", (), |row| row.get::<_, i64>(0));
    let maker = Maker::new("Trusted");
    let (with, without) = (with_roots(&maker), with_roots(&Maker::new("Trusted")));
    let host = start_with(store.clone(), with).await;
    let mut browser = Browser::new(&host);
    let mut device = Device::new(false, Voucher::Maker(maker));
    // The root is noted when the passkey is made, or when the list first counts.
    register(&mut browser, &mut device, "ada", "open").await.granted();
    assert_eq!(roots().unwrap(), 0);
    store.set_group("ada", "everyone").unwrap();
    sign_in(&mut browser, &device, "ada").await.granted();
    assert_eq!(roots().unwrap(), 1);
    register(&mut browser, &mut device, "bob", "everyone").await.granted();
    assert_eq!(roots().unwrap(), 2);

    let Voucher::Maker(maker) = device.voucher else { panic!() };
    let mut old = Device::new(false, Voucher::Expired(maker));
    register(&mut browser, &mut old, "eve", "everyone").await.refused(403);
    register(&mut browser, &mut old, "eve", "open").await.granted();
    store.set_group("eve", "everyone").unwrap();
    sign_in(&mut browser, &old, "eve").await.refused(403);
    // As if the certificate had expired only after it was looked at.
    let note = "UPDATE passkeys SET root = (SELECT max(root) FROM passkeys) WHERE root IS NULL";
    assert_eq!(database.execute(note, ()).unwrap(), 1);
    sign_in(&mut browser, &old, "eve").await.granted();
    assert!(!browser.get("/account").await.body.contains("Not allowed"));
    // A root that is not on the list any more vouches for nobody.
    let host = start_with(store, without).await;
    let said = sign_in(&mut Browser::new(&host), &old, "eve").await.refused(403);
    assert!(said.contains("maker that this site does not trust"), "{said}");
}

#[tokio::test]
async fn the_operators_word_on_a_group_counts_more_than_a_wish() {
    let store = Store::in_memory().unwrap();
    store.set_group("ada", "staff").unwrap();
    let host = start_with(store.clone(), Policies::built_in()).await;
    let (mut browser, mut device) = (Browser::new(&host), Device::new(true, Voucher::Nobody));
    register(&mut browser, &mut device, "ada", "everyone").await.refused(403);
    let form = [("username", "ada"), ("password", "correct horse battery"), ("group", "everyone")];
    let page = browser.form("/password/register", &form).await;
    assert!(page.says(403).contains("cannot use a password"));
    // Even when it comes while the person at the page is being asked.
    let options = browser.post("/api/register/begin", &json!({ "username": "bob" })).await.granted();
    store.set_group("bob", "staff").unwrap();
    let made = device.create(&browser.origin, &options);
    browser.post("/api/register/finish", &made).await.refused(400);
    assert_eq!(browser.user().await, None);
}
