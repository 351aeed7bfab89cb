//! The pages of the window.

use std::time::Duration;

use super::{
    code::Modules,
    event::Reason,
    text::{Message, Name},
};

/// What is on the window.
#[derive(Debug)]
pub enum Page {
    /// Nothing was told yet.
    Waiting,
    /// "Use your phone?"
    Touch,
    /// That was answered with yes; the program goes on.
    Chosen,
    /// A phone is wanted; the code is not there yet.
    Preparing,
    /// The code.
    Code(Code),
    /// There is no code on the screen, and no phone yet.
    Searching,
    /// A phone is on its way.
    Progress(Progress),
    /// It went well.
    Done(Done),
    /// It did not.
    Problem(Problem),
    /// A program looks for the key.
    Wink,
}

/// A code on the screen. Dropping it wipes it.
#[derive(Debug)]
pub struct Code {
    /// What is drawn.
    pub modules: Modules,
    /// When another one will take its place.
    pub ends: Duration,
}

/// How far it is with the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A remembered phone is called.
    Calling(Name),
    /// A phone has proved to be near.
    Nearby,
    /// The channel is being opened.
    Connecting,
    /// Both sides prove who they are.
    Handshaking,
    /// Connected.
    Connected,
    /// The phone asks its owner.
    Approval,
}

/// What went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// A passkey was made.
    Saved,
    /// A passkey was used.
    SignedIn,
    /// One of both.
    Answered,
}

/// What did not go well, and what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is.
    pub kind: Kind,
    /// More about it, in the words of the other side.
    pub message: Option<Message>,
    /// The other side can try the same again.
    pub retry: bool,
    /// How far it is with switching Bluetooth on, where that helps.
    pub bluetooth: Bluetooth,
}

/// How far it is with switching Bluetooth on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bluetooth {
    /// Nobody has asked for it.
    Untouched,
    /// It is being switched on.
    Asked,
    /// It is on.
    On,
    /// It could not be switched on.
    Refused,
}

/// What went wrong, as far as somebody can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words for each stand in `words`")]
pub enum Kind {
    BluetoothOff,
    NoAdapter,
    BluetoothPermission,
    BluetoothService,
    Radio,
    TunnelNotReached,
    TunnelRefused,
    TunnelCertificate,
    Tunnel,
    TimedOut,
    Protocol,
    Refused,
    NoPasskey,
    Excluded,
    Cancelled,
    Request,
    KeyGone,
    NotDrawn,
    Other,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::BluetoothOff,
        Self::NoAdapter,
        Self::BluetoothPermission,
        Self::BluetoothService,
        Self::Radio,
        Self::TunnelNotReached,
        Self::TunnelRefused,
        Self::TunnelCertificate,
        Self::Tunnel,
        Self::TimedOut,
        Self::Protocol,
        Self::Refused,
        Self::NoPasskey,
        Self::Excluded,
        Self::Cancelled,
        Self::Request,
        Self::KeyGone,
        Self::NotDrawn,
        Self::Other,
    ];

    fn of(reason: &Reason) -> Self {
        let words = |word: &Option<String>| word.as_deref().unwrap_or_default().to_owned();
        match (words(&reason.kind).as_str(), words(&reason.radio).as_str(), words(&reason.tunnel).as_str()) {
            (_, "bluetooth-off", _) => Self::BluetoothOff,
            (_, "no-adapter", _) => Self::NoAdapter,
            (_, "bluetooth-permission", _) => Self::BluetoothPermission,
            (_, "bluetooth-service", _) => Self::BluetoothService,
            ("no-radio", ..) => Self::Radio,
            ("tunnel-service", _, "not-reached") => Self::TunnelNotReached,
            ("tunnel-service", _, "refused") => Self::TunnelRefused,
            ("tunnel-service", _, "certificate") => Self::TunnelCertificate,
            ("tunnel-service", ..) => Self::Tunnel,
            ("timed-out", ..) => Self::TimedOut,
            ("protocol", ..) => Self::Protocol,
            ("refused", ..) => Self::Refused,
            ("excluded", ..) => Self::Excluded,
            ("cancelled", ..) => Self::Cancelled,
            ("input", ..) => Self::Request,
            _ => Self::Other,
        }
    }
}

impl Problem {
    /// One that nobody offers to try again.
    pub fn new(kind: Kind) -> Self {
        Self { kind, message: None, retry: false, bluetooth: Bluetooth::Untouched }
    }

    /// Of a status of CTAP2 other than 0; `None` for 0.
    pub fn of_status(status: u8) -> Option<Self> {
        let kind = match status {
            0 => return None,
            // CTAP2_ERR_CREDENTIAL_EXCLUDED, NO_CREDENTIALS, KEEPALIVE_CANCEL, USER_ACTION_TIMEOUT, ACTION_TIMEOUT.
            0x19 => Kind::Excluded,
            0x2e => Kind::NoPasskey,
            0x2d => Kind::Cancelled,
            0x2f | 0x3a => Kind::TimedOut,
            _ => Kind::Refused,
        };
        // OPERATION_DENIED is the usual no; anything else has a number to look for.
        let told = kind == Kind::Refused && status != 0x27;
        let message = told.then(|| Message::from(format!("The phone answered with status 0x{status:02X}.")));
        Some(Self { message, ..Self::new(kind) })
    }
}

impl From<Reason> for Problem {
    fn from(reason: Reason) -> Self {
        if let Some(problem) = reason.status.and_then(Self::of_status) {
            // The phone's own word says more than the kind.
            return Self { retry: reason.retry, ..problem };
        }
        let kind = Kind::of(&reason);
        Self { kind, message: reason.message, retry: reason.retry, bluetooth: Bluetooth::Untouched }
    }
}
