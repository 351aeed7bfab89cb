//! What btleplug leaves to the system: which adapter, whether it can be used, and what upsets it.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(super) use self::linux::{Host, sort};
#[cfg(not(target_os = "linux"))]
pub(super) use self::other::{Host, sort};
