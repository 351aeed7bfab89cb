//! CTAP2 as the device speaks it: what it answers by itself, and what the phone is asked (CTAP 2.1 section 6).

mod descriptor;
mod info;
mod map;
mod preflight;
mod request;
mod status;
mod u2f;

pub(crate) use info::get_info;
pub use info::{MAX_CREDENTIAL_ID, MAX_LIST};
pub(crate) use map::Members;
pub(crate) use preflight::Probed;
pub use request::Operation;
pub(crate) use request::{GET_ASSERTION, MAKE_CREDENTIAL, Request};
pub use status::StatusCode;
pub(crate) use u2f::reply as u2f_reply;

const GET_INFO: u8 = 0x04;
const RESET: u8 = 0x07;
const GET_NEXT_ASSERTION: u8 = 0x08;
const SELECTION: u8 = 0x0b;

/// What a message wants.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Something that is known already: the whole reply.
    Known(Vec<u8>),
    /// A touch, and nothing else.
    Touch,
    /// A passkey, or something about one.
    Passkey(Box<Request>),
}

impl Wish {
    /// Reads a command byte and parameters.
    pub(crate) fn read(message: &[u8]) -> Result<Self, StatusCode> {
        let (command, parameters) = message.split_first().ok_or(StatusCode::INVALID_COMMAND)?;
        let passkey =
            |operation| Request::read(operation, parameters).map(|request| Self::Passkey(Box::new(request)));
        match *command {
            MAKE_CREDENTIAL => passkey(Operation::Create),
            GET_ASSERTION => passkey(Operation::Get),
            GET_INFO => Ok(Self::Known([StatusCode::SUCCESS.alone(), get_info()].concat())),
            SELECTION => Ok(Self::Touch),
            // A phone picks one passkey and sends no others, and what it has is not this device's to delete.
            RESET | GET_NEXT_ASSERTION => Err(StatusCode::NOT_ALLOWED),
            _ => Err(StatusCode::INVALID_COMMAND),
        }
    }
}

/// A phone's reply as the program gets it: as it came, but that it announces no further replies, which nobody could fetch
/// over the hybrid transport.
pub(crate) fn from_phone(operation: Operation, reply: Vec<u8>) -> Vec<u8> {
    const NUMBER_OF_CREDENTIALS: u8 = 5;
    let Some((&0, contents)) = reply.split_first() else { return reply };
    if operation == Operation::Create {
        return reply;
    }
    match Members::read(contents) {
        Ok(mut members) if members.number(NUMBER_OF_CREDENTIALS).is_some() => {
            members.set(NUMBER_OF_CREDENTIALS, None);
            [StatusCode::SUCCESS.alone(), members.encode()].concat()
        }
        _ => reply,
    }
}
