//! The site over HTTP, with a software authenticator.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod support;

use hybridge_website::{SetupError, Site};
use serde_json::{Value, json};
use support::{Browser, start};
use url::Url;

#[tokio::test]
async fn people_register_and_sign_in() {
    let mut browser = Browser::new(&start().await);
    assert_eq!(browser.user().await, None);
    let registered = browser.register(" ada ").await;
    assert_eq!(registered.granted(), json!({ "user": "ada", "passkeys": 1 }));
    assert_eq!(browser.user().await.as_deref(), Some("ada"), "registering signs in");
    for name in ["", "ada"] {
        browser.post("/api/sign-out", &json!({})).await.granted();
        assert_eq!(browser.user().await, None);
        assert_eq!(browser.sign_in(name).await.granted(), json!({ "user": "ada", "passkeys": 1 }));
        assert_eq!(browser.user().await.as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn an_account_may_have_several_passkeys() {
    let host = start().await;
    let mut first = Browser::new(&host);
    first.register("ada").await.granted();
    let options = first.post("/api/register/begin", &json!({ "username": "ada" })).await.granted();
    assert_eq!(options["publicKey"]["excludeCredentials"].as_array().unwrap().len(), 1);
    // The same person takes another phone.
    let mut second = Browser::new(&host);
    second.cookie = first.cookie.clone();
    assert_eq!(second.register("ada").await.granted(), json!({ "user": "ada", "passkeys": 2 }));
    second.cookie = None;
    assert_eq!(second.sign_in("ada").await.granted()["user"], "ada");
    let eve = Browser::new(&host).post("/api/register/begin", &json!({ "username": "ada" })).await;
    assert!(eve.refused(409).contains("taken"));
}

#[tokio::test]
async fn an_answer_serves_once() {
    let mut browser = Browser::new(&start().await);
    let options = browser.post("/api/register/begin", &json!({ "username": "ada" })).await.granted();
    let made = browser.create(&options).await;
    browser.post("/api/register/finish", &made).await.granted();
    assert!(browser.post("/api/register/finish", &made).await.refused(400).contains("Start again"));

    let options = browser.post("/api/sign-in/begin", &json!({})).await.granted();
    let signed = browser.sign(&options).await;
    browser.post("/api/sign-in/finish", &signed).await.granted();
    browser.post("/api/sign-in/finish", &signed).await.refused(400);
    // Nor does it serve as the answer to another question.
    browser.post("/api/sign-in/begin", &json!({})).await.granted();
    browser.post("/api/sign-in/finish", &signed).await.refused(401);
    browser.post("/api/register/begin", &json!({ "username": "ada" })).await.granted();
    browser.post("/api/sign-in/finish", &signed).await.refused(400);
}

#[tokio::test]
async fn answers_of_other_places_are_refused() {
    let host = start().await;
    let mut browser = Browser::new(&host);
    browser.register("ada").await.granted();
    browser.post("/api/sign-out", &json!({})).await.granted();
    for (path, name) in [("register", "bob"), ("sign-in", "ada")] {
        let begin = format!("/api/{path}/begin");
        let options = browser.post(&begin, &json!({ "username": name })).await.granted();
        // A page on another port has had the phone sign.
        let own = std::mem::replace(&mut browser.origin, "http://localhost:1".to_owned());
        let answer =
            if path == "register" { browser.create(&options).await } else { browser.sign(&options).await };
        browser.origin = own;
        let refused = browser.post(&format!("/api/{path}/finish"), &answer).await.refused(401);
        assert!(refused.contains("not accepted"), "{refused}");
        assert_eq!(browser.user().await, None);
    }
    // Whoever has not been asked has nothing to answer.
    let options = browser.post("/api/sign-in/begin", &json!({ "username": "ada" })).await.granted();
    let signed = browser.sign(&options).await;
    Browser::new(&host).post("/api/sign-in/finish", &signed).await.refused(400);
    browser.post("/api/sign-in/finish", &signed).await.granted();
}

#[tokio::test]
async fn changed_answers_are_refused() {
    let mut browser = Browser::new(&start().await);
    browser.register("ada").await.granted();
    for member in ["signature", "authenticatorData", "clientDataJSON"] {
        let options = browser.post("/api/sign-in/begin", &json!({})).await.granted();
        let mut signed = browser.sign(&options).await;
        let text = signed["response"][member].as_str().unwrap();
        let middle = text.len() / 2;
        let flipped = if &text[middle..=middle] == "A" { "B" } else { "A" };
        signed["response"][member] =
            Value::from(format!("{}{flipped}{}", &text[..middle], &text[middle + 1..]));
        let refused = browser.post("/api/sign-in/finish", &signed).await;
        assert!(matches!(refused.status, 400 | 401), "{member}: {}", refused.body);
    }
}

#[tokio::test]
async fn unknown_people_and_passkeys_are_told() {
    let host = start().await;
    let mut browser = Browser::new(&host);
    let nobody = browser.post("/api/sign-in/begin", &json!({ "username": "nobody" })).await;
    assert!(nobody.refused(404).contains("Register"));
    for name in ["", "  ", "a\nb", &"x".repeat(65)] {
        browser.post("/api/register/begin", &json!({ "username": name })).await.refused(400);
    }
    // A passkey of this site's former life.
    browser.register("ada").await.granted();
    let mut elsewhere = Browser::new(&start().await);
    let options = elsewhere.post("/api/sign-in/begin", &json!({})).await.granted();
    let signed = browser.sign(&options).await;
    assert!(elsewhere.post("/api/sign-in/finish", &signed).await.refused(401).contains("does not know"));
}

#[tokio::test]
async fn requests_of_other_pages_are_refused() {
    let mut browser = Browser::new(&start().await);
    browser.register("ada").await.granted();
    for head in ["", "Origin: https://evil.example\r\n", "Origin: null\r\n"] {
        let head = format!("{head}Content-Type: application/json\r\n");
        let answer = browser.request("POST", "/api/sign-out", &head, "{}").await;
        assert!(answer.refused(403).contains("of this site"));
    }
    assert_eq!(browser.user().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn malformed_bodies_are_told_in_words() {
    let mut browser = Browser::new(&start().await);
    let head = format!("Origin: {}\r\nContent-Type: application/json\r\n", browser.origin);
    let long = format!("{{\"username\":\"{}\"}}", "a".repeat(100_000));
    for body in ["", "{", "7", "{\"username\":7}", &long] {
        for path in
            ["/api/register/begin", "/api/register/finish", "/api/sign-in/begin", "/api/sign-in/finish"]
        {
            let refused = browser.request("POST", path, &head, body).await.refused(400);
            assert!(refused.contains("does not understand"), "{refused}");
        }
    }
    let plain = format!("Origin: {}\r\nContent-Type: text/plain\r\n", browser.origin);
    browser.request("POST", "/api/sign-in/begin", &plain, "{}").await.refused(400);
    assert_eq!(browser.get("/api/nothing").await.status, 404);
    assert_eq!(browser.get("/api/sign-out").await.status, 405);
}

#[tokio::test]
async fn pages_may_load_their_own_files_only() {
    let mut browser = Browser::new(&start().await);
    for (path, kind, holds) in [
        ("/", "text/html", "role=\"status\""),
        ("/password", "text/html", "role=\"status\""),
        ("/page.js", "text/javascript", "navigator.credentials"),
        ("/page.css", "text/css", ":focus-visible"),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 200);
        assert!(answer.headers["content-type"].starts_with(kind));
        assert!(answer.headers["content-security-policy"].starts_with("default-src 'none'"));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.body.contains(holds) && !answer.body.contains("://"), "{path}");
    }
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_for_scripts_and_changes_at_sign_in() {
    let mut browser = Browser::new(&start().await);
    let begun = browser.post("/api/sign-in/begin", &json!({})).await;
    let cookie = begun.headers["set-cookie"].clone();
    assert!(
        cookie.starts_with("visit=") && cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict")
    );
    // A browser that counted for itself would forget a visit that goes on.
    assert!(!cookie.contains("Max-Age") && !cookie.contains("Expires"), "{cookie}");
    let before = browser.cookie.clone().unwrap();
    browser.register("ada").await.granted();
    let after = browser.cookie.clone().unwrap();
    assert_ne!(before, after);
    browser.cookie = Some(before);
    assert_eq!(browser.user().await, None);
    browser.cookie = Some(after.clone());
    let left = browser.post("/api/sign-out", &json!({})).await;
    assert!(
        left.headers["set-cookie"].contains("visit=;") && left.headers["set-cookie"].contains("; Max-Age=0")
    );
    browser.cookie = Some(after);
    assert_eq!(browser.user().await, None, "signed out on the server too");
}

#[test]
fn passkeys_need_a_secure_origin() {
    for origin in [
        "http://localhost:8080",
        "http://site.localhost",
        "https://login.example.com",
        "https://login.example.com:8443",
    ] {
        assert_eq!(Site::new(&Url::parse(origin).unwrap()).unwrap().origin(), origin);
    }
    for origin in [
        "http://login.example.com",
        "https://login.example.com/page",
        "https://login.example.com/?a",
        "https://192.0.2.1",
        "http://127.0.0.1:8080",
        "ftp://localhost",
        "data:text/html,",
    ] {
        assert!(matches!(Site::new(&Url::parse(origin).unwrap()), Err(SetupError::Origin)), "{origin}");
    }
}
