//! The JSON envelope of digital credentials over the hybrid transport (CTAP 2.3, messages of kind 3).
//!
//! ```json
//! { "origin": "https://rp.example", "requestType": "credential.get", "request": { "digital": { } } }
//! { "response": { "digital": { "data": { "protocol": "…", "data": { } } } } }
//! { "response": { "digital": { "error": "USER_CANCELED" } } }
//! ```
//!
//! The envelope is ours to read; what a page and a wallet say inside `digital` and `data` passes through.

use core::fmt;

use serde_json::{Map, Value, json};
use thiserror::Error;

/// What a page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestType {
    /// `credential.get`: present a credential.
    Get,
    /// `credential.create`: issue a credential.
    Create,
}

impl RequestType {
    const fn as_wire(self) -> &'static str {
        match self {
            Self::Get => "credential.get",
            Self::Create => "credential.create",
        }
    }
}

/// Why an envelope was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not JSON (RFC 8259).
    #[error("the digital credential message is not JSON")]
    NotJson,
    /// A member is missing or has the wrong type.
    #[error("the digital credential message lacks a usable {0:?}")]
    Member(&'static str),
}

/// A request for a digital credential. `Debug` leaves out what is asked for.
#[derive(Clone, PartialEq)]
pub struct DigitalRequest {
    /// The origin of the page that asks. The client vouches for it.
    pub origin: String,
    /// What is asked for.
    pub request_type: RequestType,
    /// The page's Digital Credentials API object, untouched.
    pub digital: Value,
}

impl DigitalRequest {
    /// The UTF-8 JSON of the request.
    pub fn encode(&self) -> Vec<u8> {
        let envelope = json!({
            "origin": self.origin,
            "requestType": self.request_type.as_wire(),
            "request": { "digital": self.digital },
        });
        envelope.to_string().into_bytes()
    }

    /// Reads a request; unknown members are ignored.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut envelope = object(bytes)?;
        let Some(Value::String(origin)) = envelope.remove("origin") else {
            return Err(EnvelopeError::Member("origin"));
        };
        let request_type = match envelope.get("requestType").and_then(Value::as_str) {
            Some("credential.get") => RequestType::Get,
            Some("credential.create") => RequestType::Create,
            _ => return Err(EnvelopeError::Member("requestType")),
        };
        let digital = envelope
            .get_mut("request")
            .and_then(|request| request.get_mut("digital"))
            .filter(|digital| digital.is_object())
            .ok_or(EnvelopeError::Member("digital"))?
            .take();
        Ok(Self { origin, request_type, digital })
    }
}

/// Why a wallet gave no credential.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigitalError {
    /// The person declined.
    UserCanceled,
    /// The device gave up.
    DeviceAborted,
    /// There is no fitting credential.
    NoCredential,
    /// Anything else that the wallet called an error.
    Other,
}

impl DigitalError {
    fn from_wire(text: &str) -> Self {
        match text {
            "USER_CANCELED" => Self::UserCanceled,
            "DEVICE_ABORTED" => Self::DeviceAborted,
            "NO_CREDENTIAL" => Self::NoCredential,
            _ => Self::Other,
        }
    }

    /// The wire's text; `OTHER` for anything else.
    pub const fn as_wire(&self) -> &'static str {
        match self {
            Self::UserCanceled => "USER_CANCELED",
            Self::DeviceAborted => "DEVICE_ABORTED",
            Self::NoCredential => "NO_CREDENTIAL",
            Self::Other => "OTHER",
        }
    }
}

/// A wallet's answer. `Debug` leaves out the credential.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum DigitalResponse {
    /// A credential in the named exchange protocol.
    Credential {
        /// The exchange protocol, for example `openid4vp-v1-unsigned`.
        protocol: String,
        /// What that protocol says, untouched.
        data: Value,
    },
    /// No credential.
    Failed(DigitalError),
}

impl DigitalResponse {
    /// The UTF-8 JSON of the answer.
    pub fn encode(&self) -> Vec<u8> {
        let digital = match self {
            Self::Credential { protocol, data } => json!({ "data": { "protocol": protocol, "data": data } }),
            Self::Failed(error) => json!({ "error": error.as_wire() }),
        };
        json!({ "response": { "digital": digital } }).to_string().into_bytes()
    }

    /// Reads an answer: `error` is looked at first, unknown members are ignored.
    ///
    /// # Errors
    /// [`EnvelopeError`] for anything of another shape.
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut envelope = object(bytes)?;
        let digital = envelope
            .get_mut("response")
            .and_then(|response| response.get_mut("digital"))
            .and_then(Value::as_object_mut)
            .ok_or(EnvelopeError::Member("digital"))?;
        if let Some(error) = digital.get("error") {
            let error = error.as_str().ok_or(EnvelopeError::Member("error"))?;
            return Ok(Self::Failed(DigitalError::from_wire(error)));
        }
        let data =
            digital.get_mut("data").and_then(Value::as_object_mut).ok_or(EnvelopeError::Member("data"))?;
        let Some(Value::String(protocol)) = data.remove("protocol") else {
            return Err(EnvelopeError::Member("protocol"));
        };
        let data = data.remove("data").ok_or(EnvelopeError::Member("data"))?;
        Ok(Self::Credential { protocol, data })
    }
}

impl fmt::Debug for DigitalRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigitalRequest")
            .field("origin", &self.origin)
            .field("request_type", &self.request_type)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DigitalResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential { protocol, .. } => {
                f.debug_struct("Credential").field("protocol", protocol).finish_non_exhaustive()
            }
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, EnvelopeError> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(EnvelopeError::Member("object")),
        Err(_) => Err(EnvelopeError::NotJson),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn duplicate_or_deep_json_is_no_danger() {
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        assert_eq!(DigitalResponse::decode(&deep), Err(EnvelopeError::NotJson));
    }

    proptest! {
        #[test]
        fn envelopes_survive(origin in ".{0,20}", create: bool, key in "[a-z]{1,5}", number: i64) {
            let request_type = if create { RequestType::Create } else { RequestType::Get };
            let request = DigitalRequest { origin: origin.clone(), request_type, digital: json!({ key: number }) };
            prop_assert_eq!(DigitalRequest::decode(&request.encode()), Ok(request));
            let response = DigitalResponse::Credential { protocol: origin, data: json!([number]) };
            prop_assert_eq!(DigitalResponse::decode(&response.encode()), Ok(response));
        }

        #[test]
        fn any_bytes_give_an_answer(bytes in "[\\[\\]{}\":,a-z0-9]{0,80}") {
            let _ = DigitalRequest::decode(bytes.as_bytes());
            let _ = DigitalResponse::decode(bytes.as_bytes());
        }
    }
}
