//! Commands, errors and states of CTAPHID (CTAP 2.1 sections 11.2.9.1 and 11.2.9.2).

/// What a program asks of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Ping,
    Msg,
    Lock,
    Init,
    Wink,
    Cbor,
    Cancel,
}

impl Command {
    pub(super) const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::Ping,
            0x03 => Self::Msg,
            0x04 => Self::Lock,
            0x06 => Self::Init,
            0x08 => Self::Wink,
            0x10 => Self::Cbor,
            0x11 => Self::Cancel,
            _ => return None,
        })
    }

    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Ping => 0x01,
            Self::Msg => 0x03,
            Self::Lock => 0x04,
            Self::Init => 0x06,
            Self::Wink => 0x08,
            Self::Cbor => 0x10,
            Self::Cancel => 0x11,
        }
    }

    /// Whether a message of so many bytes can be one.
    pub(super) fn takes(self, length: usize) -> bool {
        match self {
            Self::Ping | Self::Cancel => true,
            Self::Msg | Self::Cbor => length > 0,
            Self::Lock => length == 1,
            Self::Init => length == 8,
            Self::Wink => length == 0,
        }
    }
}

/// The command byte of a KEEPALIVE.
pub(super) const KEEPALIVE: u8 = 0x3b;
/// The command byte of an ERROR.
pub(super) const ERROR: u8 = 0x3f;

/// Why a report is not taken, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HidError {
    InvalidCommand,
    InvalidParameter,
    InvalidLength,
    InvalidSequence,
    MessageTimeout,
    ChannelBusy,
    InvalidChannel,
}

impl HidError {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::InvalidCommand => 0x01,
            Self::InvalidParameter => 0x02,
            Self::InvalidLength => 0x03,
            Self::InvalidSequence => 0x04,
            Self::MessageTimeout => 0x05,
            Self::ChannelBusy => 0x06,
            Self::InvalidChannel => 0x0b,
        }
    }
}

/// What a program is told every 100 ms while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The device is busy.
    Processing,
    /// A person has to do something.
    ForPerson,
}

impl Waiting {
    pub(super) const fn byte(self) -> u8 {
        match self {
            Self::Processing => 1,
            Self::ForPerson => 2,
        }
    }
}
