//! The HTTP interface that tells a [`ScriptedPhone`](crate::phone::ScriptedPhone) what to do, for tests in any language.
//!
//! | request | what it does |
//! |---|---|
//! | `GET /status` | what the phone is doing |
//! | `GET /status?wait=asking,failed&session=1&timeout_ms=5000` | the same, once it does one of these for this or a later code; 408 if it does not in time |
//! | `POST /scan` with `{"code": "FIDO:/…"}` | shows the phone a code; gives the number of the session |
//! | `POST /script` with any of `{"answer": "approve", "delay_ms": 0, "account": null, "radio": true}` | what the owner does from now on; the answers are `approve`, `refuse` and `wait` |
//! | `POST /approve`, `POST /refuse` | answers the question that is open; 409 if there is none |
//! | `POST /hang-up` | ends the session |
//! | `GET /passkeys`, `DELETE /passkeys` | lists them, forgets them |
//!
//! Everything is JSON. What is refused is answered with a status of 4xx and `{"error": "…"}`, one line that says what
//! to do. Requests of web pages, which browsers mark with an `Origin`, and requests under another name than that of
//! loopback are refused: no website that is open on the machine shall approve anything.

mod parse;
#[cfg(feature = "testbed")]
mod router;

pub use self::parse::{BadRequest, ScanRequest, ScriptChange, StatusRequest};
#[cfg(feature = "testbed")]
pub use self::router::router;
