//! The status byte of a CTAP reply, in words.

use std::fmt;

/// A CTAP status other than success (CTAP 2.2 section 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(u8);

impl Status {
    /// 0x19: the phone already has one of the excluded passkeys.
    pub const CREDENTIAL_EXCLUDED: Self = Self(0x19);
    /// 0x27: the person declined, or verification failed.
    pub const OPERATION_DENIED: Self = Self(0x27);
    /// 0x2E: the phone has no fitting passkey.
    pub const NO_CREDENTIALS: Self = Self(0x2e);
    /// 0x2F: the person did not react on the phone.
    pub const USER_ACTION_TIMEOUT: Self = Self(0x2f);
    /// 0x2D: the person or the phone cancelled.
    pub const KEEPALIVE_CANCEL: Self = Self(0x2d);

    /// `None` for success.
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => None,
            status => Some(Self(status)),
        }
    }

    /// The byte.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::CREDENTIAL_EXCLUDED => {
                f.write_str("it already has a passkey for this account; sign in with it")
            }
            Self::OPERATION_DENIED => f.write_str("the request was declined on the phone"),
            Self::NO_CREDENTIALS => {
                f.write_str("it has no passkey for this site; use another phone or make one first")
            }
            Self::USER_ACTION_TIMEOUT => f.write_str("nobody approved on the phone in time; try again"),
            Self::KEEPALIVE_CANCEL => f.write_str("it was cancelled on the phone"),
            Self(other) => write!(f, "CTAP status 0x{other:02X}"),
        }
    }
}
