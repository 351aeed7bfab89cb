//! The site on a port of this computer, and a browser that knows enough of HTTP and WebAuthn to use it.

// Not every test binary uses all of it.
#![allow(dead_code)]

pub(crate) mod device;

use std::{collections::BTreeMap, sync::Arc};

use hybridge_authenticator::CtapService;
use hybridge_client::webauthn::{Assertion, Creation, CreationOptions, Origin, RequestOptions};
use hybridge_demo::owner::{Owner, Passkeys, passkeys_of};
use hybridge_website::{Policies, Site, Store, router};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::{Url, form_urlencoded};

/// Starts a site. It ends with the test's runtime.
pub(crate) async fn start() -> Host {
    start_with(Store::in_memory().unwrap(), Policies::built_in()).await
}

pub(crate) async fn start_with(store: Store, policies: Policies) -> Host {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let origin = format!("http://localhost:{port}");
    let site = Arc::new(Site::with(&Url::parse(&origin).unwrap(), store, policies).unwrap());
    tokio::spawn(axum::serve(listener, router(site)).into_future());
    Host { port, origin }
}

/// Where a site is.
#[derive(Clone)]
pub(crate) struct Host {
    port: u16,
    pub(crate) origin: String,
}

/// An answer of the site.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// What the page says in its status.
    #[track_caller]
    pub(crate) fn says(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        let (_, rest) = self.body.split_once("id=\"status\"").unwrap();
        rest.split_once('>').unwrap().1.split_once("</p>").unwrap().0.to_owned()
    }

    /// Where a form has led to.
    #[track_caller]
    pub(crate) fn leads_to(&self, path: &str) {
        assert_eq!(self.status, 303, "{}", self.body);
        assert_eq!(self.headers["location"], path);
    }

    /// The words of an error.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        self.json()["error"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn granted(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }
}

/// A browser with a cookie jar, and a phone next to it.
pub(crate) struct Browser {
    host: Host,
    /// What it says its pages are from.
    pub(crate) origin: String,
    pub(crate) cookie: Option<String>,
    phone: Passkeys,
}

impl Browser {
    pub(crate) fn new(host: &Host) -> Self {
        let phone = passkeys_of(Owner::Agrees);
        Self { host: host.clone(), origin: host.origin.clone(), cookie: None, phone }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let head = format!("Origin: {}\r\nContent-Type: application/json\r\n", self.origin);
        self.request("POST", path, &head, &body.to_string()).await
    }

    /// Sends a form, as a browser without scripts does, and stays on what comes.
    pub(crate) async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let head = format!("Origin: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n", self.origin);
        self.request("POST", path, &head, &body).await
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, head: &str) -> Answer {
        self.request(method, path, head, "").await
    }

    pub(crate) async fn request(&mut self, method: &str, path: &str, head: &str, body: &str) -> Answer {
        let cookie =
            self.cookie.iter().map(|cookie| format!("Cookie: other=1; {cookie}\r\n")).collect::<String>();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{cookie}{head}\r\n{body}",
            self.origin,
            body.len(),
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.host.port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let answer = parse(&answer);
        if let Some(cookie) = answer.headers.get("set-cookie") {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        answer
    }

    /// What a page's script does with the options of a registration.
    pub(crate) async fn create(&mut self, options: &Value) -> Value {
        let origin = Origin::parse(&self.origin).unwrap();
        let options = CreationOptions::from_json(options["publicKey"].to_string().as_bytes()).unwrap();
        let info = self.phone.get_info().await;
        let request = Creation::new(&origin, options).unwrap().for_phone(&info).unwrap();
        let reply = self.phone.call(request.command()).await;
        assert_eq!(reply[0], 0, "the phone refuses with {:#04x}", reply[0]);
        serde_json::to_value(request.finish(&reply[1..]).unwrap()).unwrap()
    }

    /// What a page's script does with the options of a sign-in.
    pub(crate) async fn sign(&mut self, options: &Value) -> Value {
        let origin = Origin::parse(&self.origin).unwrap();
        let options = RequestOptions::from_json(options["publicKey"].to_string().as_bytes()).unwrap();
        let info = self.phone.get_info().await;
        let request = Assertion::new(&origin, &options).unwrap().for_phone(&info).unwrap();
        let reply = self.phone.call(request.command()).await;
        assert_eq!(reply[0], 0, "the phone refuses with {:#04x}", reply[0]);
        serde_json::to_value(request.finish(&reply[1..]).unwrap()).unwrap()
    }

    pub(crate) async fn register(&mut self, name: &str) -> Answer {
        let options = self.post("/api/register/begin", &json!({ "username": name })).await.granted();
        let credential = self.create(&options).await;
        self.post("/api/register/finish", &credential).await
    }

    pub(crate) async fn sign_in(&mut self, name: &str) -> Answer {
        let options = self.post("/api/sign-in/begin", &json!({ "username": name })).await.granted();
        let credential = self.sign(&options).await;
        self.post("/api/sign-in/finish", &credential).await
    }

    /// The user name of whoever is signed in.
    pub(crate) async fn user(&mut self) -> Option<String> {
        self.get("/api/session").await.granted()["user"].as_str().map(str::to_owned)
    }
}

fn parse(answer: &str) -> Answer {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    };
    Answer { status, headers: lines.map(header).collect(), body: body.to_owned() }
}
