//! The status byte of a reply (CTAP 2.1 section 8.2).

/// What a reply begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusCode(pub u8);

impl StatusCode {
    /// 0x00: done.
    pub const SUCCESS: Self = Self(0x00);
    /// 0x01: there is no such command here.
    pub const INVALID_COMMAND: Self = Self(0x01);
    /// 0x02: a value is out of range.
    pub const INVALID_PARAMETER: Self = Self(0x02);
    /// 0x11: a value is of another type.
    pub const CBOR_UNEXPECTED_TYPE: Self = Self(0x11);
    /// 0x12: the parameters are no CBOR.
    pub const INVALID_CBOR: Self = Self(0x12);
    /// 0x14: something is missing.
    pub const MISSING_PARAMETER: Self = Self(0x14);
    /// 0x27: the person said no, or closed the window.
    pub const OPERATION_DENIED: Self = Self(0x27);
    /// 0x2C: an option has no such value here.
    pub const INVALID_OPTION: Self = Self(0x2c);
    /// 0x2D: the program cancelled.
    pub const KEEPALIVE_CANCEL: Self = Self(0x2d);
    /// 0x2E: there is no fitting passkey.
    pub const NO_CREDENTIALS: Self = Self(0x2e);
    /// 0x2F: nobody did anything.
    pub const USER_ACTION_TIMEOUT: Self = Self(0x2f);
    /// 0x30: not here, or not now.
    pub const NOT_ALLOWED: Self = Self(0x30);
    /// 0x35: there is no PIN; to programs that ask for a touch, the sign of one.
    pub const PIN_NOT_SET: Self = Self(0x35);
    /// 0x7F: something else.
    pub const OTHER: Self = Self(0x7f);

    /// The reply that is nothing but this.
    pub fn alone(self) -> Vec<u8> {
        vec![self.0]
    }
}
