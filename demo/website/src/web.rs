//! The site over HTTP: pages, forms for whoever has no script, and a few addresses for the pages' script.

mod api;
mod forms;
mod pages;

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{error::SiteError, site::Site, visits::Token};

/// The largest request body in bytes. The answer of a passkey is a few hundred, one with certificates a few thousand.
const MAX_BODY: usize = 64 * 1024;

/// What the browser may load and do on a page: nothing but this site's own files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Serves the site: to be run with `axum::serve`, or put into another service.
pub fn router(site: Arc<Site>) -> Router {
    let api = Router::new()
        .route("/session", get(api::who))
        .route("/register/begin", post(api::begin_registration))
        .route("/register/finish", post(api::finish_registration))
        .route("/sign-in/begin", post(api::begin_sign_in))
        .route("/sign-in/finish", post(api::finish_sign_in))
        .route("/sign-out", post(api::sign_out));
    let password = Router::new()
        .route("/", get(pages::password))
        .route("/sign-in", post(forms::sign_in))
        .route("/register", post(forms::register));
    let account = Router::new()
        .route("/", get(pages::account))
        .route("/rename", post(forms::rename))
        .route("/delete", post(forms::delete))
        .route("/password", post(forms::change_password));
    Router::new()
        .route("/", get(pages::start))
        .nest("/password", password)
        .nest("/account", account)
        .route("/sign-out", post(forms::sign_out))
        .route("/page.js", get(async || file("text/javascript", include_str!("web/assets/page.js"))))
        .route("/page.css", get(async || file("text/css", include_str!("web/assets/page.css"))))
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
    // With `no-referrer`, browsers would not say either where a form of this site's own comes from.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The token in the cookie of a request.
struct Visitor(Option<Token>);

impl FromRequestParts<Arc<Site>> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Infallible> {
        Ok(Self(token(&parts.headers, cookie_name(site))))
    }
}

fn token(headers: &HeaderMap, name: &str) -> Option<Token> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, token)| Token::received(token))
}

const fn cookie_name(site: &Site) -> &'static str {
    // With the prefix, no other host and no plaintext page can set it.
    if site.is_secure() { "__Host-visit" } else { "visit" }
}

fn cookie(site: &Site, token: Option<&Token>) -> String {
    let (name, secure) = (cookie_name(site), if site.is_secure() { "; Secure" } else { "" });
    // A visit goes on with each request, which an age in the browser would not: the site knows when it is over.
    let (value, age) = token.map_or(("", "; Max-Age=0"), |token| (token.as_str(), ""));
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{age}{secure}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_cookie_is_found_among_others(before in "[a-z=; ]{0,40}", value in "[A-Za-z0-9_-]{1,50}", any: Vec<u8>) {
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, format!("{before}; visit={value}; more=1").parse().unwrap());
            let own = before.split(';').any(|pair| pair.trim().starts_with("visit="));
            prop_assume!(!own);
            prop_assert!(token(&headers, "visit").is_some_and(|token| token.as_str() == value));
            if let Ok(odd) = HeaderValue::from_bytes(&any) {
                headers.insert(header::COOKIE, odd);
                let _ = token(&headers, "visit");
            }
        }
    }
}
