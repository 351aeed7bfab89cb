//! Requests to make a passkey or to sign in, as far as the device has to understand them (CTAP 2.1 sections 6.1 and 6.2).

use std::fmt;

use super::{
    descriptor::{self, Descriptor},
    map::{self, Members},
    status::StatusCode,
};

/// The command byte of authenticatorMakeCredential.
pub(crate) const MAKE_CREDENTIAL: u8 = 0x01;
/// The command byte of authenticatorGetAssertion.
pub(crate) const GET_ASSERTION: u8 = 0x02;
/// The most bytes in the ID of a relying party: those of a host name.
const MAX_RP_ID: usize = 255;
/// SHA-256 of nothing. The client data of a real ceremony is never empty.
const HASH_OF_NOTHING: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];
/// Relying parties that browsers invent to get a touch: Chromium's and authenticator-rs's.
const INVENTED: [&str; 2] = [".dummy", "make.me.blink"];

/// What the phone is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// To make a passkey.
    Create,
    /// To sign in.
    Get,
}

/// A request, understood. `Debug` shows no identifiers.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) operation: Operation,
    pub(crate) rp_id: String,
    /// The account's name, if a passkey is to be made and it has one.
    pub(crate) user: Option<String>,
    /// The passkeys that are allowed or excluded.
    pub(crate) list: Vec<Descriptor>,
    /// Whether a person is to be there.
    pub(crate) user_presence: bool,
    /// Whether nothing but a touch is wanted.
    pub(crate) only_touch: bool,
    members: Members,
}

impl Request {
    /// Reads the parameters of a command.
    pub(crate) fn read(operation: Operation, parameters: &[u8]) -> Result<Self, StatusCode> {
        let members = Members::read(parameters)?;
        let keys = Keys::of(operation);
        let hash = members.number(keys.hash).ok_or(StatusCode::MISSING_PARAMETER)?;
        let hash: [u8; 32] = map::bytes(hash)?.try_into().map_err(|_| StatusCode::INVALID_PARAMETER)?;
        let rp_id = rp_id(&members, operation)?;
        let user = if operation == Operation::Create { user(&members)? } else { None };
        let list = descriptor::read(members.number(keys.list))?;
        let user_presence = user_presence(&members, keys.options)?;
        if operation == Operation::Create && !user_presence {
            return Err(StatusCode::INVALID_OPTION);
        }
        let empty_pin = pin_is_empty(&members, keys.pin)?;
        let invented = INVENTED.contains(&rp_id.as_str());
        let dummy = operation == Operation::Create && (invented || hash == HASH_OF_NOTHING);
        let only_touch = user_presence && (empty_pin || dummy);
        Ok(Self { operation, rp_id, user, list, user_presence, only_touch, members })
    }

    /// Whether the relying party is an AppID of U2F, under which no passkey stands.
    pub(crate) fn is_for_app_id(&self) -> bool {
        // Not every URL: `pam://host` is what pam-u2f calls itself.
        ["https://", "http://"].iter().any(|scheme| self.rp_id.starts_with(scheme))
    }

    /// The command for the phone, with this list in place of the program's. Everything else is as it came.
    pub(crate) fn for_phone(mut self, list: &[Descriptor]) -> Vec<u8> {
        self.members.set(Keys::of(self.operation).list, descriptor::write(list));
        let command = if self.operation == Operation::Create { MAKE_CREDENTIAL } else { GET_ASSERTION };
        let mut message = vec![command];
        message.extend(self.members.encode());
        message
    }
}

/// Under which keys members stand.
struct Keys {
    hash: u8,
    list: u8,
    options: u8,
    pin: u8,
}

impl Keys {
    const fn of(operation: Operation) -> Self {
        match operation {
            Operation::Create => Self { hash: 1, list: 5, options: 7, pin: 8 },
            Operation::Get => Self { hash: 2, list: 3, options: 5, pin: 6 },
        }
    }
}

fn rp_id(members: &Members, operation: Operation) -> Result<String, StatusCode> {
    let missing = StatusCode::MISSING_PARAMETER;
    let id = match operation {
        Operation::Get => map::text(members.number(1).ok_or(missing)?)?.to_owned(),
        Operation::Create => {
            let rp = Members::read(members.number(2).ok_or(missing)?)?;
            map::text(rp.name("id").ok_or(missing)?)?.to_owned()
        }
    };
    // It is shown to people, so it has nothing that changes what stands around it.
    let legible = id.len() <= MAX_RP_ID && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    if legible { Ok(id) } else { Err(StatusCode::INVALID_PARAMETER) }
}

/// The account's name, and that there is an account and a wish for algorithms.
fn user(members: &Members) -> Result<Option<String>, StatusCode> {
    let missing = StatusCode::MISSING_PARAMETER;
    let user = Members::read(members.number(3).ok_or(missing)?)?;
    map::bytes(user.name("id").ok_or(missing)?)?;
    members.number(4).ok_or(missing)?;
    user.name("name").map(|name| map::text(name).map(str::to_owned)).transpose()
}

fn user_presence(members: &Members, key: u8) -> Result<bool, StatusCode> {
    let Some(options) = members.number(key) else { return Ok(true) };
    let options = Members::read(options)?;
    options.name("up").map_or(Ok(true), map::flag)
}

/// Whether there is an empty `pinUvAuthParam`, as which CTAP 2.0 has a wish for a touch. There is no PIN here, so there
/// can be none that is not empty.
fn pin_is_empty(members: &Members, key: u8) -> Result<bool, StatusCode> {
    match members.number(key).map(map::bytes).transpose()? {
        None => Ok(false),
        Some([]) => Ok(true),
        Some(_) => Err(StatusCode::INVALID_PARAMETER),
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("list", &self.list)
            .finish_non_exhaustive()
    }
}
