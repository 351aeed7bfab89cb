//! Parts for tests of websites, browsers and phones that use passkeys over the FIDO hybrid transport.
//!
//! * [`bluez`]: a BlueZ without a radio, for unmodified programs.
#![forbid(unsafe_code)]

pub mod bluez;
