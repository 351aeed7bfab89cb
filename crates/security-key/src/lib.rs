//! A virtual FIDO security key whose touch and signature is a phone over the FIDO hybrid transport.
//!
//! Programs that know security keys (browsers, `ssh`, login tools) find a USB security key and talk CTAPHID with it. What
//! needs a person goes to a phone.
//!
//! * [`hid`]: CTAPHID (CTAP 2.1 section 11.2) as a state machine without I/O.
//! * [`KeyMachine`]: the security key as a state machine without I/O, with CTAP2 and the habits of browsers.
//!
//! A security key learns the relying party's ID and a hash from a program, never the page: which site a program asks for
//! is the program's word.
#![forbid(unsafe_code)]

mod ctap;
mod driver;
#[cfg(target_os = "linux")]
pub mod helper;
pub mod hid;
pub mod key;
#[cfg(target_os = "linux")]
pub mod openers;
#[cfg(test)]
mod testing;
#[cfg(target_os = "linux")]
pub mod uhid;

pub use self::{
    ctap::{MAX_CREDENTIAL_ID, MAX_LIST, Operation, StatusCode},
    driver::{
        Consent, Decision, HybridPhone, Incoming, Notice, Outcome, PhoneBackend, Radios, ReportChannel,
        SecurityKey,
    },
    key::{Action, KeyMachine, PhoneRequest, Ticket},
};
