//! A connected phone: CTAP requests, typed or raw.

use std::{fmt, time::Duration};

use ciborium::Value;
use hybridge_proto::{
    cbor::canonicalize,
    client::RequestError,
    json::{DigitalRequest, DigitalResponse},
    message::Features,
};
use passkey_types::ctap2::{get_assertion, get_info, make_credential};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    driver::{Command, Notice, Request},
    error::{Error, ReplyProblem},
    progress::Progress,
    session::{REQUEST_TIMEOUT, Session},
    status::Status,
};

#[cfg(test)]
mod tests;

const MAKE_CREDENTIAL: u8 = 0x01;
const GET_ASSERTION: u8 = 0x02;

/// A reply as the phone sent it, and what it means. Phones send members that no library knows: a caller that passes
/// a reply on should pass on `raw`. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply<T> {
    /// The CBOR behind the status byte, untouched.
    pub raw: Vec<u8>,
    /// The same, decoded.
    pub value: T,
}

/// A channel to one phone, for one request at a time. Phones often hang up after the first reply.
///
/// Dropping it says goodbye and ends the session within a second; [`CtapChannel::close`] waits for that.
#[must_use = "dropping a channel ends the session"]
pub struct CtapChannel {
    session: Session,
    get_info: Option<Vec<u8>>,
    features: Features,
    on_progress: Box<dyn FnMut(Progress) + Send>,
    /// How many requests there have been.
    requests: u64,
    /// How long each request may take. Default: 120 s.
    pub request_timeout: Duration,
}

impl CtapChannel {
    pub(crate) fn new(
        session: Session,
        get_info: Option<Vec<u8>>,
        features: Features,
        on_progress: Box<dyn FnMut(Progress) + Send>,
    ) -> Self {
        Self { session, get_info, features, on_progress, requests: 0, request_timeout: REQUEST_TIMEOUT }
    }

    /// What the phone can do.
    pub const fn features(&self) -> Features {
        self.features
    }

    /// The phone's description, authenticatorGetInfo. It came with the connection; nothing is sent.
    ///
    /// # Errors
    /// [`Error::MalformedReply`] when the phone gave none or one that does not decode.
    pub fn get_info(&self) -> Result<Reply<get_info::Response>, Error> {
        decode(self.get_info.clone().ok_or(ReplyProblem::NoGetInfo)?)
    }

    /// The same as the phone sent it, CBOR without a status byte; `None` from a phone that takes digital credentials
    /// only.
    pub fn raw_get_info(&self) -> Option<&[u8]> {
        self.get_info.as_deref()
    }

    /// Makes a passkey: authenticatorMakeCredential.
    ///
    /// The origin is the caller's to check: the phone sees only a hash and the relying party's ID.
    ///
    /// # Errors
    /// [`Error::Refused`] with the phone's status, or any other [`Error`].
    ///
    /// # Cancel safety
    /// After dropping the future the phone may still be asking its owner; there is nothing to do with the channel but
    /// to drop or close it.
    pub async fn make_credential(
        &mut self,
        request: &make_credential::Request,
    ) -> Result<Reply<make_credential::Response>, Error> {
        self.command(MAKE_CREDENTIAL, request).await
    }

    /// Signs in with a passkey: authenticatorGetAssertion.
    ///
    /// # Errors
    /// As [`CtapChannel::make_credential`].
    ///
    /// # Cancel safety
    /// As [`CtapChannel::make_credential`].
    pub async fn get_assertion(
        &mut self,
        request: &get_assertion::Request,
    ) -> Result<Reply<get_assertion::Response>, Error> {
        self.command(GET_ASSERTION, request).await
    }

    /// Sends a command byte and CBOR, and gives the status byte and CBOR as they came.
    ///
    /// # Errors
    /// [`Error`]; a status other than success is no error here.
    ///
    /// # Cancel safety
    /// As [`CtapChannel::make_credential`].
    pub async fn raw(&mut self, request: &[u8]) -> Result<Vec<u8>, Error> {
        self.exchange(Request::Ctap(request.to_vec())).await
    }

    /// Sends a command byte and CBOR, and gives the CBOR of a reply that says yes, as it came.
    ///
    /// # Errors
    /// [`Error::Refused`] with the phone's status, or any other [`Error`].
    ///
    /// # Cancel safety
    /// As [`CtapChannel::make_credential`].
    pub async fn call(&mut self, request: &[u8]) -> Result<Vec<u8>, Error> {
        let reply = self.raw(request).await?;
        let (status, contents) = reply.split_first().ok_or(ReplyProblem::Empty)?;
        match Status::from_byte(*status) {
            Some(status) => Err(Error::Refused(status)),
            None => Ok(contents.to_vec()),
        }
    }

    /// Asks for a digital credential. The phone must have been required to have that feature.
    ///
    /// # Errors
    /// [`Error`]; a wallet's refusal is a [`DigitalResponse::Failed`] and no error.
    ///
    /// # Cancel safety
    /// As [`CtapChannel::make_credential`].
    pub async fn digital(&mut self, request: &DigitalRequest) -> Result<DigitalResponse, Error> {
        let reply = self.exchange(Request::Json(request.encode())).await?;
        Ok(DigitalResponse::decode(&reply).map_err(ReplyProblem::from)?)
    }

    /// Says goodbye and waits for the end. If linking was accepted, that is when the phone closes the tunnel or the
    /// linger time is over; links are told as [`Progress::Linked`] meanwhile.
    ///
    /// # Errors
    /// [`Error`] when the session had failed before, and no request has told so.
    ///
    /// # Cancel safety
    /// Dropping the future ends the session at once.
    pub async fn close(mut self) -> Result<(), Error> {
        // Fails only if the session is over, and then its outcome is among the notices.
        let _ = self.session.commands.send(Command::Shutdown).await;
        let mut outcome = Ok(());
        // The notices end when the goodbye has been said.
        while let Some(notice) = self.session.notices.recv().await {
            match notice {
                Notice::Over(over) => outcome = over,
                Notice::Progress(progress) => (self.on_progress)(progress),
                Notice::Reply(..) | Notice::Connected { .. } => {}
            }
        }
        outcome
    }

    async fn command<T: DeserializeOwned>(
        &mut self,
        command: u8,
        parameters: &impl Serialize,
    ) -> Result<Reply<T>, Error> {
        let mut encoded = Vec::new();
        ciborium::into_writer(parameters, &mut encoded).map_err(|_| ReplyProblem::Contents)?;
        let mut request = vec![command];
        request.extend(canonicalize(&encoded).map_err(|_| ReplyProblem::Contents)?);
        decode(self.call(&request).await?)
    }

    async fn exchange(&mut self, request: Request) -> Result<Vec<u8>, Error> {
        self.requests = self.requests.wrapping_add(1);
        let (number, timeout) = (self.requests, self.request_timeout);
        // Fails only if the session is over, and then its outcome is among the notices.
        let _ = self.session.commands.send(Command::Request { number, request, timeout }).await;
        loop {
            match self.session.notices.recv().await {
                Some(Notice::Reply(of, reply)) if of == number => return Ok(reply?),
                Some(Notice::Progress(progress)) => (self.on_progress)(progress),
                // Another reply is one to a request that the caller gave up.
                Some(Notice::Reply(..) | Notice::Connected { .. }) => {}
                Some(Notice::Over(outcome)) => return Err(outcome.err().unwrap_or(Error::PhoneLeft)),
                None => return Err(RequestError::NotConnected.into()),
            }
        }
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({} bytes)", self.raw.len())
    }
}

impl fmt::Debug for CtapChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtapChannel").field("features", &self.features).finish_non_exhaustive()
    }
}

/// Decodes a reply's map.
///
/// This goes through a tree and not from the bytes: `passkey-types` skips list elements that it does not understand,
/// which on a stream leaves it in the middle of the element, and it fails on keys beyond a byte.
fn decode<T: DeserializeOwned>(raw: Vec<u8>) -> Result<Reply<T>, Error> {
    let tree = ciborium::from_reader(raw.as_slice()).map_err(|_| ReplyProblem::Contents)?;
    let Value::Map(mut members) = tree else { return Err(ReplyProblem::Contents.into()) };
    members.retain(|(key, _)| key.as_integer().is_some_and(|key| u8::try_from(key).is_ok()));
    let value = Value::Map(members).deserialized().map_err(|_| ReplyProblem::Contents)?;
    Ok(Reply { raw, value })
}
