//! What the pages' script asks, in JSON.

use std::sync::Arc;

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use webauthn_rs_proto::{PublicKeyCredential, RegisterPublicKeyCredential};

use super::{Visitor, cookie};
use crate::{
    error::SiteError,
    site::{Answer, Person, Site},
};

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
pub(super) struct Named {
    #[serde(default)]
    username: String,
    group: Option<String>,
}

/// Whoever is signed in; nobody is `null`.
pub(super) async fn who(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
) -> Result<Json<Option<Person>>, SiteError> {
    Ok(Json(site.who(token.as_ref()).await?))
}

pub(super) async fn begin_registration(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<Named>,
) -> Result<Response, SiteError> {
    let Named { username, group } = read(body)?;
    reply(&site, site.begin_registration(token.as_ref(), &username, group).await)
}

pub(super) async fn finish_registration(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<RegisterPublicKeyCredential>,
) -> Result<Response, SiteError> {
    reply(&site, site.finish_registration(token.as_ref(), &read(body)?).await)
}

pub(super) async fn begin_sign_in(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<Named>,
) -> Result<Response, SiteError> {
    reply(&site, site.begin_sign_in(token.as_ref(), Some(&read(body)?.username)).await)
}

pub(super) async fn finish_sign_in(
    State(site): State<Arc<Site>>,
    Visitor(token): Visitor,
    body: Body<PublicKeyCredential>,
) -> Result<Response, SiteError> {
    reply(&site, site.finish_sign_in(token.as_ref(), &read(body)?).await)
}

pub(super) async fn sign_out(State(site): State<Arc<Site>>, Visitor(token): Visitor) -> Response {
    site.sign_out(token.as_ref());
    ([(header::SET_COOKIE, cookie(&site, None))], Json(())).into_response()
}
