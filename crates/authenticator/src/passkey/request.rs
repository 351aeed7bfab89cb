//! From bytes to a request: command byte and canonical CBOR (CTAP 2.1 sections 6 and 8).

use ciborium::Value;
use hybridge_proto::cbor::check_canonical;
use passkey_types::{
    ctap2::{get_assertion, make_credential},
    webauthn::PublicKeyCredentialDescriptor,
};

use super::reply::Refusal;

const MAKE_CREDENTIAL: u8 = 0x01;
const GET_ASSERTION: u8 = 0x02;
const GET_INFO: u8 = 0x04;

/// A request that `passkey-authenticator` can answer.
#[derive(Debug)]
pub(super) enum Request {
    MakeCredential(Box<make_credential::Request>),
    GetAssertion(Box<get_assertion::Request>),
    GetInfo,
}

impl Request {
    /// Reads a command byte and its parameters.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let (&command, cbor) = bytes.split_first().ok_or(Refusal::Empty)?;
        match command {
            MAKE_CREDENTIAL => make_credential(cbor).map(|request| Self::MakeCredential(Box::new(request))),
            GET_ASSERTION => get_assertion(cbor).map(|request| Self::GetAssertion(Box::new(request))),
            GET_INFO => Ok(Self::GetInfo),
            other => Err(Refusal::UnknownCommand(other)),
        }
    }
}

fn make_credential(cbor: &[u8]) -> Result<make_credential::Request, Refusal> {
    const USER: u8 = 3;
    const EXCLUDE_LIST: u8 = 5;
    let mut members = Members::read(cbor, &[1, 2, USER, 4])?;
    members.list_len(EXCLUDE_LIST)?;
    members.fill_in_names(USER);
    let mut request: make_credential::Request = members.decode()?;
    if let Some(list) = &mut request.exclude_list {
        list.retain(PublicKeyCredentialDescriptor::is_known);
    }
    Ok(request)
}

fn get_assertion(cbor: &[u8]) -> Result<get_assertion::Request, Refusal> {
    const ALLOW_LIST: u8 = 3;
    let members = Members::read(cbor, &[1, 2])?;
    let listed = members.list_len(ALLOW_LIST)?;
    let mut request: get_assertion::Request = members.decode()?;
    if !request.options.up {
        return Err(Refusal::Silent);
    }
    let allowed = request.allow_list.get_or_insert_default();
    allowed.retain(PublicKeyCredentialDescriptor::is_known);
    // An empty list allows every credential; one whose descriptors are all unusable must not become that.
    if listed > 0 && allowed.is_empty() {
        return Err(Refusal::NothingAllowed);
    }
    Ok(request)
}

/// The parameters of a command.
///
/// Decoding goes through a tree and not from the bytes: `passkey-types` skips list elements that it does not
/// understand, which on a stream leaves it in the middle of the element.
struct Members(Vec<(Value, Value)>);

impl Members {
    /// The highest key that CTAP 2.2 gives a request. Others are dropped, as CTAP demands of unknown ones;
    /// `passkey-types` fails on those beyond a byte.
    const LAST_KEY: u8 = 0x0B;

    fn read(cbor: &[u8], required: &[u8]) -> Result<Self, Refusal> {
        check_canonical(cbor)?;
        let value: Value = ciborium::from_reader(cbor).map_err(|_| Refusal::Undecodable)?;
        let Value::Map(mut entries) = value else { return Err(Refusal::WrongType) };
        entries.retain(|(key, _)| (1..=Self::LAST_KEY).any(|known| is_key(key, known)));
        let members = Self(entries);
        match required.iter().find(|key| members.get(**key).is_none()) {
            Some(missing) => Err(Refusal::Missing(*missing)),
            None => Ok(members),
        }
    }

    fn get(&self, key: u8) -> Option<&Value> {
        self.0.iter().find_map(|(found, value)| is_key(found, key).then_some(value))
    }

    /// How many elements an optional list has; none when it is absent. `passkey-types` takes another type for an
    /// absent list.
    fn list_len(&self, key: u8) -> Result<usize, Refusal> {
        match self.get(key) {
            None => Ok(0),
            Some(Value::Array(elements)) => Ok(elements.len()),
            Some(_) => Err(Refusal::WrongType),
        }
    }

    /// Gives a user entity the names that CTAP leaves out at will and `passkey-types` insists on.
    fn fill_in_names(&mut self, user: u8) {
        let user = self.0.iter_mut().find_map(|(key, value)| is_key(key, user).then_some(value));
        let Some(Value::Map(fields)) = user else { return };
        for name in ["name", "displayName"] {
            if !fields.iter().any(|(key, _)| key.as_text() == Some(name)) {
                fields.push((Value::from(name), Value::from("")));
            }
        }
    }

    fn decode<T: serde::de::DeserializeOwned>(self) -> Result<T, Refusal> {
        Value::Map(self.0).deserialized().map_err(|_| Refusal::WrongType)
    }
}

fn is_key(value: &Value, key: u8) -> bool {
    value.as_integer() == Some(key.into())
}
