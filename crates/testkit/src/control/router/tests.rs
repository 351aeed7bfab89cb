//! The interface as a test in another language sees it.

use axum::{
    body::{Body, to_bytes},
    http::{HeaderValue, Method},
};
use hybridge_authenticator::DomainId;
use hybridge_ble::sim::Air;
use hybridge_proto::{
    keys::{PrivateKey, QrSecret},
    qr::QrCode,
};
use hybridge_tunnel::MemoryService;
use tower::ServiceExt;

use super::*;

struct Control(Router);

impl Control {
    fn new() -> Self {
        let radio = Air::new(1).device("phone");
        let phone = ScriptedPhone::new(radio, DomainId::new(266), Arc::new(MemoryService::new()));
        Self(router(Arc::new(phone)))
    }

    async fn ask(&self, method: Method, path: &str, body: impl Into<Body>) -> (u16, Value) {
        self.ask_as("127.0.0.1:8080", None, method, path, body).await
    }

    async fn ask_as(
        &self,
        host: &str,
        origin: Option<&str>,
        method: Method,
        path: &str,
        body: impl Into<Body>,
    ) -> (u16, Value) {
        let mut request = Request::new(body.into());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        let headers = request.headers_mut();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        let response = self.0.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_shows_a_code_and_waits() {
    let control = Control::new();
    assert_eq!(control.ask(Method::GET, "/status", "").await, (200, json!({"session": 0, "state": "idle"})));
    let code = QrCode::new(*PrivateKey::from_seed(b"x").public_key(), QrSecret::from_bytes(&[1; 16]));
    let body = json!({"code": code.to_uri().expose_text()}).to_string();
    assert_eq!(control.ask(Method::POST, "/scan", body).await, (200, json!({"session": 1})));
    let (status, told) = control.ask(Method::GET, "/status?wait=advertising&session=1", "").await;
    assert_eq!((status, &told["state"]), (200, &json!("advertising")));
    let (status, told) = control.ask(Method::GET, "/status?wait=asking&timeout_ms=50", "").await;
    assert_eq!((status, &told["status"]["state"]), (408, &json!("advertising")));
    let (status, told) = control.ask(Method::POST, "/hang-up", "").await;
    assert_eq!((status, &told["state"]), (200, &json!("failed")));
    assert_eq!(control.ask(Method::GET, "/passkeys", "").await, (200, json!({"passkeys": []})));
    assert_eq!(control.ask(Method::DELETE, "/passkeys", "").await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_script_is_taken_and_nonsense_is_not() {
    let control = Control::new();
    let script = r#"{"answer":"wait","delay_ms":10,"account":"ada","radio":false}"#;
    assert_eq!(control.ask(Method::POST, "/script", script).await.0, 200);
    for (method, path, body, expected) in [
        (Method::POST, "/script", r#"{"answer":"shrug"}"#, 400),
        (Method::POST, "/scan", r#"{"code":"https://example.com"}"#, 400),
        (Method::POST, "/scan", "FIDO:/1", 400),
        (Method::GET, "/status?wait=dancing", "", 400),
        (Method::POST, "/approve", "", 409),
        (Method::POST, "/refuse", "", 409),
        (Method::GET, "/elsewhere", "", 404),
    ] {
        let (status, told) = control.ask(method, path, body).await;
        let text = told["error"].as_str().unwrap();
        assert_eq!(status, expected, "{path}: {text}");
        assert!(text.contains(": ") || text.contains('('), "it says what to do: {text}");
        assert!(!text.contains('\n'));
    }
}

#[tokio::test(start_paused = true)]
async fn websites_are_kept_out() {
    let control = Control::new();
    for (host, origin, expected) in [
        ("127.0.0.1:8080", None, 200),
        ("localhost:8080", None, 200),
        ("[::1]:8080", None, 200),
        ("127.0.0.1:8080", Some("https://evil.example"), 403),
        ("127.0.0.1:8080", Some("null"), 403),
        ("evil.example:8080", None, 403),
        ("localhost.evil.example", None, 403),
    ] {
        let (status, _) = control.ask_as(host, origin, Method::GET, "/status", "").await;
        assert_eq!(status, expected, "{host} {origin:?}");
    }
}

#[tokio::test]
async fn wrong_methods_and_endless_bodies_are_refused_in_json() {
    let control = Control::new();
    for (method, path, body, expected) in [
        (Method::GET, "/scan", String::new(), 405),
        (Method::POST, "/status", String::new(), 405),
        (Method::POST, "/script", " ".repeat(3_000_000), 413),
        (Method::POST, "/scan", " ".repeat(3_000_000), 413),
    ] {
        let (status, told) = control.ask(method, path, body).await;
        assert_eq!(status, expected, "{path}");
        assert!(told["error"].as_str().is_some_and(|error| error.contains(": ")), "{path}: {told}");
    }
}
