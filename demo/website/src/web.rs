//! The site over HTTP: pages, and a few addresses for their script.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRequestParts, Request, State, rejection::JsonRejection},
    http::{HeaderValue, Method, header, request::Parts},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use webauthn_rs_proto::{PublicKeyCredential, RegisterPublicKeyCredential};

use crate::{
    error::SiteError,
    site::{Answer, Person, Site},
    visits::{LIFETIME, Token},
};

/// The largest request body in bytes. The answer of a passkey is a few hundred.
const MAX_BODY: usize = 64 * 1024;

/// What the browser may load and do on a page: nothing but this site's own files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Serves the site: to be run with `axum::serve`, or put into another service.
pub fn router(site: Arc<Site>) -> Router {
    let api = Router::new()
        .route("/session", get(who))
        .route("/register/begin", post(begin_registration))
        .route("/register/finish", post(finish_registration))
        .route("/sign-in/begin", post(begin_sign_in))
        .route("/sign-in/finish", post(finish_sign_in))
        .route("/sign-out", post(sign_out));
    Router::new()
        .route("/", get(async || Html(include_str!("pages/index.html"))))
        .route("/page.js", get(async || file("text/javascript", include_str!("pages/page.js"))))
        .route("/page.css", get(async || file("text/css", include_str!("pages/page.css"))))
        .nest("/api", api)
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(site)
}

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, kind)], text)
}

/// Lets nobody else's page change anything, and puts the rules for browsers on every answer.
async fn guard(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN);
    let own = origin.is_some_and(|origin| origin.as_bytes() == site.origin().as_bytes());
    let mut response = if matches!(*request.method(), Method::GET | Method::HEAD) || own {
        next.run(request).await
    } else {
        SiteError::ForeignPage.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The token in the cookie of a request.
struct Visitor(Option<Token>);

impl FromRequestParts<Arc<Site>> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Infallible> {
        let name = cookie_name(site);
        let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        Ok(Self(pairs.find(|(found, _)| *found == name).map(|(_, token)| Token::received(token))))
    }
}

const fn cookie_name(site: &Site) -> &'static str {
    // With the prefix, no other host and no plaintext page can set it.
    if site.is_secure() { "__Host-visit" } else { "visit" }
}

fn cookie(site: &Site, token: Option<&Token>) -> String {
    let (name, secure) = (cookie_name(site), if site.is_secure() { "; Secure" } else { "" });
    let (value, age) = token.map_or(("", 0), |token| (token.as_str(), LIFETIME.as_secs()));
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
}

/// An answer as JSON, with the cookie if there is a new one.
fn reply<T: Serialize>(site: &Site, answer: Answer<T>) -> Result<Response, SiteError> {
    let (body, token) = answer?;
    Ok(match token {
        Some(token) => ([(header::SET_COOKIE, cookie(site, Some(&token)))], Json(body)).into_response(),
        None => Json(body).into_response(),
    })
}

type Body<T> = Result<Json<T>, JsonRejection>;

/// The body, if it is JSON as expected. What the parser says of it is for nobody at a page.
fn read<T>(body: Body<T>) -> Result<T, SiteError> {
    body.map(|Json(body)| body).map_err(|_| SiteError::Malformed)
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    username: String,
}

/// Whoever is signed in; nobody is `null`.
async fn who(State(site): State<Arc<Site>>, Visitor(token): Visitor) -> Json<Option<Person>> {
    Json(site.who(token.as_ref()))
}

async fn begin_registration(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<Named>,
) -> Result<Response, SiteError> {
    reply(&site, site.begin_registration(token.as_ref(), &read(body)?.username))
}

async fn finish_registration(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<RegisterPublicKeyCredential>,
) -> Result<Response, SiteError> {
    reply(&site, site.finish_registration(token.as_ref(), &read(body)?))
}

async fn begin_sign_in(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<Named>,
) -> Result<Response, SiteError> {
    reply(&site, site.begin_sign_in(token.as_ref(), Some(&read(body)?.username)))
}

async fn finish_sign_in(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<PublicKeyCredential>,
) -> Result<Response, SiteError> {
    reply(&site, site.finish_sign_in(token.as_ref(), &read(body)?))
}

async fn sign_out(State(site): State<Arc<Site>>, Visitor(token): Visitor) -> Response {
    site.sign_out(token.as_ref());
    ([(header::SET_COOKIE, cookie(&site, None))], Json(())).into_response()
}
