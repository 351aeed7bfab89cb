//! Parts for tests of websites, browsers and phones that use passkeys over the FIDO hybrid transport.
//!
//! * [`bluez`]: a BlueZ without a radio, for unmodified programs.
//! * [`phone`]: a phone that does what a test tells it.
//! * [`control`]: the HTTP interface to such a phone.
//! * [`mutant`]: a phone that breaks one rule, to see whether a browser notices.
//! * [`testbed`]: all of it together, for a real browser; the `hybridge-testbed` program is around it.
//! * [`tunnel`]: a tunnel service on this machine, with a certificate of its own.
//!
//! The feature `testbed` is on by default. Without it there are [`bluez`], [`phone`] and what reads requests in
//! [`control`].
#![forbid(unsafe_code)]

pub mod bluez;
pub mod control;
#[cfg(feature = "testbed")]
pub mod mutant;
pub mod phone;
#[cfg(feature = "testbed")]
pub mod testbed;
#[cfg(feature = "testbed")]
pub mod tunnel;
