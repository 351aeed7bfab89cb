//! The websocket request, and what its answer says about the deployment.

use std::fmt::Write as _;

use hybridge_proto::{
    ids::RoutingId,
    service::{ROUTING_ID_HEADER, SUBPROTOCOL},
};
use tokio::{io::AsyncWriteExt, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use super::{
    cause::{Cause, http as cause, network},
    connection::Stream,
    http::{Answer, NoAnswer, read_answer},
    report::Finding,
    steps::Check,
};

pub(crate) type Socket = WebSocketStream<Stream>;

impl Check {
    /// Asks for a websocket and gives the answer, whatever it is, with the key that was asked with.
    pub(crate) async fn ask(&self, io: &mut Stream, path: &str) -> Result<(Answer, String), Finding> {
        let key = generate_key();
        let request = self.request(path, &key);
        let asking = async {
            let _ = io.write_all(request.as_bytes()).await;
            let _ = io.flush().await;
            read_answer(io).await
        };
        match timeout(self.limit, asking).await {
            Ok(Ok(answer)) => Ok((answer, key)),
            Ok(Err(NoAnswer::Closed)) => Err(Finding::new(&cause::CLOSED, "the connection is closed")),
            Ok(Err(NoAnswer::NotHttp(0x15))) => {
                Err(Finding::new(&network::TLS_ON_PLAIN_PORT, "what comes back is TLS"))
            }
            Ok(Err(NoAnswer::NotHttp(_))) => {
                Err(Finding::new(&cause::NOT_HTTP, "what comes back is not HTTP/1.1"))
            }
            Err(_) => {
                let waited = self.limit.as_secs();
                Err(Finding::new(&cause::NO_ANSWER, format!("no answer within {waited} s")))
            }
        }
    }

    fn request(&self, path: &str, key: &str) -> String {
        let mut request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: {}\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n",
            self.target.authority,
            self.target.origin(),
        );
        // A client has no token, so that the check must not need one to join.
        if let Some(token) = self.token.as_ref().filter(|_| path.starts_with("/cable/new/")) {
            let _ = write!(request, "Authorization: Bearer {}\r\n", token.as_str());
        }
        request.push_str("\r\n");
        request
    }
}

/// The websocket behind an answer that has been found good.
pub(crate) async fn into_socket(io: Stream, answer: Answer) -> Socket {
    let config = WebSocketConfig::default().read_buffer_size(16 * 1024).write_buffer_size(0);
    WebSocketStream::from_partially_read(io, answer.behind, Role::Client, Some(config)).await
}

/// Whether an answer accepts the websocket as clients need it.
pub(crate) fn accepted(answer: &Answer, key: &str, with_token: bool) -> Result<(), Finding> {
    if answer.status != 101 {
        return Err(refusal(answer, with_token));
    }
    let broken = |cause, found: &str| Err(Finding::new(cause, found));
    if answer.one("Sec-WebSocket-Accept") != Some(derive_accept_key(key.as_bytes()).as_str())
        || !answer.has_token("Connection", "upgrade")
        || !answer.has_token("Upgrade", "websocket")
    {
        return broken(&cause::HANDSHAKE, "status 101, but not for this request");
    }
    if answer.all("Sec-WebSocket-Extensions").next().is_some() {
        return broken(&cause::EXTENSION, "status 101 with Sec-WebSocket-Extensions");
    }
    match answer.one("Sec-WebSocket-Protocol") {
        Some(SUBPROTOCOL) => Ok(()),
        Some(_) => broken(&cause::SUBPROTOCOL_NOT_ECHOED, "status 101 with another Sec-WebSocket-Protocol"),
        None => broken(&cause::SUBPROTOCOL_NOT_ECHOED, "status 101 without Sec-WebSocket-Protocol"),
    }
}

/// The routing ID of an answer to `/cable/new`.
pub(crate) fn routing_id(answer: &Answer) -> Result<RoutingId, Finding> {
    if answer.all(ROUTING_ID_HEADER).next().is_none() {
        return Err(Finding::new(&cause::ROUTING_ID_MISSING, "status 101 without X-caBLE-Routing-ID"));
    }
    let id = answer.one(ROUTING_ID_HEADER).and_then(|value| RoutingId::from_hex(value).ok());
    id.ok_or_else(|| Finding::new(&cause::ROUTING_ID_WRONG, "X-caBLE-Routing-ID is not one ID"))
}

/// What a refusal is caused by.
pub(crate) fn refusal(answer: &Answer, with_token: bool) -> Finding {
    let sentence = answer.sentence().unwrap_or_default();
    let says = |part: &str| sentence.contains(part);
    let cause: &'static Cause = match answer.status {
        300..=399 => &cause::REDIRECT,
        400 if says("subprotocol") => &cause::SUBPROTOCOL_DROPPED,
        400 if says("HTTPS port") => &network::TLS_ON_PLAIN_PORT,
        200..=299 | 400 | 426 => &cause::UPGRADE_DROPPED,
        401 | 403 if with_token => &cause::TOKEN_REFUSED,
        401 => &cause::TOKEN_NEEDED,
        403 if says("origin") => &cause::ORIGIN_REFUSED,
        404 if says("tunnel service") => &cause::PATH_REWRITTEN,
        403 | 404 | 405 | 407 | 410 | 451 => &cause::PATH_BLOCKED,
        429 => &cause::TOO_MANY,
        502 | 504 => &cause::BAD_GATEWAY,
        503 => &cause::UNAVAILABLE,
        500..=599 => &cause::SERVICE_FAILED,
        _ => &cause::NOT_UPGRADED,
    };
    Finding::new(cause, describe(answer))
}

/// The status, where it points to, and what it says.
pub(crate) fn describe(answer: &Answer) -> String {
    let mut text = format!("status {}", answer.status);
    if let Some(location) = answer.one("Location") {
        let shown: String = location.chars().filter(|letter| !letter.is_control()).take(100).collect();
        let _ = write!(text, " to {shown}");
    }
    if let Some(sentence) = answer.sentence() {
        let _ = write!(text, ": {sentence}");
    }
    text
}

#[cfg(test)]
mod tests;
