//! Which request does what to the phone.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRequest, RawQuery, Request, State},
    http::{StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::parse::{BadRequest, ScanRequest, ScriptChange, StatusRequest};
use crate::phone::{NoQuestion, PhoneStatus, ScriptedPhone};

/// The interface to a phone, to be served on loopback.
pub fn router(phone: Arc<ScriptedPhone>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/scan", post(scan))
        .route("/script", post(script))
        .route("/approve", post(approve))
        .route("/refuse", post(refuse))
        .route("/hang-up", post(hang_up))
        .route("/passkeys", get(passkeys).delete(forget))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "there is no such request: see the documentation"))
        .method_not_allowed_fallback(async || {
            refusal(StatusCode::METHOD_NOT_ALLOWED, "not with this method: see the documentation")
        })
        .layer(from_fn(only_tests))
        .with_state(phone)
}

type Phone = State<Arc<ScriptedPhone>>;

fn refusal(status: StatusCode, error: impl ToString) -> Response {
    (status, Json(json!({ "error": error.to_string() }))).into_response()
}

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        refusal(StatusCode::BAD_REQUEST, self)
    }
}

impl IntoResponse for NoQuestion {
    fn into_response(self) -> Response {
        refusal(StatusCode::CONFLICT, self)
    }
}

/// A body of at most 2 MB, which is axum's limit.
struct Content(Bytes);

impl<S: Send + Sync> FromRequest<S> for Content {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|error| refusal(error.status(), "the body cannot be read: send at most 2 MB"))
    }
}

/// Keeps websites out: what a browser sends for a page, and what comes under a name that somebody has pointed here.
async fn only_tests(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = matches!(name, "127.0.0.1" | "localhost" | "[::1]");
    if !local || request.headers().contains_key(header::ORIGIN) {
        let text = "websites may not tell the phone what to do: ask from the test, under 127.0.0.1";
        return refusal(StatusCode::FORBIDDEN, text);
    }
    next.run(request).await
}

async fn status(State(phone): Phone, RawQuery(query): RawQuery) -> Result<Response, BadRequest> {
    let asked = StatusRequest::parse(query.as_deref().unwrap_or_default())?;
    let wanted = |status: &PhoneStatus| {
        status.session >= asked.session
            && (asked.states.is_empty() || asked.states.iter().any(|name| name == status.state.name()))
    };
    Ok(match timeout(asked.timeout, phone.wait_for(wanted)).await {
        Ok(status) => Json(status).into_response(),
        Err(_) => {
            let status = phone.status();
            let text = format!("the phone did not come so far in time: it is {}", status.state.name());
            (StatusCode::REQUEST_TIMEOUT, Json(json!({ "error": text, "status": status }))).into_response()
        }
    })
}

async fn scan(State(phone): Phone, Content(body): Content) -> Result<Json<Value>, BadRequest> {
    let request = ScanRequest::parse(&body)?;
    Ok(Json(json!({ "session": phone.scan(&request.code) })))
}

async fn script(State(phone): Phone, Content(body): Content) -> Result<Json<PhoneStatus>, BadRequest> {
    let change = ScriptChange::parse(&body)?;
    if let Some(answer) = change.answer {
        phone.set_answer(answer);
    }
    if let Some(delay) = change.delay_ms {
        phone.set_delay(Duration::from_millis(delay));
    }
    if let Some(account) = change.account {
        phone.set_account(account);
    }
    if let Some(radio) = change.radio {
        phone.set_radio(radio);
    }
    Ok(Json(phone.status()))
}

async fn approve(State(phone): Phone) -> Result<Json<PhoneStatus>, NoQuestion> {
    phone.approve().map(|()| Json(phone.status()))
}

async fn refuse(State(phone): Phone) -> Result<Json<PhoneStatus>, NoQuestion> {
    phone.refuse().map(|()| Json(phone.status()))
}

async fn hang_up(State(phone): Phone) -> Json<PhoneStatus> {
    phone.hang_up();
    Json(phone.status())
}

async fn passkeys(State(phone): Phone) -> Json<Value> {
    Json(json!({ "passkeys": phone.passkeys().await }))
}

async fn forget(State(phone): Phone) -> Json<Value> {
    phone.forget_passkeys().await;
    Json(json!({ "passkeys": [] }))
}

#[cfg(test)]
mod tests;
