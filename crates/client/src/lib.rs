//! The laptop's side of the FIDO hybrid transport: QR sessions and a CTAP channel to a phone.
#![forbid(unsafe_code)]

mod channel;
mod driver;
mod error;
mod progress;
mod session;
mod status;

pub use hybridge_proto::{
    client::{AttemptError, CallId, ClientError, ClientTiming, FoundBy, Link, RequestError},
    json::{DigitalError, DigitalRequest, DigitalResponse, RequestType},
    message::Features,
    qr::{Hint, QrUri},
};

pub use self::{
    channel::{CtapChannel, Reply},
    error::{Error, ReplyProblem},
    progress::Progress,
    session::{Session, SessionConfig},
    status::Status,
};
